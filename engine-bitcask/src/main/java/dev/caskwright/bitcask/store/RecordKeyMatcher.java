package dev.caskwright.bitcask.store;

import dev.caskwright.api.spi.index.KeyMatcher;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordReader;
import java.io.IOException;

/** Compares keys with records, for an index that holds no keys. */
public final class RecordKeyMatcher implements KeyMatcher {
    private final Pool<RecordReader> readers;

    public RecordKeyMatcher(RecordLog log) {
        this.readers = new Pool<>(Sessions.slots(), log::newReader);
    }

    @Override
    public boolean matches(byte[] key, int offset, int length, long locator) throws IOException {
        RecordReader reader = readers.take();
        try {
            reader.readKey(locator, length);
            if (reader.hasKey(key, offset, length)) {
                return true;
            }
            // Damage to the stored key must not pass for the key's absence.
            reader.verify();
            return false;
        } finally {
            readers.giveBack(reader);
        }
    }

    /** Forgets the readers, with all that they hold. */
    void forgetReaders() {
        readers.clear();
    }
}
