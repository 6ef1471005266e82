package dev.caskwright.index.btree;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.mapdb.BTreeMap;
import org.mapdb.Serializer;

/** One B-tree of MapDB with the store of its nodes. One writer, any number of readers; values are locators. */
final class Tree {
    private static final byte[] LEAST_KEY = {};

    private final NodeStore store;
    private final BTreeMap<Object, Long> map;

    Tree(int maxNodeSize) {
        store = new NodeStore();
        long root = BTreeMap.Companion.putEmptyRoot$mapdb(store, PackedKeys.INSTANCE, Serializer.LONG);
        map = new BTreeMap<>(
                PackedKeys.INSTANCE,
                Serializer.LONG,
                root,
                store,
                true,
                maxNodeSize,
                PackedKeys.INSTANCE,
                false,
                0L,
                true,
                null);
    }

    BTreeMap<Object, Long> map() {
        return map;
    }

    int nodes() {
        return store.count();
    }

    long pageBytes() {
        return store.pageBytes();
    }

    /** Returns the keys from one on, in order, or from the first. Sees each key that stays exactly once. */
    Iterator<Map.Entry<Object, Long>> ascending(byte @Nullable [] from, boolean inclusive) {
        return map.entryIterator(from == null ? LEAST_KEY : from, from == null || inclusive, null, false);
    }

    /** Returns a walk down from a key. */
    Descent descending(byte[] from, boolean inclusive) {
        return new Descent(from, inclusive);
    }

    /** Returns a walk that goes on from where one of another tree is. */
    Descent descending(Descent other) {
        return new Descent(other.end, other.inclusive);
    }

    /**
     * A walk from high keys to low ones, a leaf at a time. MapDB has such an iterator, but it loses its way if nodes are
     * split meanwhile; this one only uses what is safe beside a writer, which is to search and to go up.
     */
    final class Descent {
        private byte[] end;
        private boolean inclusive;

        private Descent(byte[] end, boolean inclusive) {
            this.end = end;
            this.inclusive = inclusive;
        }

        /** Adds the next lower keys, in ascending order; adds none if there are no more. */
        void next(List<Map.Entry<Object, Long>> found) {
            while (found.isEmpty()) {
                PackedKeys.LeafProbe probe = new PackedKeys.LeafProbe(end);
                map.get(probe);
                // Any leaf but the leftmost starts with the highest key that its left neighbour may hold, which is
                // below
                // `end`. So if this is not below, there is nothing below.
                byte[] start = probe.firstKey();
                if (start == null || !isWithin(start)) {
                    return;
                }
                Iterator<Map.Entry<Object, Long>> entries = ascending(start, true);
                while (entries.hasNext()) {
                    Map.Entry<Object, Long> entry = entries.next();
                    if (!isWithin((byte[]) entry.getKey())) {
                        break;
                    }
                    found.add(entry);
                }
                end = start;
                inclusive = false;
            }
        }

        private boolean isWithin(byte[] key) {
            int order = Arrays.compareUnsigned(key, end);
            return order < 0 || (order == 0 && inclusive);
        }
    }
}
