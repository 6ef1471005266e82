package dev.caskwright.bitcask.read;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.store.DamageCheck;
import dev.caskwright.bitcask.store.LeakGuard;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Visits every entry of a moment once, or hands them out: of now, or of a snapshot.
 *
 * <p>It takes a snapshot of now and reads its files from start to end: a record is an entry if that snapshot's locator of
 * its key is where it lies. So values are read in the order of the disk, and no list of keys is made. Records that lie in
 * the scanner's buffer together are looked up together, so that the index overlaps its waits for memory. A merge may move
 * a record meanwhile. Then its locator points to a file that the snapshot of now does not cover, and the record is an
 * entry if the versions are equal; the copy is not visited again, since its file is not covered.
 *
 * <p>For an earlier moment, of these entries those count that are no newer; and the keys that have changed since had the
 * records that their undo maps tell. So files from before merges are read only for records that have been dropped since.
 *
 * <p>A damaged record that nothing refers to does not matter. So the scan goes on after damage, and when it is through with
 * the file, it makes sure that no entry lay there, or fails. It also fails if the index refers to more in a file than was
 * found there: then the index is wrong, and what was found is not all.
 */
public final class FullScan {
    private static final int BATCH = 256;

    private final Store store;
    private final Snapshots.Handle now;
    private final Snapshots.Handle moment; // the same, or one taken earlier

    // The records at hand. All lie in one array. Once the index was asked, those that are no entries have no locator.
    private byte[] source = {};
    private final int[] keyOffsets = new int[BATCH];
    private final int[] keyLengths = new int[BATCH];
    private final int[] valueOffsets = new int[BATCH];
    private final int[] valueLengths = new int[BATCH];
    private final long[] codings = new long[BATCH];
    private final long[] versions = new long[BATCH];
    private final long[] expiries = new long[BATCH];
    private final long[] sizes = new long[BATCH];
    private final long[] locators = new long[BATCH];
    private @Nullable RecordScanner decoder; // knows the codecs of the records at hand
    private final long[] candidates = new long[BATCH];
    private int count;

    // Where the scan is.
    private int fileNumber;
    private @Nullable LogSegment file;
    private @Nullable RecordScanner scanner; // of the file
    private boolean isMoreInFile;

    // Damage in the file at hand.
    private @Nullable CorruptRecordException damage; // the first
    private long passedOver;

    // Of puts in the file at hand: those that the index referred to, and those that it was not asked about.
    private long foundBytes;
    private long unaskedBytes;

    private FullScan(Store store, Snapshots.Handle now, Snapshots.Handle moment) {
        this.store = store;
        this.now = now;
        this.moment = moment;
    }

    /** Visits the entries of a snapshot, or if it is null, of now. The caller does not hold the write lock. */
    public static void visit(Store store, Snapshots.@Nullable Handle snapshot, EntryVisitor visitor)
            throws IOException {
        Snapshots.Handle now = store.snapshots.openForCall();
        try {
            new FullScan(store, now, snapshot == null ? now : snapshot).visit(visitor);
        } finally {
            store.snapshots.close(now);
        }
    }

    /**
     * Returns a cursor over the entries of a snapshot, or if it is null, of now. It has a snapshot of its own, which counts
     * as one that a user has open. The caller does not hold the write lock.
     */
    public static Cursor cursor(Store store, Snapshots.@Nullable Handle snapshot) throws IOException {
        LeakGuard.closeDropped(store);
        Snapshots.Handle now = store.snapshots.open();
        try {
            return new ScanCursor(store, now, new FullScan(store, now, snapshot == null ? now : snapshot));
        } catch (OutOfMemoryError e) {
            store.snapshots.close(now);
            throw e;
        }
    }

    private void visit(EntryVisitor visitor) throws IOException {
        while (fill()) {
            for (int i = 0; i < count; i++) {
                if (isEntryAt(i)) {
                    checkOpen();
                    if (!visitor.visit(entry(i))) {
                        return;
                    }
                }
            }
        }
        long[] lost = lost();
        Map<LogSegment, RecordScanner> scanners = new HashMap<>();
        for (long locator : lost) {
            Entry entry = lostEntry(locator, scanners);
            if (entry != null && !visitor.visit(entry)) {
                return;
            }
        }
        checkLost();
    }

    /** Returns the locators of records that the snapshot shows and the scan of files did not. */
    long[] lost() throws IOException {
        if (moment == now) {
            return new long[0];
        }
        long[] lost = store.snapshots.lostBetween(moment, now);
        Arrays.sort(lost); // in the order of the disk, more or less
        return lost;
    }

    /** Makes sure, once all lost records were visited, that none was missing. */
    void checkLost() throws IOException {
        if (moment != now) {
            moment.checkOpen(); // what changed since it was closed has not been saved, so something may be missing
        }
    }

    /** Returns how many records are at hand. */
    int count() {
        return count;
    }

    /** Returns whether a record at hand is an entry. */
    boolean isEntryAt(int i) {
        return locators[i] != KeyIndex.ABSENT;
    }

    /**
     * Brings the next records to hand, if only none, in place of those that were; returns false when all files are through.
     */
    boolean fill() throws IOException {
        while (true) {
            LogSegment current = file;
            RecordScanner records = scanner;
            if (current == null || records == null) {
                if (!nextFile()) {
                    count = 0;
                    return false;
                }
            } else if (isMoreInFile) {
                fill(records);
                return true;
            } else {
                CorruptRecordException met = damage;
                if (met != null) {
                    requireNoEntryIn(current, met);
                } else {
                    requireAllFound(current);
                }
                scanner = null;
            }
        }
    }

    private void fill(RecordScanner records) throws IOException {
        // The file itself stays because the snapshot pins it, but its handle may be exchanged when it is sealed.
        Session session = store.enter();
        try {
            checkOpen();
            isMoreInFile = fetch(records);
            dropOthers(session.reader);
        } finally {
            store.exit(session);
        }
    }

    private boolean nextFile() {
        while (fileNumber < now.files.length) {
            LogSegment next = now.files[fileNumber++];
            if (next != null && now.covers(next)) {
                file = next;
                scanner = store.log.scan(next, now.end(next));
                isMoreInFile = true;
                damage = null;
                passedOver = 0;
                foundBytes = 0;
                unaskedBytes = 0;
                return true;
            }
        }
        return false;
    }

    @Nullable Entry lostEntry(long locator, Map<LogSegment, RecordScanner> scanners) throws IOException {
        Session session = store.enter();
        try {
            checkOpen();
            LogSegment file = store.log.segment(locator);
            RecordScanner scanner = scanners.computeIfAbsent(file, each -> store.log.scan(each, each.length()));
            scanner.seek(locator);
            return moment.hadExpired(scanner.expiresAt(), scanner.version()) || wasKept(session.reader, scanner)
                    ? null
                    : new Entry(scanner.key(), scanner.value(), scanner.version(), scanner.expiresAt());
        } finally {
            store.exit(session);
        }
    }

    /** A write that failed, for want of space, was announced to the undo maps, too: its key has kept its record. */
    private boolean wasKept(RecordReader reader, RecordScanner scanner) throws IOException {
        int length = scanner.keyLength();
        long locator = now.locate(store.index, scanner.buffer(), scanner.keyOffset(), length);
        return locator == scanner.locator()
                || (locator != KeyIndex.ABSENT
                        && !store.snapshots.isNewerThan(moment, locator)
                        && isSameVersion(reader, locator, scanner.version(), length));
    }

    /**
     * Returns if the index refers to no more in a file without damage than was found there. What was found does not get less,
     * and what the index refers to does.
     */
    private void requireAllFound(LogSegment file) throws IOException {
        long expected = file.liveBytes();
        if (!file.isSealed() || foundBytes + unaskedBytes >= expected) {
            return;
        }
        CorruptRecordException lie = new CorruptRecordException(
                "the key index refers to what is no record; remove the hint files and images, and reopen the store",
                file.name(),
                0,
                "found=" + foundBytes + " bytes, expected=" + expected);
        store.committing.lock(); // so that no merge takes records out of the file meanwhile
        try {
            if (!store.snapshots.isRetired(file)) {
                DamageCheck.deadBytes(store, file, lie); // unless a record was just about to be counted as dead
            }
        } finally {
            store.committing.unlock();
        }
    }

    /** Returns if no entry lay in the damaged parts of a file that the scan passed over. */
    private void requireNoEntryIn(LogSegment file, CorruptRecordException met) throws IOException {
        store.committing.lock(); // so that no merge takes records out of the file meanwhile
        try {
            if (store.snapshots.isRetired(file)) {
                throw met; // or has taken some before they were damaged, and their copies are not visited
            }
            if (passedOver > DamageCheck.deadBytes(store, file, met)) {
                throw met;
            }
        } finally {
            store.committing.unlock();
        }
        // What has changed since the scan began is not in the index any more.
        RecordScanner scanner = store.log.scan(file, file.length());
        for (long locator : store.snapshots.lostSince(now)) {
            Session session = store.enter();
            try {
                checkOpen();
                if (store.log.segment(locator) == file && !isNewerThanMoment(locator)) {
                    scanner.seek(locator);
                }
            } finally {
                store.exit(session);
            }
        }
    }

    private boolean isNewerThanMoment(long locator) throws IOException {
        return moment != now && store.snapshots.isNewerThan(moment, locator);
    }

    void checkOpen() throws IOException {
        store.checkOpen();
        moment.checkOpen();
    }

    Entry entry(int i) throws IOException {
        byte[] key = Arrays.copyOfRange(source, keyOffsets[i], keyOffsets[i] + keyLengths[i]);
        RecordScanner decoding = codings[i] == 0 ? null : decoder;
        byte[] value = decoding == null
                ? Arrays.copyOfRange(source, valueOffsets[i], valueOffsets[i] + valueLengths[i])
                : decoding.decoded(codings[i], source, valueOffsets[i], valueLengths[i], locators[i]);
        return new Entry(key, value, versions[i], expiries[i]);
    }

    /** Takes the next puts that lie in the scanner's buffer together; returns whether there may be more. */
    private boolean fetch(RecordScanner scanner) throws IOException {
        count = 0;
        try {
            if (!scanner.next()) {
                return false;
            }
        } catch (CorruptRecordException e) {
            if (damage == null) {
                damage = e;
            }
            passedOver += scanner.skipDamage();
            return true;
        }
        source = scanner.buffer();
        decoder = scanner;
        do {
            if (!scanner.isPut()) {
                continue;
            }
            if (scanner.version() > moment.version || moment.hadExpired(scanner.expiresAt(), scanner.version())) {
                unaskedBytes += scanner.liveBytes();
            } else {
                sizes[count] = scanner.liveBytes();
                keyOffsets[count] = scanner.keyOffset();
                keyLengths[count] = scanner.keyLength();
                valueOffsets[count] = scanner.valueOffset();
                valueLengths[count] = scanner.valueLength();
                codings[count] = scanner.coding();
                versions[count] = scanner.version();
                expiries[count] = scanner.expiresAt();
                locators[count] = scanner.locator();
                count++;
            }
        } while (count < BATCH && scanner.nextInBuffer());
        return true;
    }

    /** Sets the locators of those records to absent that were not current when the snapshot of now was taken. */
    private void dropOthers(RecordReader reader) throws IOException {
        store.index.candidates(source, keyOffsets, keyLengths, count, candidates);
        for (int i = 0; i < count; i++) {
            // If the index refers to the very record, it has its key, and it has not changed since: the index moves to
            // later records only.
            if (candidates[i] != locators[i] && !isEntry(reader, i)) {
                locators[i] = KeyIndex.ABSENT;
            } else {
                foundBytes += sizes[i];
            }
        }
    }

    private boolean isEntry(RecordReader reader, int i) throws IOException {
        long locator = now.locate(store.index, source, keyOffsets[i], keyLengths[i]);
        if (locator == locators[i]) {
            return true;
        }
        return locator != KeyIndex.ABSENT
                && !now.covers(store.log.segment(locator))
                && isSameVersion(reader, locator, versions[i], keyLengths[i]);
    }

    private static boolean isSameVersion(RecordReader reader, long locator, long version, int keyLength)
            throws IOException {
        reader.readKey(locator, keyLength);
        return reader.version() == version;
    }
}
