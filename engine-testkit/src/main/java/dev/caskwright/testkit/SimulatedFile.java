package dev.caskwright.testkit;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/*
 * A file as the page cache shows it (cached), as the disk has it (durable), and the changes in between (unsynced), in
 * their order. It has no name: that is the directory's affair.
 *
 * A power loss works by sectors. A sector reaches the disk whole, as it was in the cache at some moment, so of the
 * changes that touch one sector always the first few are kept; different sectors, and the length, know nothing of each
 * other. Only TEAR cuts within a sector.
 *
 * A sector is stale if its last change was thrown away by a failed force: the cache shows it, the disk lacks it, and no
 * force will write it until somebody writes to that sector again.
 *
 * All methods are called with the disk's lock held.
 */
/** One file of a simulated disk. */
final class SimulatedFile {
    static final int SECTOR = 512;

    /** A change to bytes (zeros if {@code bytes} is null), after which the file had the given length. */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    private record Change(long number, int offset, int end, byte @Nullable [] bytes, int lengthAfter) {}

    private final FileContent cached;
    private final FileContent durable;
    private final List<Change> unsynced = new ArrayList<>();
    private final BitSet stale = new BitSet();

    final int id;
    int links;
    int handles;
    int writers;

    /** The end of the last written byte; zeros held ready may follow. */
    private int written;

    SimulatedFile(int id) {
        this(id, new FileContent(), new FileContent());
    }

    private SimulatedFile(int id, FileContent cached, FileContent durable) {
        this.id = id;
        this.cached = cached;
        this.durable = durable;
        this.written = cached.length();
    }

    /** Returns a file that has this content, in the cache and on the disk. */
    static SimulatedFile of(int id, FileContent content) {
        return new SimulatedFile(id, content, content.copy());
    }

    /** Returns the file as it is for other processes once its writer is dead: nothing is lost, nothing more is durable. */
    SimulatedFile afterKill() {
        SimulatedFile copy = new SimulatedFile(id, cached.copy(), durable.copy());
        copy.unsynced.addAll(unsynced);
        copy.stale.or(stale);
        return copy;
    }

    int written() {
        return written;
    }

    /** Returns the length including zeros held ready. */
    int length() {
        return cached.length();
    }

    boolean isClean() {
        return unsynced.isEmpty();
    }

    int read(long offset, byte[] target, int targetOffset, int count) {
        int readable = (int) Math.max(0, Math.min(count, written - offset));
        if (readable > 0) {
            cached.read((int) offset, target, targetOffset, readable);
        }
        return readable;
    }

    byte[] toBytes() {
        return cached.toBytes(0, cached.length());
    }

    void write(long number, int offset, byte[] source, int sourceOffset, int count) {
        if (count == 0) {
            return;
        }
        cached.write(offset, source, sourceOffset, count);
        written = Math.max(written, offset + count);
        int end = offset + count;
        // What dirties a stale sector again is written back with everything else that the cache has of that sector.
        int from = stale.get(offset / SECTOR) ? offset / SECTOR * SECTOR : offset;
        int last = (end - 1) / SECTOR;
        int to = stale.get(last) ? Math.min((last + 1) * SECTOR, cached.length()) : end;
        stale.clear(offset / SECTOR, last + 1);
        unsynced.add(new Change(number, from, to, cached.toBytes(from, to), cached.length()));
    }

    /** Appends zeros that do not count as written. */
    void reserve(long number, int length) {
        int before = cached.length();
        if (length > before) {
            cached.setLength(length);
            unsynced.add(new Change(number, before, length, null, length));
        }
    }

    void truncate(long number, int length) {
        int before = cached.length();
        written = Math.min(written, length);
        if (length < before) {
            cached.setLength(length);
            stale.clear((length + SECTOR - 1) / SECTOR, before / SECTOR + 1);
            unsynced.add(new Change(number, length, before, null, length));
        }
    }

    void force() {
        for (Change change : unsynced) {
            apply(durable, change, change.end());
        }
        unsynced.clear();
        durable.setLength(cached.length());
    }

    /** Throws away the unsynced bytes, as a file system does that marks them clean; cuts and lengths stay unsynced. */
    void failForceMarkingClean() {
        for (Change change : unsynced) {
            if (change.bytes() != null) {
                stale.set(change.offset() / SECTOR, (change.end() - 1) / SECTOR + 1);
            }
        }
        unsynced.removeIf(change -> change.bytes() != null);
        stale.clear((cached.length() + SECTOR - 1) / SECTOR, Math.max(stale.length(), 1 + cached.length() / SECTOR));
    }

    /** Returns a content that the file may have after a power loss now. */
    FileContent afterPowerLoss(DataLoss loss, SplittableRandom random) {
        if (unsynced.isEmpty()) {
            return durable.copy();
        }
        return switch (loss) {
            case DROP_ALL -> durable.copy();
            case KEEP_ALL -> firstChanges(Long.MAX_VALUE, random);
            case TEAR ->
                firstChanges(unsynced.get(random.nextInt(unsynced.size())).number(), random);
            case ZERO_FILL -> zeroFilled();
            case RANDOM -> randomSectors(random);
        };
    }

    /** Returns the content with the changes before a number, and with a part of the one that has this number. */
    FileContent firstChanges(long number, SplittableRandom random) {
        FileContent content = durable.copy();
        for (Change change : unsynced) {
            if (change.number() < number) {
                apply(content, change, change.end());
            } else if (change.number() == number) {
                tear(content, change, random);
            }
        }
        return content;
    }

    private static void tear(FileContent content, Change change, SplittableRandom random) {
        if (change.bytes() == null) {
            return;
        }
        int end = change.offset() + random.nextInt(change.bytes().length + 1);
        if (end == change.offset()) {
            return;
        }
        int before = content.length();
        apply(content, change, end);
        // Sometimes the length of the whole write came first.
        content.setLength(random.nextBoolean() ? Math.max(before, end) : change.lengthAfter());
    }

    void collectNumbers(List<Long> numbers) {
        unsynced.forEach(change -> numbers.add(change.number()));
    }

    private FileContent zeroFilled() {
        FileContent content = durable.copy();
        for (Change change : unsynced) {
            if (change.bytes() == null) {
                apply(content, change, change.end());
            }
        }
        content.setLength(cached.length());
        return content;
    }

    private FileContent randomSectors(SplittableRandom random) {
        int touched = Math.max(durable.stored(), cached.stored());
        for (Change change : unsynced) {
            touched = change.bytes() == null ? touched : Math.max(touched, change.end());
        }
        int[] kept = new int[(touched + SECTOR - 1) / SECTOR];
        for (Change change : unsynced) {
            for (int sector = change.offset() / SECTOR; sector <= lastSector(change, kept); sector++) {
                kept[sector]++;
            }
        }
        for (int sector = 0; sector < kept.length; sector++) {
            kept[sector] = kept[sector] == 0 ? 0 : random.nextInt(kept[sector] + 1);
        }
        FileContent content = durable.copy();
        for (Change change : unsynced) {
            for (int sector = change.offset() / SECTOR; sector <= lastSector(change, kept); sector++) {
                if (kept[sector]-- > 0) {
                    applySector(content, change, sector);
                }
            }
        }
        int lengths = unsynced.size();
        int moment = random.nextBoolean() ? lengths : random.nextInt(lengths + 1);
        content.setLength(
                moment == 0 ? durable.length() : unsynced.get(moment - 1).lengthAfter());
        return content;
    }

    private static int lastSector(Change change, int[] sectors) {
        return Math.min((change.end() - 1) / SECTOR, sectors.length - 1);
    }

    private static void applySector(FileContent content, Change change, int sector) {
        int from = Math.max(change.offset(), sector * SECTOR);
        int to = Math.min(change.end(), (sector + 1) * SECTOR);
        if (change.bytes() == null) {
            content.zero(from, to);
        } else {
            content.write(from, change.bytes(), from - change.offset(), to - from);
        }
    }

    private static void apply(FileContent content, Change change, int end) {
        if (change.bytes() == null) {
            content.zero(change.offset(), end);
        } else {
            content.write(change.offset(), change.bytes(), 0, end - change.offset());
        }
        content.setLength(change.lengthAfter());
    }
}
