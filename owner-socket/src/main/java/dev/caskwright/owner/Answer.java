package dev.caskwright.owner;

import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.StorageEngine;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The answer to a request, made piece by piece as the client takes it. For one thread. */
interface Answer extends Closeable {
    /** What {@link #next} returns while there is nothing yet. */
    byte[][] NOT_YET = {};

    /** How many of the longest values that are passed on fill the heap. */
    int HEAP_PER_VALUE = 16;

    /** A longer value counts as much: few visits at once may hold one. */
    int MUCH = 1 << 20;

    /** Returns the next piece of the stream, in parts that are not changed; null at its end; {@link #NOT_YET} if it is to come. */
    byte @Nullable [][] next() throws IOException;

    /** Returns whether the answer holds a moment of the store, or a value that is long. */
    default boolean holdsMuch() {
        return true;
    }

    /** Gives back what the answer holds of the store. */
    @Override
    default void close() {}

    /** Returns an answer of one piece, or of none. */
    static Answer of(byte @Nullable [][] piece) {
        return of(piece, false);
    }

    private static Answer of(byte @Nullable [][] piece, boolean isMuch) {
        return new Answer() {
            private byte @Nullable [][] left = piece;

            @Override
            public boolean holdsMuch() {
                return isMuch;
            }

            @Override
            public byte @Nullable [][] next() {
                byte[][] result = left;
                left = null;
                return result;
            }
        };
    }

    /**
     * Returns the value of a key: whether there is one, and the entry.
     *
     * @param mayHoldMuch whether the value may be a long one
     * @throws IOException if the value is long and must not be, or longer than a sixteenth of the heap: the owner would need that
     *     much for it
     */
    static Answer entry(StorageEngine store, byte[] key, boolean mayHoldMuch) throws IOException {
        int length = store.get(key, ByteBuffer.allocate(0));
        requirePassable(length);
        if (length > MUCH && !mayHoldMuch) {
            throw tooMuch();
        }
        Entry entry = length == ReadView.ABSENT ? null : store.entry(key);
        return of(entry == null ? new byte[][] {{0}} : Wire.entry(entry), length > MUCH);
    }

    /** Returns what is told to clients while others hold as much of the owner's memory or files as they may. */
    static EngineException tooMuch() {
        return new EngineException(
                ErrorCode.UNAVAILABLE,
                Outcome.NOT_APPLIED,
                "the owner answers as many scans, and reads of long values, as it may: limit=" + OwnerThread.MAX_STREAMS
                        + "; ask again later",
                null);
    }

    /** Refuses a value that would take too much of the owner's heap until a slow client has taken it. */
    private static void requirePassable(int length) throws IOException {
        long most = Runtime.getRuntime().maxMemory() / HEAP_PER_VALUE;
        if (length > most) {
            throw new IOException("the value is longer than the owner of the store passes on: length=" + length
                    + ", limit=" + most + "; read it in the owner, or from a backup");
        }
    }

    /** A walk over entries, in order or not. */
    final class Scan implements Answer {
        private final Cursor cursor;
        private long left;
        private boolean isOver;

        private Scan(Cursor cursor, long limit) {
            this.cursor = cursor;
            this.left = limit;
        }

        static Scan ordered(StorageEngine store, Range range) throws IOException {
            return new Scan(store.require(OrderedView.class).range(range), Long.MAX_VALUE);
        }

        static Scan unordered(StorageEngine store, long limit) throws IOException {
            return new Scan(store.cursor(), limit);
        }

        @Override
        public byte @Nullable [][] next() throws IOException {
            if (isOver) {
                return null;
            }
            Entry entry = left-- > 0 ? cursor.next() : null;
            isOver = entry == null;
            if (entry != null) {
                requirePassable(entry.value().length);
            }
            return entry == null ? new byte[][] {{0}} : Wire.entry(entry);
        }

        @Override
        public void close() {
            cursor.close();
        }
    }

    /** The changes after a version, read some at a time. */
    final class Changes implements Answer {
        /**
         * How much is read at once, and the one change that goes beyond it: much, because each reading looks for its place from
         * the start of a file, and little, because it is the owner's memory.
         */
        private static final long MAX_HELD_BYTES =
                Math.max(1 << 20, Math.min(16 << 20, Runtime.getRuntime().maxMemory() / 128));

        private static final long BYTES_PER_CHANGE = 200; // that are held besides those that are sent

        private final ChangeFeed feed;
        private final Deque<byte[][]> held = new ArrayDeque<>();
        private final boolean isOfStore;
        private ChangeFeed.Moment after;
        private boolean isOver;

        /**
         * @param isOfStore whether the moment must be one of this store; if not, its version alone counts
         */
        Changes(StorageEngine store, boolean isOfStore, ChangeFeed.Moment after) {
            this.feed = store.require(ChangeFeed.class);
            this.isOfStore = isOfStore;
            this.after = after;
        }

        @Override
        public byte @Nullable [][] next() throws IOException {
            if (held.isEmpty() && !isOver) {
                read();
            }
            return held.poll();
        }

        private void read() throws IOException {
            long[] bytes = {0};
            isOver = true;
            ChangeVisitor visitor = change -> {
                byte[] value = change.value();
                if (value != null) {
                    requirePassable(value.length);
                }
                byte[][] piece = Wire.change(change);
                held.add(piece);
                bytes[0] += BYTES_PER_CHANGE;
                for (byte[] part : piece) {
                    bytes[0] += part.length;
                }
                after = change.moment();
                isOver = bytes[0] < MAX_HELD_BYTES;
                return isOver;
            };
            if (isOfStore) {
                feed.changes(after, visitor);
            } else {
                feed.changes(after.version(), visitor);
            }
            if (isOver) {
                held.add(new byte[][] {{0}});
            }
        }
    }
}
