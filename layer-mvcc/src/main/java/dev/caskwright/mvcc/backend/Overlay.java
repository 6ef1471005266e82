package dev.caskwright.mvcc.backend;

import dev.caskwright.mvcc.map.MapCursor;
import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes that lie over a store: values of keys, and {@link #REMOVED} for keys that are removed. Immutable.
 *
 * @param maps by bucket
 * @param changes how many changes were made to come to this one, at least as many as there are keys
 * @param bytes the length of keys and values that those had
 */
@SuppressWarnings("ArrayRecordComponent") // never changed after it was made
record Overlay(PersistentMap<byte[]>[] maps, long changes, long bytes) {
    /** Stands for a key that is removed; known by its identity. */
    @SuppressWarnings("MutablePublicArray") // it is empty
    static final byte[] REMOVED = new byte[0];

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of them cannot be made otherwise
    static Overlay empty(int buckets) {
        PersistentMap<byte[]>[] maps = new PersistentMap[buckets];
        for (int i = 0; i < buckets; i++) {
            maps[i] = PersistentMap.empty();
        }
        return new Overlay(maps, 0, 0);
    }

    boolean isEmpty() {
        return changes == 0;
    }

    /** Returns the value that this has for a key: {@link #REMOVED} if it is removed, null if it has none. */
    byte @Nullable [] get(Bucket bucket, byte[] key) {
        return maps[bucket.index()].get(key);
    }

    PersistentMap<byte[]> map(Bucket bucket) {
        return maps[bucket.index()];
    }

    /** Shows all changes as an engine takes them. */
    OrderedStore.Changes asChanges(List<Bucket> buckets) {
        return visitor -> {
            for (Bucket bucket : buckets) {
                if (map(bucket).size() > 0) {
                    visitor.bucket(bucket);
                    visit(bucket, visitor);
                }
            }
        };
    }

    private void visit(Bucket bucket, OrderedStore.Changes.Visitor visitor) throws IOException {
        MapCursor<byte[]> cursor = map(bucket).cursor();
        for (boolean isThere = cursor.seek(null); isThere; isThere = cursor.next()) {
            byte[] value = cursor.value();
            visitor.change(cursor.key(), value == REMOVED ? null : value);
        }
    }
}
