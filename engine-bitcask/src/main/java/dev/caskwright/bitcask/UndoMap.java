package dev.caskwright.bitcask;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The locators that keys had before they changed for the first time since a snapshot. One writer at a time, any number of
 * readers.
 */
final class UndoMap {
    /** The answer for a key that has not changed. No locator has this value: it would lie in a file's header. */
    static final long UNCHANGED = 1;

    private volatile @Nullable ConcurrentSkipListMap<byte[], Long> saved;

    void save(byte[] key, int offset, int length, long locator) {
        ConcurrentSkipListMap<byte[], Long> map = saved;
        if (map == null) {
            map = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
            saved = map;
        }
        map.putIfAbsent(Arrays.copyOfRange(key, offset, offset + length), locator);
    }

    void saveAll(UndoMap other) {
        Map<byte[], Long> map = other.saved;
        if (map != null) {
            map.forEach((key, locator) -> save(key, 0, key.length, locator));
        }
    }

    long get(byte[] key, int offset, int length) {
        ConcurrentSkipListMap<byte[], Long> map = saved;
        if (map == null) {
            return UNCHANGED;
        }
        Long locator =
                map.get(offset == 0 && length == key.length ? key : Arrays.copyOfRange(key, offset, offset + length));
        return locator == null ? UNCHANGED : locator;
    }

    /** Adds to {@code target} what was saved for the keys in a range; a null bound is none. */
    void copyRange(
            byte @Nullable [] from,
            boolean fromInclusive,
            byte @Nullable [] to,
            boolean toInclusive,
            Map<byte[], Long> target) {
        ConcurrentSkipListMap<byte[], Long> map = saved;
        if (map == null) {
            return;
        }
        Map<byte[], Long> range;
        if (from == null) {
            range = to == null ? map : map.headMap(to, toInclusive);
        } else {
            range = to == null ? map.tailMap(from, fromInclusive) : map.subMap(from, fromInclusive, to, toInclusive);
        }
        target.putAll(range);
    }
}
