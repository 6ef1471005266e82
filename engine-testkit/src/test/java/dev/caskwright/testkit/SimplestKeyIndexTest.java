package dev.caskwright.testkit;

import dev.caskwright.api.spi.KeyIndexContext;
import dev.caskwright.api.spi.OrderedKeyIndex;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** Proves that the contract can be kept: by the simplest index there is, a sorted map. */
final class SimplestKeyIndexTest extends OrderedKeyIndexContract {
    private static final int BYTES_PER_ENTRY = 100;

    @Override
    protected OrderedKeyIndex newIndex(KeyIndexContext context) {
        return new SimplestKeyIndex();
    }

    private static final class SimplestKeyIndex implements OrderedKeyIndex {
        private final ConcurrentSkipListMap<byte[], Long> locators =
                new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
        private volatile boolean isClosed;

        @Override
        public long get(byte[] key, int offset, int length) {
            return open().getOrDefault(slice(key, offset, length), ABSENT);
        }

        @Override
        public long put(byte[] key, int offset, int length, long locator) {
            return orAbsent(open().put(slice(key, offset, length), locator));
        }

        @Override
        public long putIfAbsent(byte[] key, int offset, int length, long locator) {
            return orAbsent(open().putIfAbsent(slice(key, offset, length), locator));
        }

        @Override
        public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
            return open().replace(slice(key, offset, length), expected, locator);
        }

        @Override
        public boolean remove(byte[] key, int offset, int length, long expected) {
            return open().remove(slice(key, offset, length), expected);
        }

        @Override
        public long size() {
            return open().size();
        }

        @Override
        public long memoryBytes() {
            return (long) BYTES_PER_ENTRY * open().size();
        }

        @Override
        public void ensureRoom(int keys) {
            open();
        }

        @Override
        public boolean allowsConcurrentWriters() {
            return true;
        }

        @Override
        public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
                throws IOException {
            NavigableMap<byte[], Long> view = descending ? open().descendingMap() : open();
            for (Map.Entry<byte[], Long> entry : (from == null ? view : view.tailMap(from, inclusive)).entrySet()) {
                if (!visitor.visit(entry.getKey().clone(), entry.getValue())) {
                    return;
                }
            }
        }

        @Override
        public void close() {
            isClosed = true;
            locators.clear();
        }

        private ConcurrentSkipListMap<byte[], Long> open() {
            if (isClosed) {
                throw new IllegalStateException("the index is closed");
            }
            return locators;
        }

        private static byte[] slice(byte[] key, int offset, int length) {
            return Arrays.copyOfRange(key, offset, offset + length);
        }

        private static long orAbsent(@Nullable Long locator) {
            return locator == null ? ABSENT : locator;
        }
    }
}
