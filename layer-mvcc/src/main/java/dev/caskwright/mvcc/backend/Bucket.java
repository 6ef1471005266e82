package dev.caskwright.mvcc.backend;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Names a set of keys of its own within a store.
 *
 * <p>Immutable. A store's buckets are told to {@link BatchedBackend} when it is opened, each with another index.
 */
public final class Bucket {
    /** The greatest length of a name, in bytes. */
    public static final int MAX_NAME_LENGTH = 255;

    private final int index;
    private final byte[] name;
    private final boolean isAppended;

    /**
     * Names a bucket.
     *
     * @param index its place among the buckets of the store, from 0 on
     * @param isAppended whether most keys are greater than all before them: then pages are filled nearly whole
     */
    public Bucket(int index, String name, boolean isAppended) {
        this.index = index;
        this.name = name.getBytes(StandardCharsets.UTF_8);
        this.isAppended = isAppended;
        if (index < 0 || this.name.length == 0 || this.name.length > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException("a bucket has an index of 0 or more and a name of 1 to "
                    + MAX_NAME_LENGTH + " bytes: index=" + index + ", name=" + name);
        }
    }

    /** Returns the place among the buckets of the store. */
    public int index() {
        return index;
    }

    /** Returns a copy of the name's bytes. */
    public byte[] name() {
        return name.clone();
    }

    /** Returns whether most keys are greater than all before them. */
    public boolean isAppended() {
        return isAppended;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Bucket bucket && bucket.index == index && Arrays.equals(bucket.name, name);
    }

    @Override
    public int hashCode() {
        return index;
    }

    @Override
    public String toString() {
        return new String(name, StandardCharsets.UTF_8);
    }
}
