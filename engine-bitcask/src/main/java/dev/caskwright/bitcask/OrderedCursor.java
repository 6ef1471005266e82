package dev.caskwright.bitcask;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Range;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.OrderedKeyIndex;
import dev.caskwright.api.spi.RecordReader;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A walk along an ordered index. It reads ahead in pieces, each within one read epoch, and goes on behind the last key it
 * saw; so it holds nothing between calls that a merge would have to wait for. Pieces grow, unless the range says how many
 * entries are wanted.
 */
final class OrderedCursor implements Cursor {
    private static final int FIRST_PIECE = 16;
    private static final int LARGEST_PIECE = 128;
    private static final int PIECE_BYTES = 256 << 10;
    private static final Comparator<byte[]> UNSIGNED = Arrays::compareUnsigned;

    private final Store store;
    private final OrderedKeyIndex index;
    private final Range range;
    private final Snapshots.@Nullable Handle snapshot;
    private final ArrayDeque<Entry> ahead = new ArrayDeque<>();
    private int pieceSize;
    private long wanted;
    private byte @Nullable [] last;
    private boolean lastInclusive;
    private boolean atEnd;
    private boolean closed;

    OrderedCursor(Store store, OrderedKeyIndex index, Range range, Snapshots.@Nullable Handle snapshot) {
        this.store = store;
        this.index = index;
        this.range = range;
        this.snapshot = snapshot;
        this.last = range.start();
        this.lastInclusive = range.isStartInclusive();
        this.wanted = range.limit();
        this.pieceSize = wanted == Long.MAX_VALUE ? FIRST_PIECE : (int) Math.min(LARGEST_PIECE, wanted);
    }

    @Override
    public @Nullable Entry next() throws IOException {
        if (closed || (snapshot != null && snapshot.closed)) {
            throw new EngineClosedException("the cursor is closed");
        }
        while (ahead.isEmpty() && !atEnd && wanted > 0) {
            readAhead();
        }
        return ahead.poll();
    }

    private void readAhead() throws IOException {
        Session session = store.enter();
        try {
            if (snapshot == null) {
                readLatest(session);
            } else {
                readSnapshot(session, snapshot);
            }
        } finally {
            store.exit(session);
        }
        pieceSize = Math.min(LARGEST_PIECE, pieceSize * 2);
    }

    private void readLatest(Session session) throws IOException {
        int[] left = {(int) Math.min(pieceSize, wanted), PIECE_BYTES};
        atEnd = true; // unless the visitor stops the scan
        index.scan(last, lastInclusive, range.isDescending(), (key, locator) -> {
            if (!range.isBeforeEnd(key)) {
                return false;
            }
            add(session.reader, key, locator, left);
            if (left[0] > 0 && left[1] > 0) {
                return true;
            }
            goOnBehind(key);
            return false;
        });
    }

    private void readSnapshot(Session session, Snapshots.Handle of) throws IOException {
        byte[] from = last;
        boolean inclusive = lastInclusive;
        TreeMap<byte[], Long> piece = new TreeMap<>(UNSIGNED);
        atEnd = true; // unless the visitor stops the scan
        index.scan(from, inclusive, range.isDescending(), (key, locator) -> {
            if (!range.isBeforeEnd(key)) {
                return false;
            }
            piece.put(key, locator);
            if (piece.size() < pieceSize) {
                return true;
            }
            goOnBehind(key);
            return false;
        });
        // After the index: a change that the scan saw was saved before.
        addUndone(of.undo, from, inclusive, atEnd ? null : last, piece);
        int[] left = {Integer.MAX_VALUE, Integer.MAX_VALUE};
        for (Map.Entry<byte[], Long> each : (range.isDescending() ? piece.descendingMap() : piece).entrySet()) {
            if (wanted > 0 && each.getValue() != KeyIndex.ABSENT && range.isBeforeEnd(each.getKey())) {
                add(session.reader, each.getKey(), each.getValue(), left);
            }
        }
    }

    private void goOnBehind(byte[] key) {
        last = key.clone(); // the array itself is the caller's, in an entry
        lastInclusive = false;
        atEnd = false;
    }

    /** Puts what was saved for the keys from {@code from} to {@code to} over what the index has, the oldest last. */
    private void addUndone(
            Undo undo, byte @Nullable [] from, boolean inclusive, byte @Nullable [] to, Map<byte[], Long> piece) {
        Undo later = undo.next; // before the map, as in Undo.find
        if (later != null) {
            addUndone(later, from, inclusive, to, piece);
        }
        if (range.isDescending()) {
            undo.map.copyRange(to, true, from, inclusive, piece);
        } else {
            undo.map.copyRange(from, inclusive, to, true, piece);
        }
    }

    private void add(RecordReader reader, byte[] key, long locator, int[] left) throws IOException {
        reader.read(locator);
        long expiresAt = reader.expiresAt();
        long version = reader.version();
        if (snapshot == null ? store.clock.hasPassed(expiresAt, version) : snapshot.hadExpired(expiresAt, version)) {
            return;
        }
        int length = reader.valueLength();
        if (!reader.hasKey(key, 0, key.length)) {
            throw reader.wrongKey();
        }
        ahead.add(new Entry(key, reader.value(), version, expiresAt));
        wanted--;
        left[0]--;
        left[1] -= length;
    }

    @Override
    public void close() {
        closed = true;
        ahead.clear();
    }
}
