package dev.caskwright.bitcask;

import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.RecordReader;
import dev.caskwright.api.spi.RecordScanner;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Visits every entry of a snapshot once, by reading the snapshot's files from start to end: a record is an entry if the
 * snapshot's locator of its key is where it lies. So values are read in the order of the disk, and no list of keys is
 * made. Records that lie in the scanner's buffer together are looked up together, so that the index overlaps its waits
 * for memory.
 *
 * <p>A merge may have moved a record since. Then its locator points to a file that the snapshot does not cover, and the
 * record is an entry if the versions are equal; the copy is not visited again, since its file is not covered.
 */
final class FullScan {
    private static final int BATCH = 256;

    private final Store store;
    private final Snapshots.Handle snapshot;
    private final Session session;

    // The records at hand: entries, once the index was asked. All lie in one array.
    private byte[] source = {};
    private final int[] keyOffsets = new int[BATCH];
    private final int[] keyLengths = new int[BATCH];
    private final int[] valueOffsets = new int[BATCH];
    private final int[] valueLengths = new int[BATCH];
    private final long[] versions = new long[BATCH];
    private final long[] expiries = new long[BATCH];
    private final long[] locators = new long[BATCH];
    private final long[] candidates = new long[BATCH];
    private int count;

    FullScan(Store store, Snapshots.Handle snapshot) {
        this.store = store;
        this.snapshot = snapshot;
        this.session = store.session();
    }

    void visit(EntryVisitor visitor) throws IOException {
        for (LogSegment file : snapshot.files) {
            if (file != null && snapshot.covers(file) && !visitFile(file, visitor)) {
                return;
            }
        }
    }

    private boolean visitFile(LogSegment file, EntryVisitor visitor) throws IOException {
        RecordScanner scanner = store.log.scan(file, snapshot.end(file));
        boolean more = true;
        while (more) {
            // The file itself stays because the snapshot pins it, but its handle may be exchanged when it is sealed.
            int pin = store.enter(session);
            try {
                checkOpen();
                more = fetch(scanner);
                keepEntries();
            } finally {
                store.exit(pin);
            }
            for (int i = 0; i < count; i++) {
                checkOpen();
                if (!visitor.visit(entry(i))) {
                    return false;
                }
            }
        }
        return true;
    }

    private void checkOpen() throws IOException {
        store.checkOpen();
        if (snapshot.closed) {
            throw Store.closedException();
        }
    }

    private Entry entry(int i) {
        byte[] key = Arrays.copyOfRange(source, keyOffsets[i], keyOffsets[i] + keyLengths[i]);
        byte[] value = Arrays.copyOfRange(source, valueOffsets[i], valueOffsets[i] + valueLengths[i]);
        return new Entry(key, value, versions[i], expiries[i]);
    }

    /** Takes the next puts that lie in the scanner's buffer together; returns whether there may be more. */
    private boolean fetch(RecordScanner scanner) throws IOException {
        count = 0;
        if (!scanner.next()) {
            return false;
        }
        source = scanner.buffer();
        do {
            if (scanner.isPut() && !hadExpired(scanner.expiresAt())) {
                keyOffsets[count] = scanner.keyOffset();
                keyLengths[count] = scanner.keyLength();
                valueOffsets[count] = scanner.valueOffset();
                valueLengths[count] = scanner.valueLength();
                versions[count] = scanner.version();
                expiries[count] = scanner.expiresAt();
                locators[count] = scanner.locator();
                count++;
            }
        } while (count < BATCH && scanner.nextInBuffer());
        return true;
    }

    private boolean hadExpired(long expiresAt) {
        return expiresAt != Entry.NEVER && expiresAt <= snapshot.nowMillis;
    }

    /** Drops what was not current when the snapshot was taken. */
    private void keepEntries() throws IOException {
        store.index.candidates(source, keyOffsets, keyLengths, count, candidates);
        int kept = 0;
        for (int i = 0; i < count; i++) {
            // If the index refers to the very record, it has its key, and it has not changed since: the index moves to
            // later records only.
            if (candidates[i] == locators[i] || isEntry(i)) {
                move(i, kept++);
            }
        }
        count = kept;
    }

    private boolean isEntry(int i) throws IOException {
        long locator = snapshot.locate(store.index, source, keyOffsets[i], keyLengths[i]);
        if (locator == locators[i]) {
            return true;
        }
        return locator != KeyIndex.ABSENT
                && !snapshot.covers(store.log.segment(locator))
                && isSameVersion(locator, versions[i], keyLengths[i]);
    }

    private boolean isSameVersion(long locator, long version, int keyLength) throws IOException {
        RecordReader reader = session.reader;
        reader.readKey(locator, keyLength);
        return reader.version() == version;
    }

    private void move(int from, int to) {
        if (from != to) {
            keyOffsets[to] = keyOffsets[from];
            keyLengths[to] = keyLengths[from];
            valueOffsets[to] = valueOffsets[from];
            valueLengths[to] = valueLengths[from];
            versions[to] = versions[from];
            expiries[to] = expiries[from];
        }
    }

    /** Visits what a view shows, through a snapshot of its own if it has none. */
    static void visit(Store store, Snapshots.@Nullable Handle snapshot, EntryVisitor visitor) throws IOException {
        if (snapshot != null) {
            new FullScan(store, snapshot).visit(visitor);
            return;
        }
        Snapshots.Handle own = store.snapshots.open();
        try {
            new FullScan(store, own).visit(visitor);
        } finally {
            store.snapshots.close(own);
        }
    }
}
