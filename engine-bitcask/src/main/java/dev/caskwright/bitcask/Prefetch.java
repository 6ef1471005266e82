package dev.caskwright.bitcask;

import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.KeyIndex;
import java.io.IOException;

/** Shows the keys of a batch to the index some at a time before they are changed. For one thread. */
final class Prefetch {
    private static final int KEYS = 32;

    private final int[] offsets = new int[KEYS];
    private final int[] lengths = new int[KEYS];

    /** Prefetches all keys of a batch. Within an epoch. */
    void of(WriteBatch batch, KeyIndex index) throws IOException {
        batch.visit(new WriteBatch.Visitor() {
            private byte[] at = {};
            private int count;
            private int left = batch.size();

            @Override
            public void change(byte[] source, int key, int keyLength, int valueLength, WriteOptions expiry) {
                if (source != at) {
                    flush();
                    at = source;
                }
                offsets[count] = key;
                lengths[count] = keyLength;
                count++;
                left--;
                if (count == KEYS || left == 0) {
                    flush();
                }
            }

            private void flush() {
                index.prefetch(at, offsets, lengths, count);
                count = 0;
            }
        });
    }
}
