package dev.caskwright.bitcask.read;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.bitcask.store.Snapshots;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Keys that are looked up together, in one array, as indexes take them. For one thread. */
final class KeyBatch {
    /** As many as a long has bits. */
    static final int MOST_KEYS = Long.SIZE;

    final int[] offsets;
    final int[] lengths;
    final long[] locators;
    byte[] source = {};
    int count;

    KeyBatch(int mostKeys) {
        offsets = new int[mostKeys];
        lengths = new int[mostKeys];
        locators = new long[mostKeys];
    }

    /** Copies some keys, of legal lengths when they were checked. From here on the copies count. */
    void fill(byte[][] keys, int from, int number) {
        int total = 0;
        for (int i = 0; i < number; i++) {
            offsets[i] = total;
            lengths[i] = keys[from + i].length;
            total += lengths[i];
        }
        if (source.length < total) {
            source = new byte[total];
        }
        for (int i = 0; i < number; i++) {
            System.arraycopy(keys[from + i], 0, source, offsets[i], lengths[i]);
        }
        count = number;
    }

    /** Looks up where the keys' records are, now or in a snapshot. Within an epoch. */
    void locate(KeyIndex index, Snapshots.@Nullable Handle snapshot) throws IOException {
        if (snapshot == null) {
            index.candidates(source, offsets, lengths, count, locators);
            return;
        }
        index.prefetch(source, offsets, lengths, count);
        for (int i = 0; i < count; i++) {
            locators[i] = snapshot.locate(index, source, offsets[i], lengths[i]);
        }
    }
}
