package dev.caskwright.bitcask.read;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Range;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import dev.caskwright.bitcask.undo.KeyPiece;
import dev.caskwright.bitcask.undo.Undo;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A walk along an ordered index. It reads ahead in pieces, each within one read epoch, and goes on after the last key it
 * saw; so it holds nothing between calls that a merge would have to wait for. Pieces grow, unless the range says how many
 * entries are wanted, up to a bound on keys and one on the bytes of values.
 */
final class OrderedCursor implements Cursor {
    private static final int FIRST_PIECE = 16;
    private static final int LARGEST_PIECE = 128;
    private static final int PIECE_BYTES = 256 << 10;

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

    // The piece at hand.
    private byte[][] keys = {};
    private long[] locators = {};
    private int count;
    private int done;
    private int bytesLeft;

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

    /** Asks the index for all of a piece before it reads a record, so that waits for memory overlap. */
    private void readLatest(Session session) throws IOException {
        int most = (int) Math.min(pieceSize, wanted);
        if (keys.length < most) {
            keys = new byte[most][];
            locators = new long[most];
        }
        count = 0;
        atEnd = true; // unless the visitor stops the scan
        index.scan(last, lastInclusive, range.isDescending(), (key, locator) -> {
            if (!range.isBeforeEnd(key)) {
                return false;
            }
            keys[count] = key;
            locators[count++] = locator;
            if (count < most) {
                return true;
            }
            goOnBehind(key);
            return false;
        });
        bytesLeft = PIECE_BYTES;
        done = 0;
        try {
            if (!liesInOrder()) {
                readTogether(session.reader);
            }
            for (; done < count && bytesLeft > 0; done++) {
                session.reader.read(locators[done]);
                add(session.reader, keys[done]);
            }
        } finally {
            if (done < count) { // after damage, too, which is met again then
                goOnFrom(keys[done]);
            }
        }
    }

    /** Reads records that are fetched together, up to one that is too long for that. */
    private void readTogether(RecordReader reader) throws IOException {
        try {
            while (done < count && bytesLeft > 0) {
                int looked = reader.readAll(locators, done, count - done);
                for (int i = 0; i < looked && bytesLeft > 0; i++) {
                    if (!reader.open(i)) {
                        return;
                    }
                    add(reader, keys[done]);
                    done++;
                }
            }
        } finally {
            reader.closeAll();
        }
    }

    /** Returns whether the records lie one after the other, most of them: then the reader fetches what follows with each. */
    private boolean liesInOrder() {
        int ascending = 0;
        for (int i = 1; i < count; i++) {
            ascending += locators[i] > locators[i - 1] ? 1 : 0;
        }
        return 4 * ascending >= 3 * (count - 1);
    }

    private void readSnapshot(Session session, Snapshots.Handle of) throws IOException {
        KeyPiece piece = new KeyPiece(last, lastInclusive, range.isDescending(), range::isBeforeEnd, pieceSize);
        int[] count = {0};
        index.scan(last, lastInclusive, range.isDescending(), (key, locator) -> {
            if (piece.isBehindEnd(key)) {
                return false;
            }
            piece.put(key, locator);
            if (++count[0] == pieceSize) {
                piece.cutBehind(key);
            }
            return count[0] < pieceSize;
        });
        // After the index: a change that the scan saw was saved before.
        addUndone(of.undo, piece);
        of.checkOpen(); // after both: changes since it was closed have not been saved
        byte[] end = piece.end();
        atEnd = end == null;
        if (end != null) {
            goOnBehind(end);
        }
        bytesLeft = PIECE_BYTES;
        for (Map.Entry<byte[], Long> each : piece.keys().entrySet()) {
            if (wanted <= 0) {
                return;
            }
            if (bytesLeft <= 0) {
                goOnFrom(each.getKey());
                return;
            }
            if (each.getValue() != KeyIndex.ABSENT) {
                session.reader.read(each.getValue());
                add(session.reader, each.getKey());
            }
        }
    }

    private void goOnBehind(byte[] key) {
        goOnFrom(key);
        lastInclusive = false;
    }

    private void goOnFrom(byte[] key) {
        last = key.clone(); // the array itself is the caller's, in an entry
        lastInclusive = true;
        atEnd = false;
    }

    /** Puts what was saved over what the index has, the oldest last. */
    private static void addUndone(Undo undo, KeyPiece piece) {
        Undo later = undo.next; // before the map, as in Undo.find
        if (later != null) {
            addUndone(later, piece);
        }
        undo.map.addTo(piece);
    }

    /** Adds the record that the reader is at. */
    private void add(RecordReader reader, byte[] key) throws IOException {
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
        bytesLeft -= length;
    }

    @Override
    public void close() {
        closed = true;
        ahead.clear();
    }
}
