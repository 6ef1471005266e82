package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoHook;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Trouble that passes, and that concerns one write or one piece of background work, is not the end of the store. */
@Timeout(60)
final class PassingTroubleTest {
    private static final byte[] KEY = KeyValues.bytes("key");
    private static final byte[] OTHER = KeyValues.bytes("other");
    private static final byte[] DAMAGED = KeyValues.bytes("damaged");
    private static final byte[] VALUE = new byte[100];

    private final CrashableIoManager disk = new CrashableIoManager();
    private final TroubledIndex index = new TroubledIndex();

    /** An index that is full, or that reads records and meets a damaged one. */
    private static final class TroubledIndex extends SmallImageIndex {
        private boolean isFull;
        private boolean meetsDamage;

        TroubledIndex() {
            super(() -> {});
        }

        @Override
        public void ensureRoom(int keys) throws IOException {
            if (isFull) {
                throw new IndexMemoryException("full (planted): keys=" + keys, null);
            }
        }

        @Override
        public boolean readsRecords() {
            return true;
        }

        private void read(byte[] key, int offset, int length) {
            if (meetsDamage && Arrays.equals(key, offset, offset + length, DAMAGED, 0, DAMAGED.length)) {
                throw new UncheckedIOException(new CorruptRecordException("planted", "00000001.data", 0, "damaged"));
            }
        }

        @Override
        public long get(byte[] key, int offset, int length) {
            read(key, offset, length);
            return super.get(key, offset, length);
        }

        @Override
        public long put(byte[] key, int offset, int length, long locator) {
            read(key, offset, length);
            return super.put(key, offset, length, locator);
        }
    }

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock()).index(context -> index);
    }

    @Test
    void aFullIndexTakesDeletes() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            engine.put(KEY, VALUE);
            engine.put(OTHER, VALUE);
            engine.put(DAMAGED, VALUE);
            index.isFull = true;
            assertThatThrownBy(() -> engine.put(KEY, VALUE)).isInstanceOf(IndexMemoryException.class);
            assertThatThrownBy(() -> engine.write(new WriteBatch().delete(KEY).put(OTHER, VALUE), WriteOptions.DEFAULT))
                    .isInstanceOf(IndexMemoryException.class);
            assertThat(engine.delete(KEY)).isTrue();
            assertThat(engine.delete(OTHER, VALUE, WriteOptions.DEFAULT)).isTrue();
            engine.write(new WriteBatch().delete(DAMAGED).delete(KEY), WriteOptions.DEFAULT);
            assertThat(engine.size()).isZero();
            index.isFull = false;
            engine.put(KEY, VALUE);
            assertThat(engine.health()).isNull();
        }
        try (BitcaskEngine engine = CrashFixture.open(disk)) {
            assertThat(engine.size()).isEqualTo(1);
        }
    }

    @Test
    void damageThatALookupMeetsEndsOneWriteOnly() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            engine.put(DAMAGED, VALUE);
            index.meetsDamage = true;
            long version = engine.stats().writes().writtenBytes();
            assertThatThrownBy(() -> engine.put(DAMAGED, VALUE)).isInstanceOf(UncheckedIOException.class);
            assertThatThrownBy(() ->
                            engine.write(new WriteBatch().put(OTHER, VALUE).put(DAMAGED, VALUE), WriteOptions.DEFAULT))
                    .isInstanceOf(UncheckedIOException.class);
            assertThat(engine.stats().writes().writtenBytes())
                    .as("nothing was appended")
                    .isEqualTo(version);
            assertThat(engine.health()).isNull();
            assertThat(engine.contains(OTHER)).isFalse();
            engine.put(OTHER, VALUE);
            index.meetsDamage = false;
            engine.put(DAMAGED, VALUE);
        }
    }

    /** Fails some calls before anything is done, as a shortage of descriptors does. */
    private static final class Shortage implements IoHook {
        private final IoOperation operation;
        private final @Nullable String file;
        private final AtomicInteger left = new AtomicInteger();

        Shortage(IoOperation operation, @Nullable String file) {
            this.operation = operation;
            this.file = file;
        }

        @Override
        public void before(IoCall call) throws IOException {
            if (call.operation() == operation
                    && (file == null || call.file().equals(file))
                    && left.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                throw new EngineException(ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "no descriptors (planted)", null);
            }
        }
    }

    /** The name of a new file could not be forced; nothing is in doubt, and the next force sees to it. */
    @Test
    void aDirectoryThatCannotBeOpenedIsForcedLater() throws IOException {
        Shortage shortage = new Shortage(IoOperation.SYNC_DIRECTORY, null);
        try (BitcaskEngine engine = CrashFixture.builder(shortage.wrap(disk.factory(HOME)), new ManualClock())
                .open()) {
            for (int i = 0; i < 60; i++) {
                shortage.left.set(i % 3);
                byte[] key = KeyValues.key(i);
                put(engine, key);
                assertThat(engine.health()).as("i=%s", i).isNull();
                try (BitcaskEngine after = CrashFixture.open(disk.peekPowerLoss(i))) {
                    assertThat(after.contains(key)).as("i=%s", i).isTrue();
                }
            }
            shortage.left.set(1);
            try {
                engine.merge();
            } catch (EngineException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
            }
            assertThat(engine.health()).isNull();
            shortage.left.set(0);
            engine.merge();
        }
        try (BitcaskEngine engine = CrashFixture.open(disk)) {
            assertThat(engine.size()).isEqualTo(60);
        }
    }

    private static void put(BitcaskEngine engine, byte[] key) throws IOException {
        while (true) {
            try {
                engine.put(key, VALUE, WriteOptions.SYNC);
                return;
            } catch (EngineException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
            }
        }
    }

    /** The handle for the manifest is opened when it is first needed, at a moment without descriptors. */
    @Test
    void aManifestThatCannotBeOpenedIsWrittenLater() throws IOException {
        Shortage shortage = new Shortage(IoOperation.OPEN, "MANIFEST");
        EngineBuilder builder = CrashFixture.builder(shortage.wrap(disk.factory(HOME)), new ManualClock());
        for (int round = 0; round < 3; round++) {
            try (BitcaskEngine engine = builder.open()) {
                for (int i = 0; i < 20; i++) {
                    shortage.left.set(i % 2);
                    put(engine, KeyValues.key(i));
                    assertThat(engine.health()).as("i=%s", i).isNull();
                }
                shortage.left.set(0);
                engine.merge();
            }
        }
        try (BitcaskEngine engine = CrashFixture.open(disk)) {
            assertThat(engine.size()).isEqualTo(20);
        }
    }
}
