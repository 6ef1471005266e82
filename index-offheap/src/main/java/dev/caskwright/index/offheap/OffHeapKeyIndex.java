package dev.caskwright.index.offheap;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import net.openhft.chronicle.algo.hashing.LongHashFunction;
import org.jspecify.annotations.Nullable;

/**
 * A key index outside the Java heap, on Chronicle Map: the collector never sees its keys. In memory only; nothing is
 * written to disk.
 *
 * <p><b>Flags.</b> Chronicle Map needs a JDK (it compiles classes when it starts), the class path, and
 * {@code --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.lang.reflect=ALL-UNNAMED
 * --add-exports jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED}. Without them the constructor throws an
 * {@link IllegalStateException} that names what is missing. The library's analytics are turned off.
 *
 * <p><b>Threads.</b> Any number of threads may read and change the index at once. A reader shares a lock of Chronicle's
 * with writers of the same segment, a few thousand keys, for the time of one operation in memory; it waits for nothing
 * else.
 *
 * <p><b>Size.</b> The index is made for the expected number and length of keys, and grows beyond: it has {@value #SHARDS}
 * shards, each of which moves to a map of twice the size when its own is used up, a few keys with each change. No change
 * waits for more than the making of that map and the listing of one segment. A shard that has lost most of its keys moves
 * to a smaller map in the same way. While a shard moves it has both maps.
 *
 * <p><b>Long keys.</b> Keys of more than {@value #MAX_OFF_HEAP_KEY_LENGTH} bytes are kept on the heap: a map that is sized
 * for short keys takes them badly or not at all.
 */
public final class OffHeapKeyIndex implements KeyIndex {
    /** Longer keys live on the heap. */
    static final int MAX_OFF_HEAP_KEY_LENGTH = 512;
    /** What keys are taken to measure if nobody says. */
    static final int DEFAULT_KEY_LENGTH = 16;

    private static final int SHARD_BITS = 3;
    private static final int SHARDS = 1 << SHARD_BITS;

    private final LongHashFunction hashFunction;
    private final Shard[] shards = new Shard[SHARDS];
    private final LongKeys longKeys = new LongKeys();
    private volatile boolean closed;

    /**
     * Makes an empty index for the expected keys.
     *
     * @throws IllegalStateException if the JVM was started without the flags that are needed
     * @throws IndexMemoryException if there is not enough memory
     */
    public OffHeapKeyIndex(KeyIndexContext context) throws IndexMemoryException {
        Requirements.check();
        hashFunction = LongHashFunction.xx_r39(context.seed());
        long expected = Math.max(0, context.expectedKeys()) / SHARDS;
        int keyLength = context.expectedKeyLength() <= 0
                ? DEFAULT_KEY_LENGTH
                : Math.min(context.expectedKeyLength(), MAX_OFF_HEAP_KEY_LENGTH);
        for (int i = 0; i < SHARDS; i++) {
            shards[i] = openShard(expected, keyLength);
        }
    }

    /** Finds this index by the name {@code offheap}. */
    public static final class Provider implements KeyIndexProvider {
        /** For the service loader. */
        public Provider() {}

        @Override
        public String name() {
            return "offheap";
        }

        @Override
        public KeyIndex open(KeyIndexContext context) throws IndexMemoryException {
            // Before the class that needs Chronicle's classes is so much as linked.
            Requirements.check();
            return new OffHeapKeyIndex(context);
        }
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        if (length > MAX_OFF_HEAP_KEY_LENGTH) {
            return openLongKeys().get(key, offset, length);
        }
        KeySlice slice = slice(key, offset, length);
        return shard(slice).get(slice);
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) throws IndexMemoryException {
        check(locator);
        if (length > MAX_OFF_HEAP_KEY_LENGTH) {
            return openLongKeys().put(key, offset, length, locator);
        }
        KeySlice slice = slice(key, offset, length);
        return shard(slice).put(slice, locator);
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) throws IndexMemoryException {
        check(locator);
        if (length > MAX_OFF_HEAP_KEY_LENGTH) {
            return openLongKeys().putIfAbsent(key, offset, length, locator);
        }
        KeySlice slice = slice(key, offset, length);
        return shard(slice).putIfAbsent(slice, locator);
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        check(locator);
        if (length > MAX_OFF_HEAP_KEY_LENGTH) {
            return openLongKeys().replace(key, offset, length, expected, locator);
        }
        KeySlice slice = slice(key, offset, length);
        return shard(slice).replace(slice, expected, locator);
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) {
        if (length > MAX_OFF_HEAP_KEY_LENGTH) {
            return openLongKeys().remove(key, offset, length, expected);
        }
        KeySlice slice = slice(key, offset, length);
        return shard(slice).remove(slice, expected);
    }

    @Override
    public long size() {
        long keys = openLongKeys().size();
        for (Shard shard : shards) {
            keys += shard.keys();
        }
        return keys;
    }

    /**
     * Returns the memory that Chronicle Map has asked for, and about what the keys on the heap take. Not all of the first
     * is resident: the system provides it when it is touched.
     */
    @Override
    public long memoryBytes() {
        long bytes = openLongKeys().memoryBytes();
        for (Shard shard : shards) {
            bytes += shard.memoryBytes();
        }
        return bytes;
    }

    @Override
    public void ensureRoom(int keys) throws IndexMemoryException {
        openLongKeys();
        // Keys spread evenly but not exactly; a shard also takes a multiple of what it is made for.
        long share = Math.min(keys, 2L * keys / SHARDS + Generation.MIN_KEYS / 8);
        for (Shard shard : shards) {
            shard.ensureRoom(share);
        }
    }

    @Override
    public boolean allowsConcurrentWriters() {
        return true;
    }

    @Override
    public void close() {
        closed = true;
        longKeys.clear();
        for (@Nullable Shard shard : shards) {
            if (shard != null) {
                shard.close();
            }
        }
    }

    private Shard openShard(long expectedKeys, int keyLength) throws IndexMemoryException {
        try {
            return new Shard(expectedKeys, keyLength, hashFunction);
        } catch (IndexMemoryException e) {
            close();
            throw e;
        }
    }

    private LongKeys openLongKeys() {
        if (closed) {
            throw new IllegalStateException("the index is closed");
        }
        return longKeys;
    }

    private KeySlice slice(byte[] key, int offset, int length) {
        return new KeySlice(key, offset, length, hashFunction.hashBytes(key, offset, length));
    }

    private Shard shard(KeySlice key) {
        // Chronicle Map uses the low bits.
        return shards[(int) (key.hash() >>> (Long.SIZE - SHARD_BITS))];
    }

    private static void check(long locator) {
        if (locator == ABSENT) {
            throw new IllegalArgumentException("a locator must not be " + ABSENT);
        }
    }
}
