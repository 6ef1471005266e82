package dev.caskwright.owner;

import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OrderedView;
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

    /** Returns the next piece of the stream, in parts that are not changed; null at its end; {@link #NOT_YET} if it is to come. */
    byte @Nullable [][] next() throws IOException;

    /** Gives back what the answer holds of the store. */
    @Override
    default void close() {}

    /** Returns an answer of one piece, or of none. */
    static Answer of(byte @Nullable [][] piece) {
        return new Answer() {
            private byte @Nullable [][] left = piece;

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
     * @throws IOException if the value is longer than a sixteenth of the heap: the owner would need that much for it
     */
    static Answer entry(StorageEngine store, byte[] key) throws IOException {
        long most = Runtime.getRuntime().maxMemory() / 16;
        int length = store.get(key, ByteBuffer.allocate(0));
        if (length > most) {
            throw new IOException("the value is longer than the owner of the store passes on: length=" + length
                    + ", limit=" + most + "; read it in the owner, or from a backup");
        }
        Entry entry = length == ReadView.ABSENT ? null : store.entry(key);
        return of(entry == null ? new byte[][] {{0}} : Wire.entry(entry));
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
            return entry == null ? new byte[][] {{0}} : Wire.entry(entry);
        }

        @Override
        public void close() {
            cursor.close();
        }
    }

    /** The changes after a version, read some at a time. */
    final class Changes implements Answer {
        private static final int MAX_HELD = 10_000;
        private static final long MAX_HELD_BYTES = 1 << 20; // and the one change that goes beyond it

        private final ChangeFeed feed;
        private final Deque<byte[][]> held = new ArrayDeque<>();
        private long version;
        private long left;
        private boolean isOver;

        Changes(StorageEngine store, long version, long limit) {
            this.feed = store.require(ChangeFeed.class);
            this.version = version;
            this.left = limit;
        }

        @Override
        public byte @Nullable [][] next() throws IOException {
            if (held.isEmpty() && !isOver) {
                read();
            }
            return held.poll();
        }

        private void read() throws IOException {
            if (left > 0) {
                long[] bytes = {0};
                boolean[] isCut = {false};
                feed.changes(version, change -> {
                    byte[][] piece = Wire.change(change);
                    held.add(piece);
                    for (byte[] part : piece) {
                        bytes[0] += part.length;
                    }
                    version = change.version();
                    isCut[0] = --left > 0 && (held.size() >= MAX_HELD || bytes[0] >= MAX_HELD_BYTES);
                    return left > 0 && !isCut[0];
                });
                isOver = !isCut[0];
            } else {
                isOver = true;
            }
            if (isOver) {
                held.add(new byte[][] {{0}});
            }
        }
    }
}
