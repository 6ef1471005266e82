package dev.caskwright.moss;

import dev.caskwright.api.Entry;
import dev.caskwright.api.Snapshot;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.LayerCursor;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.RangeSet;
import dev.caskwright.moss.memory.Resolver;
import dev.caskwright.moss.memory.Segment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a lower level that has no order, in order: segments without values, which take the key and some 30 bytes
 * an entry. Each write below adds one with what it changed; when there are many they are joined. Immutable.
 */
final class HeldKeys {
    private static final int MOST_SEGMENTS = 8;
    private static final long ENTRY_BYTES = 30;
    private static final byte[] NOTHING = {};

    private final long maxBytes;
    private final List<Segment> newestFirst;

    private HeldKeys(long maxBytes, List<Segment> newestFirst) {
        this.maxBytes = maxBytes;
        this.newestFirst = newestFirst;
    }

    /** Reads all keys of a lower level. */
    static HeldKeys of(Snapshot snapshot, long maxBytes) throws IOException {
        List<byte[]> keys = new ArrayList<>();
        long[] bytes = {0};
        try (var cursor = snapshot.cursor()) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                bytes[0] += entry.key().length + ENTRY_BYTES;
                check(bytes[0], maxBytes);
                keys.add(entry.key());
            }
        }
        keys.sort(Arrays::compareUnsigned);
        Segment.Builder builder = new Segment.Builder();
        for (byte[] key : keys) {
            builder.add(Kind.PUT, key, 0, key.length, NOTHING, 0, 0, 1, 0);
        }
        return new HeldKeys(maxBytes, List.of(builder.build(RangeSet.EMPTY, 1, 1, true)));
    }

    private static void check(long bytes, long maxBytes) throws MossException {
        if (bytes > maxBytes) {
            throw new MossException(
                    MossException.Reason.KEYS_NOT_HELD,
                    "the lower level has no order, and its keys do not fit into memory: needed=" + bytes + ", limit="
                            + maxBytes + "; raise maxHeldKeyBytes, or use an ordered engine below");
        }
    }

    long bytes() {
        long bytes = 0;
        for (Segment segment : newestFirst) {
            bytes += segment.bytes();
        }
        return bytes;
    }

    /** Returns the keys after some were deleted and then others put or deleted. */
    HeldKeys with(List<byte[]> deleted, Segment changed) throws IOException {
        List<Segment> more = new ArrayList<>();
        more.add(changed);
        if (!deleted.isEmpty()) {
            TreeSet<byte[]> sorted = new TreeSet<>(Arrays::compareUnsigned);
            sorted.addAll(deleted);
            Segment.Builder builder = new Segment.Builder();
            for (byte[] key : sorted) {
                builder.add(Kind.DELETE, key, 0, key.length, NOTHING, 0, 0, 1, 0);
            }
            more.add(builder.build(RangeSet.EMPTY, 1, 1, true));
        }
        more.addAll(newestFirst);
        HeldKeys next = new HeldKeys(maxBytes, more);
        if (more.size() > MOST_SEGMENTS || next.bytes() > maxBytes) {
            next = next.joined();
        }
        check(next.bytes(), maxBytes);
        return next;
    }

    private HeldKeys joined() throws IOException {
        Segment.Builder builder = new Segment.Builder();
        MergingCursor cursor = cursor(false);
        cursor.start();
        while (cursor.next()) {
            builder.add(Kind.PUT, cursor.keySource(), cursor.keyOffset(), cursor.keyLength(), NOTHING, 0, 0, 1, 0);
        }
        return new HeldKeys(maxBytes, List.of(builder.build(RangeSet.EMPTY, 1, 1, true)));
    }

    private MergingCursor cursor(boolean isDescending) {
        List<MergingCursor.Source> sources = new ArrayList<>();
        for (Segment segment : newestFirst) {
            sources.add(new MergingCursor.Source(segment.cursor(Long.MAX_VALUE), RangeSet.EMPTY));
        }
        return new MergingCursor(sources, isDescending, true, new NoOperands());
    }

    /** Adds the keys within a range. */
    void collect(byte[] from, byte[] to, List<byte[]> found) throws IOException {
        MergingCursor cursor = cursor(false);
        cursor.startAt(from);
        while (cursor.next() && cursor.compareKey(to) < 0) {
            found.add(cursor.key());
        }
    }

    /** Held keys are put or deleted, never merged. */
    private static final class NoOperands implements Resolver {
        @Override
        public byte[] resolve(byte[] key, byte @Nullable [] base, List<byte[]> operands) {
            throw new IllegalStateException("a held key has operands: count=" + operands.size());
        }

        @Override
        public List<byte[]> join(byte[] key, List<byte[]> operands) {
            throw new IllegalStateException("a held key has operands: count=" + operands.size());
        }
    }

    /** A walk over the keys that fetches each value from the lower level. */
    static final class Cursor extends LayerCursor {
        private final HeldKeys keys;
        private final Snapshot snapshot;
        private @Nullable MergingCursor cursor;

        Cursor(HeldKeys keys, Snapshot snapshot) {
            this.keys = keys;
            this.snapshot = snapshot;
        }

        private boolean open(boolean isDescending, byte @Nullable [] key) throws IOException {
            MergingCursor next = keys.cursor(isDescending);
            cursor = next;
            if (key == null) {
                next.start();
            } else {
                next.startAt(key);
            }
            return step();
        }

        private boolean step() throws IOException {
            MergingCursor present = cursor;
            if (present == null || !present.next()) {
                return false;
            }
            keySource = present.key();
            keyOffset = 0;
            keyLength = keySource.length;
            byte[] stored = snapshot.get(keySource);
            if (stored == null) {
                throw new MossException(
                        MossException.Reason.LOWER_LEVEL_CHANGED,
                        "a key of the lower level is gone that nobody deleted here: length=" + keyLength);
            }
            valueSource = stored;
            valueOffset = StoredValue.valueOffset(stored);
            valueLength = stored.length - valueOffset;
            version = StoredValue.version(stored);
            kind = Kind.PUT;
            return true;
        }

        @Override
        public boolean first() throws IOException {
            return open(false, null);
        }

        @Override
        public boolean last() throws IOException {
            return open(true, null);
        }

        @Override
        public boolean atOrAfter(byte[] key) throws IOException {
            return open(false, key);
        }

        @Override
        public boolean before(byte[] key) throws IOException {
            return open(true, key);
        }

        @Override
        public boolean next() throws IOException {
            return step();
        }

        @Override
        public boolean previous() throws IOException {
            return step();
        }
    }
}
