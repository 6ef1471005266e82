package dev.caskwright.bitcask;

import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.RecordReader;
import dev.caskwright.api.spi.RecordScanner;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Visits every entry of a snapshot once, by reading the snapshot's files from start to end: a record is an entry if the
 * snapshot's locator of its key is where it lies. So values are read in the order of the disk, and no list of keys is
 * made.
 *
 * <p>A merge may have moved a record since. Then its locator points to a file that the snapshot does not cover, and the
 * record is an entry if the versions are equal; the copy is not visited again, since its file is not covered.
 */
final class FullScan {
    private final Store store;
    private final Snapshots.Handle snapshot;
    private final Session session;

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
        while (nextEntry(scanner)) {
            Entry entry = new Entry(scanner.key(), scanner.value(), scanner.version(), scanner.expiresAt());
            if (!visitor.visit(entry)) {
                return false;
            }
        }
        return true;
    }

    private boolean nextEntry(RecordScanner scanner) throws IOException {
        // The file itself stays because the snapshot pins it, but its handle may be exchanged when it is sealed.
        int pin = store.enter(session);
        try {
            if (snapshot.closed) {
                throw Store.closedException();
            }
            while (scanner.next()) {
                if (scanner.isPut() && isEntry(scanner)) {
                    return true;
                }
            }
            return false;
        } finally {
            store.exit(pin);
        }
    }

    private boolean isEntry(RecordScanner scanner) throws IOException {
        if (scanner.expiresAt() != Entry.NEVER && scanner.expiresAt() <= snapshot.nowMillis) {
            return false;
        }
        byte[] source = scanner.buffer();
        int offset = scanner.keyOffset();
        int length = scanner.keyLength();
        long locator = snapshot.locate(store.index, source, offset, length);
        if (locator == scanner.locator()) {
            return true;
        }
        return locator != KeyIndex.ABSENT
                && !snapshot.covers(store.log.segment(locator))
                && isSameVersion(locator, scanner.version(), length);
    }

    private boolean isSameVersion(long locator, long version, int keyLength) throws IOException {
        RecordReader reader = session.reader;
        reader.readKey(locator, keyLength);
        return reader.version() == version;
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
