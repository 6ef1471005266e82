package dev.caskwright.index.offheap;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import net.openhft.chronicle.algo.hashing.LongHashFunction;
import net.openhft.chronicle.hash.ChronicleHashClosedException;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.MapSegmentContext;
import org.jspecify.annotations.Nullable;

/**
 * A part of the keys, chosen by hash, in one map, or in two while it moves from one to a larger one.
 *
 * <p>While it moves, changes go to the newer map, and each copies a few keys there. Keys stay in the older map, so a
 * reader that asks the newer map and then the older one cannot miss a key on its way. What the older one says counts only
 * for keys that the newer one does not have; for that a removal takes the key from the older map first. A reader that is
 * late finds the older map closed, which the library reports without touching its memory, and asks again.
 *
 * <p>Writers take the lock. Readers do not; they share a lock of Chronicle's with writers of the same segment, for the
 * time of one operation in memory.
 */
final class Shard {
    /** How many keys each change copies while the shard moves. It is done before the larger map can fill. */
    private static final int KEYS_PER_STEP = 16;

    private static final int GROWTH_FACTOR = 2;

    private final LongHashFunction hashFunction;
    private final ReentrantLock lock = new ReentrantLock();
    /** Null when closed. */
    private volatile @Nullable Maps maps;

    private volatile long keys;
    private volatile long memoryBytes;
    private long keyBytes;

    private int nextSegment;
    private final List<KeySlice> batch = new ArrayList<>();

    /** The map in use, and the one before if some of its keys have not been copied. */
    private record Maps(Generation current, @Nullable Generation older) {}

    Shard(long expectedKeys, int keyLength, LongHashFunction hashFunction) throws IndexMemoryException {
        this.hashFunction = hashFunction;
        Maps first = new Maps(Generation.create(expectedKeys, keyLength, hashFunction), null);
        maps = first;
        memoryBytes = first.current.memoryBytes();
    }

    long get(KeySlice key) {
        while (true) {
            Maps seen = openMaps();
            try {
                return locator(find(seen, key));
            } catch (ChronicleHashClosedException | NullPointerException e) {
                // A thread's first lookup in a map that is being closed may also meet fields that are null already.
                // Maps are closed only after others were published, or for good, which openMaps() then says. So this
                // ends as soon as no growth happens within one lookup.
                if (seen.equals(maps)) {
                    throw e;
                }
            }
        }
    }

    long put(KeySlice key, long locator) throws IndexMemoryException {
        lock.lock();
        try {
            step();
            makeRoom(1, key.length());
            Maps seen = openMaps();
            Long previous = seen.current.map().put(key, locator);
            if (previous == null && seen.older != null) {
                previous = seen.older.map().get(key);
            }
            if (previous == null) {
                count(1, key.length());
            }
            return locator(previous);
        } finally {
            lock.unlock();
        }
    }

    long putIfAbsent(KeySlice key, long locator) throws IndexMemoryException {
        lock.lock();
        try {
            step();
            makeRoom(1, key.length());
            Maps seen = openMaps();
            Long present = seen.older == null ? seen.current.map().putIfAbsent(key, locator) : find(seen, key);
            if (present == null) {
                if (seen.older != null) {
                    seen.current.map().put(key, locator);
                }
                count(1, key.length());
            }
            return locator(present);
        } finally {
            lock.unlock();
        }
    }

    boolean replace(KeySlice key, long expected, long locator) {
        lock.lock();
        try {
            step();
            Maps seen = openMaps();
            if (seen.older == null) {
                return seen.current.map().replace(key, expected, locator);
            }
            boolean matches = locator(find(seen, key)) == expected && expected != KeyIndex.ABSENT;
            if (matches) {
                seen.current.map().put(key, locator);
            }
            return matches;
        } finally {
            lock.unlock();
        }
    }

    boolean remove(KeySlice key, long expected) {
        lock.lock();
        try {
            step();
            shrinkIfSparse();
            Maps seen = openMaps();
            boolean removed;
            if (seen.older == null) {
                removed = seen.current.map().remove(key, (Long) expected);
            } else {
                removed = locator(find(seen, key)) == expected && expected != KeyIndex.ABSENT;
                if (removed) {
                    seen.older.map().remove(key);
                    seen.current.map().remove(key);
                }
            }
            if (removed) {
                count(-1, -key.length());
            }
            return removed;
        } finally {
            lock.unlock();
        }
    }

    /** Makes sure that some more keys of average length fit without more memory. */
    void ensureRoom(long more) throws IndexMemoryException {
        lock.lock();
        try {
            makeRoom(more, keys == 0 ? 0 : more * (keyBytes / keys + 1));
        } finally {
            lock.unlock();
        }
    }

    long keys() {
        openMaps();
        return keys;
    }

    long memoryBytes() {
        openMaps();
        return memoryBytes;
    }

    void close() {
        lock.lock();
        try {
            Maps last = maps;
            maps = null;
            if (last != null) {
                last.current.close();
                if (last.older != null) {
                    last.older.close();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private Maps openMaps() {
        Maps seen = maps;
        if (seen == null) {
            throw new IllegalStateException("the index is closed");
        }
        return seen;
    }

    private static @Nullable Long find(Maps seen, KeySlice key) {
        Long found = seen.current.map().get(key);
        return found != null || seen.older == null ? found : seen.older.map().get(key);
    }

    private static long locator(@Nullable Long found) {
        return found == null ? KeyIndex.ABSENT : found;
    }

    private void count(int more, int bytes) {
        long now = keys + more;
        keys = now;
        keyBytes += bytes;
        // A map takes more memory now and then, without saying.
        if ((now & 0xFF) == 0) {
            measure();
        }
    }

    private void makeRoom(long more, long moreBytes) throws IndexMemoryException {
        Maps seen = openMaps();
        if (seen.current.holds(keys + more, keyBytes + moreBytes)) {
            return;
        }
        // Two moves never overlap: a map would have to double before an eighth of its keys is copied.
        while (openMaps().older != null) {
            step();
        }
        move(Math.max(keys + more, GROWTH_FACTOR * keys));
    }

    private void shrinkIfSparse() {
        Maps seen = openMaps();
        if (seen.older == null && seen.current.isSparse(keys)) {
            try {
                move(GROWTH_FACTOR * keys);
            } catch (IndexMemoryException e) {
                // A removal must work without memory. The map stays as large as it is until a later one has some.
                return;
            }
        }
    }

    /** Starts the move into a map for so many keys. */
    private void move(long capacity) throws IndexMemoryException {
        double keyLength = keys == 0 ? OffHeapKeyIndex.DEFAULT_KEY_LENGTH : Math.max(1, (double) keyBytes / keys);
        Generation next = Generation.create(capacity, keyLength, hashFunction);
        maps = new Maps(next, openMaps().current);
        nextSegment = 0;
        measure();
    }

    /** Copies some keys if the shard moves. Comes before a change, which so has not been made if this fails. */
    private void step() {
        Maps seen = openMaps();
        if (seen.older == null) {
            return;
        }
        ChronicleMap<KeySlice, Long> source = seen.older.map();
        if (batch.isEmpty() && nextSegment < source.segments()) {
            collect(source, nextSegment++);
        }
        for (int i = 0; i < KEYS_PER_STEP && !batch.isEmpty(); i++) {
            KeySlice key = batch.remove(batch.size() - 1);
            // The key may have been removed since, or have a newer locator in the newer map.
            Long locator = source.get(key);
            if (locator != null) {
                seen.current.map().putIfAbsent(key, locator);
            }
        }
        if (batch.isEmpty() && nextSegment == source.segments()) {
            maps = new Maps(seen.current, null);
            seen.older.close();
            measure();
        }
    }

    /** Collects the keys of a segment. Iterating and changing a map at once is not possible. */
    private void collect(ChronicleMap<KeySlice, Long> source, int segment) {
        try (MapSegmentContext<KeySlice, Long, ?> entries = source.segmentContext(segment)) {
            entries.forEachSegmentEntry(entry -> batch.add(entry.key().get()));
        }
    }

    private void measure() {
        Maps seen = openMaps();
        memoryBytes = seen.current.memoryBytes() + (seen.older == null ? 0 : seen.older.memoryBytes());
    }
}
