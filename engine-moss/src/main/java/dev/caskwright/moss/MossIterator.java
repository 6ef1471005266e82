package dev.caskwright.moss;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Range;
import dev.caskwright.moss.memory.Keys;
import dev.caskwright.moss.memory.MergingCursor;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A walk over the entries of one collection in the order of their keys, as of one moment. For one thread; the caller
 * closes it. Closing it twice is fine; so is closing the engine first.
 */
public final class MossIterator implements Closeable {
    private final Store store;
    private final ViewSource source;
    private final View view;
    private final MergingCursor cursor;
    private final int prefixLength;
    private final byte[] prefix;
    private final boolean isDescending;
    private final byte[] from; // inclusive
    private final byte[] to; // exclusive
    private final Runnable holder = this::close;
    private volatile boolean isClosed;
    private boolean isStarted;
    private boolean isThere;
    private long left;

    private byte @Nullable [] keyOwner;
    private ByteBuffer keyView = ByteBuffer.allocate(0);
    private byte @Nullable [] valueOwner;
    private ByteBuffer valueView = keyView;

    /** Makes an iterator over a view whose bottom is held for it; closing lets go of it. */
    MossIterator(ViewSource source, View view, byte[] prefix, Range range) throws IOException {
        this.source = source;
        this.store = view.store;
        this.view = view;
        this.prefix = prefix;
        this.prefixLength = prefix.length;
        this.isDescending = range.isDescending();
        this.left = range.limit();
        Range up = range.descending(false);
        Range down = range.descending(true);
        byte[] lower = up.start();
        byte[] upper = down.start();
        this.from = lower == null ? prefix : bound(lower, !up.isStartInclusive());
        this.to = upper == null ? end(prefix) : bound(upper, down.isStartInclusive());
        this.cursor = view.cursor(isDescending);
        store.holders.add(holder);
        if (store.isClosed()) {
            close();
        }
    }

    private byte[] bound(byte[] key, boolean isAfter) {
        byte[] whole = KeySpace.key(prefix, key);
        return isAfter ? Keys.after(whole) : whole;
    }

    private static byte[] end(byte[] prefix) {
        byte[] end = Keys.endOfPrefix(prefix);
        if (end == null) {
            throw new IllegalStateException("prefix has no end: first=" + prefix[0]);
        }
        return end;
    }

    /** Moves to the next entry in the iterator's direction; returns whether there is one. */
    public boolean next() throws IOException {
        ensureOpen();
        isThere = false;
        if (left <= 0) {
            return false;
        }
        if (!isStarted) {
            isStarted = true;
            cursor.startAt(isDescending ? to : from);
        }
        if (!cursor.next() || !isInRange()) {
            left = 0;
            return false;
        }
        left--;
        isThere = true;
        return true;
    }

    private boolean isInRange() {
        return isDescending ? cursor.compareKey(from) >= 0 : cursor.compareKey(to) < 0;
    }

    /**
     * Goes to a key: the next call of {@link #next} moves to the first entry, in the iterator's direction, that is not
     * before this key. It may be a step back. Keys outside of the range are taken for its nearest bound. A limit goes
     * on counting.
     */
    public void seek(byte[] key) throws IOException {
        ensureOpen();
        byte[] target = bound(key, isDescending);
        if (isDescending) {
            cursor.startAt(Arrays.compareUnsigned(target, to) > 0 ? to : target);
        } else {
            cursor.startAt(Arrays.compareUnsigned(target, from) < 0 ? from : target);
        }
        isStarted = true;
        isThere = false;
    }

    /** Returns a copy of the present key. */
    public byte[] key() {
        ensureThere();
        int offset = cursor.keyOffset() + prefixLength;
        return Arrays.copyOfRange(cursor.keySource(), offset, cursor.keyOffset() + cursor.keyLength());
    }

    /** Returns a copy of the present value. */
    public byte[] value() {
        ensureThere();
        return cursor.value();
    }

    /** Returns the present key where it is, to be read until the next move. The same buffer may be returned again. */
    public ByteBuffer keyView() {
        ensureThere();
        byte[] source = cursor.keySource();
        if (source != keyOwner) {
            keyOwner = source;
            keyView = ByteBuffer.wrap(source).asReadOnlyBuffer();
        }
        int offset = cursor.keyOffset();
        return keyView.limit(offset + cursor.keyLength()).position(offset + prefixLength);
    }

    /** Returns the present value where it is, to be read until the next move. The same buffer may be returned again. */
    public ByteBuffer valueView() {
        ensureThere();
        byte[] source = cursor.valueSource();
        if (source != valueOwner) {
            valueOwner = source;
            valueView = ByteBuffer.wrap(source).asReadOnlyBuffer();
        }
        int offset = cursor.valueOffset();
        return valueView.limit(offset + cursor.valueLength()).position(offset);
    }

    /** Returns the version of the write that made the entry what it is. */
    public long version() {
        ensureThere();
        return cursor.version();
    }

    private void ensureThere() {
        if (!isThere) {
            throw new IllegalStateException("iterator is at no entry: call next() first, and heed its answer");
        }
    }

    private void ensureOpen() throws EngineClosedException {
        if (isClosed || !source.isOpen()) {
            throw new EngineClosedException("iterator, or what it was opened from, is closed");
        }
    }

    @Override
    public void close() {
        if (store.holders.remove(holder)) {
            isClosed = true;
            cursor.close();
            view.stack.bottom.release();
        }
    }
}
