package dev.caskwright.api;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts and deletes that are applied all or none. A batch belongs to one thread while it is built, blocks nobody, and can
 * be written more than once. The last change to a key wins. Arrays are copied.
 */
public final class WriteBatch {
    /**
     * One change of a batch.
     *
     * @param value the new value, or null for a delete
     * @param expiry when a put expires; its durability is ignored
     */
    @SuppressWarnings("ArrayRecordComponent") // holders of arrays are not compared
    public record Change(byte[] key, byte @Nullable [] value, WriteOptions expiry) {}

    private final Map<Key, Change> changes = new LinkedHashMap<>();

    /** Makes an empty batch. */
    public WriteBatch() {}

    /** Adds a put without expiry. */
    public WriteBatch put(byte[] key, byte[] value) {
        return put(key, value, WriteOptions.DEFAULT);
    }

    /** Adds a put that expires as {@code expiry} says; the durability is that of the whole batch. */
    public WriteBatch put(byte[] key, byte[] value, WriteOptions expiry) {
        return add(new Change(key.clone(), value.clone(), Objects.requireNonNull(expiry)));
    }

    /** Adds a delete. */
    public WriteBatch delete(byte[] key) {
        return add(new Change(key.clone(), null, WriteOptions.DEFAULT));
    }

    /** Returns the number of keys that the batch changes. */
    public int size() {
        return changes.size();
    }

    /** Returns the changes, one a key, in the order in which their keys were last named. */
    public List<Change> changes() {
        return new ArrayList<>(changes.values());
    }

    /** Forgets all changes. */
    public void clear() {
        changes.clear();
    }

    private WriteBatch add(Change change) {
        Key key = new Key(change.key());
        if (changes.put(key, change) != null) {
            // A map keeps the place of a key: the change goes to the end.
            changes.remove(key);
            changes.put(key, change);
        }
        return this;
    }

    /** A key with its hash. Comparable, so that keys chosen to have one hash do not make a map slow. */
    private static final class Key implements Comparable<Key> {
        private final byte[] bytes;
        private final int hash;

        Key(byte[] bytes) {
            this.bytes = bytes;
            this.hash = Arrays.hashCode(bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && hash == key.hash && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int compareTo(Key other) {
            return Arrays.compareUnsigned(bytes, other.bytes);
        }
    }
}
