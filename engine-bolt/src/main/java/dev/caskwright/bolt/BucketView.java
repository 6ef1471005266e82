package dev.caskwright.bolt;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What can be read of a bucket: its latest state, or that of one moment. A name that has a bucket is no key. */
abstract class BucketView implements ReadView, OrderedView {
    private final List<byte[]> path;

    BucketView(List<byte[]> path) {
        this.path = path;
    }

    /** Reads something of a bucket. */
    @FunctionalInterface
    interface Read<T> {
        @Nullable T of(Bucket bucket) throws IOException;
    }

    /** Reads something of the state that this view shows now. */
    abstract <T> @Nullable T read(Read<T> read) throws IOException;

    final boolean is(Read<Boolean> read) throws IOException {
        return Boolean.TRUE.equals(read(read));
    }

    final List<byte[]> path() {
        return path;
    }

    /** Returns the view's bucket within a transaction. */
    final Bucket bucket(BoltTransaction transaction) throws IOException {
        Bucket bucket = transaction.root();
        for (byte[] name : path) {
            bucket = bucket.bucket(name);
            if (bucket == null) {
                throw new EngineClosedException("the space was dropped: bucket=" + describe(path));
            }
        }
        return bucket;
    }

    static String describe(List<byte[]> path) {
        StringBuilder text = new StringBuilder();
        for (byte[] name : path) {
            text.append(text.isEmpty() ? "" : "/").append(Bucket.describe(name));
        }
        return text.toString();
    }

    static void checkKey(byte[] key) {
        if (key.length == 0 || key.length > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "a key has 1 to " + StorageEngine.MAX_KEY_LENGTH + " bytes: length=" + key.length);
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        checkKey(key);
        return read(bucket -> bucket.get(key));
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        checkKey(key);
        return Objects.requireNonNull(read(bucket -> {
            ByteView value = bucket.view(key);
            if (value == null) {
                return ABSENT;
            }
            if (value.length() <= target.remaining()) {
                value.copyTo(target);
            }
            return value.length();
        }));
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        checkKey(key);
        return is(bucket -> bucket.contains(key));
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        byte[] value = get(key);
        return value == null ? null : new Entry(key.clone(), value, Entry.NO_VERSION, Entry.NEVER);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        read(bucket -> {
            BoltCursor cursor = bucket.cursor();
            boolean goesOn = true;
            for (boolean isThere = cursor.first(); goesOn && isThere; isThere = cursor.next()) {
                byte[] value = cursor.value();
                if (value != null) {
                    goesOn = visitor.visit(new Entry(cursor.key(), value, Entry.NO_VERSION, Entry.NEVER));
                }
            }
            return goesOn;
        });
    }
}
