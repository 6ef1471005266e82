package dev.caskwright.bitcask.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.store.DamageCheck;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that what a merge drops is dead by what the log says, and not by the word of the index alone: that was filled
 * from caches when the store was opened, and a cache may be wrong. If the log does not say so, the files stay as they are.
 *
 * <p>A tombstone has done its work if the index has no such key, or refers to a later put. A put is dead if the index refers to a later record of its key, which is looked at, or has no such key, and a later
 * tombstone is found. Tombstones are found in the inputs as they are read, and for what is left, in the hint files of later
 * files; the record itself is looked at. What died in files that this opening made is known, and not proved again.
 *
 * <p>The search is bounded: the lengths of the files searched add up to {@value #SEARCHED_TIMES} times those of the inputs, or
 * {@value #LEAST_SEARCHED} bytes, and so many dead keys are remembered as fit into a {@value #HEAP_PART}th of the heap. What
 * is beyond that is dropped as the index says. For one merge and thread.
 */
final class DeathProof {
    private static final long LEAST_SEARCHED = 64 << 20;
    private static final int SEARCHED_TIMES = 4;
    private static final int HEAP_PART = 64;
    private static final int FIRST_TABLE = 1 << 10;
    private static final int LARGEST_TABLE = Integer.highestOneBit((int)
            Math.max(FIRST_TABLE, Math.min(1 << 26, Runtime.getRuntime().maxMemory() / HEAP_PART / (2 * Long.BYTES))));

    private final Store store;
    private final RecordLog log;
    private final Set<LogSegment> read = new HashSet<>(); // inputs whose tombstones were seen
    private @Nullable LogSegment reading;
    private final Map<LogSegment, Boolean> damaged = new HashMap<>(); // of those that were asked about
    private long searchable;

    // Puts whose tombstone was not seen yet: an open table of hashes of keys, 0 for none, and the last put of each.
    private long[] hashes = {};
    private long[] puts = {};
    private int count;
    private long oldest = Long.MAX_VALUE; // least id of a segment with one of them, ever
    private @Nullable CorruptRecordException damage; // where a tombstone may have been

    /** Makes a proof for a merge of {@code inputs}. */
    DeathProof(Store store, List<LogSegment> inputs) {
        this.store = store;
        this.log = store.log;
        long bytes = 0;
        for (LogSegment input : inputs) {
            bytes += input.length();
        }
        this.searchable = Math.max(LEAST_SEARCHED, SEARCHED_TIMES * bytes);
    }

    /** Returns whether deaths in a file need a proof: it was there when the store was opened. */
    boolean isNeeded(LogSegment input) {
        return input.id() <= store.lastFoundId;
    }

    /** Says that every tombstone of an input is told with {@link #tombstone}. */
    void beginInput(LogSegment input) {
        endInput();
        reading = input;
    }

    private void endInput() {
        if (reading != null) {
            read.add(reading);
        }
    }

    /** Says that a part of an input could not be read. */
    void passOver(CorruptRecordException met) {
        damage = damage == null ? met : damage;
    }

    /**
     * Takes an input, of which no tombstone is to be copied, with all its puts and tombstones.
     *
     * @param isAllDead whether no put is to be copied, either: how much is live is told by caches, too
     */
    void readInput(LogSegment input, boolean isAllDead) throws IOException {
        beginInput(input);
        RecordScanner scanner = log.scan(input, input.length());
        while (true) {
            try {
                if (!scanner.next()) {
                    return;
                }
            } catch (CorruptRecordException e) {
                passOver(e);
                scanner.skipDamage();
                continue;
            }
            if (scanner.isTombstone()) {
                tombstone(scanner);
                superseded(input, scanner);
            } else if (scanner.isPut() && put(input, scanner) == scanner.locator() && isAllDead) {
                throw UnprovedException.of(
                        input, "it refers to a record of a file of which nothing is said to be live");
            }
        }
    }

    /** Takes a put that is to be dropped, unless the index refers to it; returns the locator that the index has for its key. */
    long put(LogSegment input, RecordScanner scanner) throws IOException {
        long current = superseded(input, scanner);
        if (current == KeyIndex.ABSENT) {
            remember(hash(scanner.buffer(), scanner.keyOffset(), scanner.keyLength()), scanner.locator());
        }
        return current;
    }

    /**
     * Takes a record that is to be dropped; returns the locator that the index has for its key. If that is of another record,
     * it is a later put of the key.
     */
    long superseded(LogSegment input, RecordScanner scanner) throws IOException {
        Session session = store.enter();
        try {
            byte[] source = scanner.buffer();
            int key = scanner.keyOffset();
            int length = scanner.keyLength();
            long current = store.index.get(source, key, length);
            if (current == KeyIndex.ABSENT || (current == scanner.locator() && scanner.isPut())) {
                return current;
            }
            LogSegment other = segment(input, current);
            if (other.id() > store.lastFoundId && !store.isIndexFromImage) {
                // This opening wrote it, and brought the index to it. An image may name a slot that the file has got
                // since.
                return current;
            }
            boolean isLater = log.isAfter(current, scanner.locator());
            try {
                session.reader.readKey(current, length);
                // By its version, too: a merge before this one may have moved an old put after the record.
                if (isLater
                        && session.reader.isPut()
                        && session.reader.version() > scanner.version()
                        && session.reader.hasKey(source, key, length)) {
                    return current;
                }
                session.reader.read(current);
                session.reader.verify();
            } catch (CorruptRecordException e) {
                // Either the record that is there is damaged, or none is.
                if (isDamaged(other)) {
                    throw new DamagedInputException(input, e, true);
                }
            }
            throw UnprovedException.of(
                    other, "it refers to no later put of a key of which something is in " + input.name());
        } finally {
            store.exit(session);
        }
    }

    private boolean isDamaged(LogSegment file) throws IOException {
        Boolean known = damaged.get(file);
        if (known == null) {
            known = DamageCheck.isDamaged(log, file);
            damaged.put(file, known);
        }
        return known;
    }

    private LogSegment segment(LogSegment input, long locator) throws UnprovedException {
        try {
            return log.segment(locator);
        } catch (CorruptRecordException e) {
            throw UnprovedException.of(input, "it refers to no file");
        }
    }

    /** Takes a tombstone of an input. */
    void tombstone(RecordScanner scanner) {
        if (count > 0) {
            forget(hash(scanner.buffer(), scanner.keyOffset(), scanner.keyLength()), scanner.locator());
        }
    }

    /** Returns if everything that was taken is dead. */
    void finish() throws IOException {
        endInput();
        search();
        if (count == 0) {
            return;
        }
        for (int i = 0; i < hashes.length; i++) {
            if (hashes[i] != 0) {
                LogSegment input = log.segment(puts[i]);
                CorruptRecordException met = damage;
                if (met != null) {
                    throw new DamagedInputException(input, met, false); // the tombstone may have been there
                }
                throw UnprovedException.of(
                        input, "it lacks the keys of records that were never deleted, count=" + count);
            }
        }
    }

    /**
     * Searches files that are no older than what is remembered for its tombstones, as far as that goes. Those of now, with
     * what writers have begun since the merge did: a key that was deleted meanwhile has its tombstone there, since that is
     * appended before the index loses the key.
     */
    private void search() throws IOException {
        for (LogSegment file : store.listedFiles()) {
            if (count == 0) {
                return;
            }
            if (read.contains(file) || file.id() < oldest) {
                continue;
            }
            searchable -= file.length();
            if (searchable < 0) {
                clear();
                return;
            }
            try {
                log.visitTombstones(file, this::found);
            } catch (CorruptRecordException e) {
                passOver(e);
            }
        }
    }

    private void found(byte[] source, int keyOffset, int keyLength, long locator) throws IOException {
        long hash = hash(source, keyOffset, keyLength);
        if (indexOf(hash) < 0) {
            return;
        }
        Session session = store.enter();
        try {
            session.reader.readKey(locator, keyLength);
            if (!session.reader.isPut() && session.reader.hasKey(source, keyOffset, keyLength)) {
                forget(hash, locator);
                return;
            }
            session.reader.read(locator);
            session.reader.verify();
        } catch (CorruptRecordException e) {
            if (isDamaged(log.segment(locator))) {
                passOver(e);
            }
        } finally {
            store.exit(session);
        }
    }

    // ---------------------------------------------------------------- the table

    private void remember(long hash, long put) throws IOException {
        if (searchable < 0) {
            return;
        }
        if (2 * (count + 1) > hashes.length && !hasGrown()) {
            search();
            clear(); // what was not found would need more than there is
        }
        oldest = Math.min(oldest, log.segment(put).id());
        int at = freeOrEqual(hash);
        if (hashes[at] == 0) {
            count++;
            hashes[at] = hash;
            puts[at] = put;
        } else if (log.isAfter(put, puts[at])) {
            puts[at] = put;
        }
    }

    private boolean hasGrown() {
        int length = Math.max(FIRST_TABLE, 2 * hashes.length);
        if (length > LARGEST_TABLE) {
            return false;
        }
        long[] oldHashes = hashes;
        long[] oldPuts = puts;
        hashes = new long[length];
        puts = new long[length];
        for (int i = 0; i < oldHashes.length; i++) {
            if (oldHashes[i] != 0) {
                int at = freeOrEqual(oldHashes[i]);
                hashes[at] = oldHashes[i];
                puts[at] = oldPuts[i];
            }
        }
        return true;
    }

    private void forget(long hash, long tombstone) {
        int at = indexOf(hash);
        if (at < 0 || !log.isAfter(tombstone, puts[at])) {
            return;
        }
        count--;
        int mask = hashes.length - 1;
        int hole = at;
        hashes[hole] = 0;
        for (int i = at + 1 & mask; hashes[i] != 0; i = i + 1 & mask) {
            int home = home(hashes[i]);
            boolean reachesHole = (i - home & mask) >= (i - hole & mask);
            if (reachesHole) {
                hashes[hole] = hashes[i];
                puts[hole] = puts[i];
                hashes[i] = 0;
                hole = i;
            }
        }
    }

    private int indexOf(long hash) {
        if (count == 0) {
            return -1;
        }
        int at = freeOrEqual(hash);
        return hashes[at] == 0 ? -1 : at;
    }

    private int freeOrEqual(long hash) {
        int mask = hashes.length - 1;
        int at = home(hash);
        while (hashes[at] != 0 && hashes[at] != hash) {
            at = at + 1 & mask;
        }
        return at;
    }

    private int home(long hash) {
        return (int) (hash >>> 32) & hashes.length - 1;
    }

    private void clear() {
        Arrays.fill(hashes, 0);
        count = 0;
    }

    private long hash(byte[] source, int offset, int length) {
        long hash = store.keyHash.hash(source, offset, length);
        return hash == 0 ? 1 : hash;
    }
}
