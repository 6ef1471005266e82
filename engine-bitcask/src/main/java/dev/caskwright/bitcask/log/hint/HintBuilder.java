package dev.caskwright.bitcask.log.hint;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Unneeded;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.BlockSums;
import dev.caskwright.bitcask.log.format.BloomFilter;
import dev.caskwright.bitcask.log.format.Expiries;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collects the entries of a file while its records are appended. One that is given a place to write to holds {@value
 * #SPILL_LENGTH} bytes and one entry at most, and writes its blocks as they are filled; the header, which makes the file
 * count, comes last. One that is not holds up to a 128th of the heap, and then gives up. Whatever goes wrong with
 * adding, it gives up, too: the hint file is made from the data file then.
 */
public final class HintBuilder {
    private static final int SPILL_LENGTH = 128 << 10;
    private static final long MOST_HELD = Math.max(1 << 20, Runtime.getRuntime().maxMemory() / 128);
    private static final byte[] NONE = {};
    private static final int MOST_ZEROS = 16 << 10;

    private final @Nullable Target target;
    private final @Nullable Runnable writeAhead;
    private final long mostHeld;
    private final Expiries expiries = new Expiries();
    private byte[] entries = new byte[4096];
    private int length;
    private long count;
    private boolean isGivenUp;

    /**
     * Where blocks are written to. A full buffer waits for another thread to write it, and is written by the builder's
     * own if it still waits when the next one is full.
     */
    private static final class Target {
        private final IoManager io;
        private final StoreId store;
        private final DataFile data;
        private final BlockSums sums = new BlockSums(); // guarded by this, as all that follows
        private @Nullable WritableFile file;
        private long end = HintFile.HEADER_LENGTH;
        private long reservedTo; // up to where the file was made longer than needed
        private byte[] waiting = NONE;
        private int waitingLength;
        private byte[] idle = NONE;
        private @Nullable Throwable failure;

        Target(IoManager io, StoreId store, DataFile data) {
            this.io = io;
            this.store = store;
            this.data = data;
        }

        synchronized boolean isEmpty() {
            return file == null && waitingLength == 0 && failure == null;
        }

        /**
         * Makes the file longer than needed, up to a length, unless it is or less than {@code leastFree} is free; returns
         * whether it has that length.
         */
        synchronized boolean reserve(int length, long leastFree) throws IOException {
            long from = Math.max(reservedTo, file == null ? 0 : end);
            if (length <= from) {
                return failure == null;
            }
            if (failure != null || io.usableSpace() < leastFree) {
                return false;
            }
            WritableFile open = file;
            if (open == null) {
                open = io.createSequential(FileNames.hint(data.id()), length);
                file = open;
            }
            // Not a constant: if there were no memory for that, this class could never be used again.
            byte[] zeros = new byte[(int) Math.min(MOST_ZEROS, length - from)];
            for (long at = from; at < length; at += zeros.length) {
                open.write(at, zeros, 0, (int) Math.min(zeros.length, length - at));
            }
            reservedTo = length;
            return true;
        }

        /** Goes back to where {@link #reserve}, which failed, began. */
        synchronized void giveBack() throws IOException {
            WritableFile open = file;
            if (open != null && (reservedTo > 0 || end > HintFile.HEADER_LENGTH)) {
                open.truncate(Math.max(reservedTo, end));
            } else {
                file = null; // what waits still does
                if (open != null) {
                    open.close();
                }
                Unneeded.deleteIfThere(io, FileNames.hint(data.id()));
            }
        }

        /** Deletes the file; what is added from now on is not kept. */
        synchronized boolean discard() throws IOException {
            if (file == null) {
                return false;
            }
            close();
            failure = new IOException("the hints were given up for want of space");
            return Unneeded.isDeleted(io, FileNames.hint(data.id()));
        }

        /** Gives back what the file has beyond its end. */
        synchronized void cut(WritableFile open, long fileEnd) throws IOException {
            if (reservedTo > fileEnd) {
                open.truncate(fileEnd);
            }
        }

        synchronized int heldBytes() {
            return waiting.length + idle.length;
        }

        /** Takes a buffer over; returns another of that length. */
        synchronized byte[] handOver(byte[] entries, int length) throws IOException {
            writeWaiting();
            byte[] next = idle.length == entries.length ? idle : new byte[entries.length];
            idle = NONE;
            waiting = entries;
            waitingLength = length;
            return next;
        }

        /** Writes what waits, if anything does. A failure is told to the builder's thread. */
        synchronized void writeAhead() {
            try {
                writeWaiting();
            } catch (IOException | RuntimeException | Error e) {
                failure = e;
            }
        }

        synchronized void writeWaiting() throws IOException {
            if (failure != null) {
                throw new IOException("a block of hints was not written: " + failure, failure);
            }
            if (waitingLength > 0) {
                int length = waitingLength;
                waitingLength = 0;
                write(waiting, length);
                idle = waiting;
                waiting = NONE;
            }
        }

        synchronized void write(byte[] entries, int length) throws IOException {
            WritableFile open = file;
            if (open == null) {
                open = io.createSequential(FileNames.hint(data.id()), HintFile.HEADER_LENGTH + (long) length);
                file = open;
                open.write(0, new byte[HintFile.HEADER_LENGTH], 0, HintFile.HEADER_LENGTH);
            }
            end += HintFile.writeBlock(open, store, data, end, entries, 0, length, sums);
        }

        synchronized void close() throws IOException {
            WritableFile open = file;
            file = null;
            waitingLength = 0;
            waiting = NONE;
            idle = NONE;
            if (open != null) {
                open.close();
            }
        }
    }

    /** Makes a builder that holds its entries. */
    public HintBuilder() {
        this(null, MOST_HELD, null);
    }

    /** Makes a builder that writes its entries to the hint file of a data file. */
    public HintBuilder(IoManager io, StoreId store, DataFile data) {
        this(io, store, data, null);
    }

    /**
     * Makes a builder that writes its entries to the hint file of a data file.
     *
     * @param writeAhead asks for a call of {@link #writeAhead} in another thread, or null
     */
    public HintBuilder(IoManager io, StoreId store, DataFile data, @Nullable Runnable writeAhead) {
        this(new Target(io, store, data), SPILL_LENGTH, writeAhead);
    }

    private HintBuilder(@Nullable Target target, long mostHeld, @Nullable Runnable writeAhead) {
        this.target = target;
        this.writeAhead = writeAhead;
        this.mostHeld = Math.min(Integer.MAX_VALUE - 8, mostHeld);
    }

    /**
     * Makes the hint file longer than it needs to be, and makes it if it is not there: so there is something that can be given
     * up when the disk is full. If that is not possible, or less than {@code leastFree} is free, it stays as it is.
     *
     * @return whether it has that length
     */
    public boolean reserve(int length, long leastFree) {
        Target blocks = target;
        if (blocks == null) {
            return false;
        }
        try {
            return blocks.reserve(length, leastFree);
        } catch (IOException | RuntimeException | Error e) {
            try {
                logger().debug("no space is held ready in a hint file", e);
                blocks.giveBack();
            } catch (IOException | RuntimeException | Error second) {
                giveUp(second);
            }
            return false;
        }
    }

    /** Deletes what there is of the file, and keeps no hints any more; returns whether that gave space back. Any thread. */
    public boolean discard() {
        try {
            return target != null && target.discard();
        } catch (IOException e) {
            logger().warn("hints that are not complete could not be given up: {}", e.toString());
            return false;
        }
    }

    /** Adds a record without an expiry. */
    public void add(int kind, long place, byte[] source, int keyOffset, int keyLength) {
        add(kind, place, 0, source, keyOffset, keyLength);
    }

    /** Adds a put or tombstone. Does not fail. */
    public void add(int kind, long place, long expiresAt, byte[] source, int keyOffset, int keyLength) {
        count++;
        if (kind == RecordFormat.PUT) {
            expiries.add(expiresAt, Locator.size(place));
        }
        if (isGivenUp) {
            return;
        }
        try {
            makeRoom(HintFile.ENTRY_HEADER + keyLength);
        } catch (IOException | RuntimeException | Error e) {
            giveUp(e);
        }
        if (isGivenUp) {
            return;
        }
        HintFile.encodeEntry(entries, length, kind, place, keyLength);
        System.arraycopy(source, keyOffset, entries, length + HintFile.ENTRY_HEADER, keyLength);
        length += HintFile.ENTRY_HEADER + keyLength;
    }

    /** Adds the put or tombstone that a scanner is at. */
    public void add(FileScanner scanner) {
        add(
                scanner.isPut() ? RecordFormat.PUT : RecordFormat.DELETE,
                Locator.withoutSlot(scanner.locator()),
                scanner.expiresAt(),
                scanner.buffer(),
                scanner.keyOffset(),
                scanner.keyLength());
    }

    private void makeRoom(int more) throws IOException {
        Target blocks = target;
        if (length > 0 && (long) length + more > mostHeld) {
            if (blocks == null) {
                giveUp(null);
                return;
            }
            if (writeAhead == null) {
                blocks.write(entries, length);
            } else {
                entries = blocks.handOver(entries, length);
                writeAhead.run();
            }
            length = 0;
        }
        int needed = length + more;
        if (needed > entries.length) {
            long larger = Math.max(needed, Math.min(mostHeld, 2L * entries.length));
            entries = Arrays.copyOf(entries, (int) larger);
        }
    }

    /** Writes a full buffer that waits for it. Called by any thread; throws nothing. */
    public void writeAhead() {
        if (target != null) {
            target.writeAhead();
        }
    }

    private void giveUp(@Nullable Throwable cause) {
        isGivenUp = true;
        entries = new byte[0];
        length = 0;
        if (cause != null) {
            logger().warn(
                            "hints are not kept while a data file is written, but made from it later: {}",
                            cause.toString());
        }
    }

    /** Returns whether {@link #visit} can visit all that was added. */
    public boolean isHeld() {
        return !isGivenUp && (target == null || target.isEmpty());
    }

    /** Visits what was added so far; all of it must be held. */
    public void visit(HintFile.EntryVisitor visitor) throws IOException {
        HintFile.visitEntries(entries, 0, length, Long.MAX_VALUE, visitor);
    }

    public int length() {
        return length;
    }

    /** Returns how much memory this takes. */
    public int heldBytes() {
        return entries.length + (target == null ? 0 : target.heldBytes());
    }

    /** Forgets what was added after {@code oldLength}, as for a batch that could not be completed; all must be held. */
    public void cutTo(int oldLength, long entriesCut) {
        length = Math.min(length, oldLength);
        count -= entriesCut;
    }

    public long count() {
        return count;
    }

    /** Returns when the puts that were added expire. */
    public Expiries expiries() {
        return expiries;
    }

    /** Lets go of the file; what was written of it is no hint file. */
    public void abandon() throws IOException {
        giveUp(null);
        if (target != null) {
            target.close();
        }
    }

    /**
     * Writes the hint file of {@code data} if it has none. It is not forced: a hint file is a cache, and one that a
     * power loss damaged does not pass for sound.
     */
    public void writeOnce(IoManager io, StoreId store, DataFile data) throws IOException {
        if (data.hasHints()) {
            return;
        }
        if (isGivenUp) {
            deleteIncomplete(io, data);
            ofData(io, store, data).writeOnce(io, store, data);
            return;
        }
        boolean isWritten = false;
        try {
            write(io, store, data);
            isWritten = true;
        } finally {
            if (!isWritten) {
                data.setHintSum(0);
                deleteIncomplete(io, data);
            }
        }
        data.markHinted();
    }

    /** Collects the entries of a data file from its records. */
    public static HintBuilder ofData(IoManager io, StoreId store, DataFile data) throws IOException {
        HintBuilder builder = new HintBuilder(io, store, data);
        boolean isDone = false;
        try {
            FileScanner scanner = new FileScanner(data, data.start(), data.length());
            while (!builder.isGivenUp && scanner.next()) {
                if (scanner.isPut() || scanner.isTombstone()) {
                    builder.add(scanner);
                }
            }
            if (builder.isGivenUp) {
                throw new IOException("hint file could not be written: file=" + FileNames.hint(data.id()));
            }
            isDone = true;
            return builder;
        } finally {
            if (!isDone) {
                builder.deleteIncomplete(io, data);
            }
        }
    }

    private void deleteIncomplete(IoManager io, DataFile data) {
        String name = FileNames.hint(data.id());
        try {
            if (target != null && !target.isEmpty()) {
                giveUp(null); // a part of the entries is there only
                target.close();
            }
            if (io.list().contains(name)) {
                io.delete(name);
            }
        } catch (IOException e) {
            // It has no header, so nobody takes it for a hint file; the next opening may remove it.
            logger().warn("an incomplete hint file could not be removed: {}", e.toString());
        }
    }

    private void write(IoManager io, StoreId store, DataFile data) throws IOException {
        String name = FileNames.hint(data.id());
        BloomFilter filter = BloomFilter.forKeys(count);
        Target spilled = target;
        if (spilled == null || spilled.isEmpty()) {
            visit((kind, place, source, offset, keyLength) -> filter.add(source, offset, keyLength));
            long expected = HintFile.HEADER_LENGTH + (long) length + Expiries.LONGS * Long.BYTES + filter.size();
            try (WritableFile file = io.createSequential(name, expected)) {
                file.write(0, new byte[HintFile.HEADER_LENGTH], 0, HintFile.HEADER_LENGTH);
                BlockSums sums = new BlockSums();
                long offset = HintFile.HEADER_LENGTH;
                for (int from = 0; from < length; ) {
                    int to = blockEnd(from);
                    offset += HintFile.writeBlock(file, store, data, offset, entries, from, to - from, sums);
                    from = to;
                }
                writeEnd(file, store, data, offset, filter, sums);
            }
            return;
        }
        spilled.writeWaiting();
        if (length > 0) {
            spilled.write(entries, length);
            length = 0;
        }
        try (WritableFile file = spilled.file) {
            int[] written = spilled.sums.toArray();
            if (file == null
                    || !HintFile.visitBlocks(
                            file,
                            store,
                            data,
                            written,
                            written.length,
                            count,
                            (kind, place, source, offset, keyLength) -> filter.add(source, offset, keyLength))) {
                throw new IOException("hints are not read as they were written: file=" + name);
            }
            spilled.cut(file, writeEnd(file, store, data, spilled.end, filter, spilled.sums));
        }
    }

    /** Writes what follows the entries, and last the header, with which the file counts; returns where it ends. */
    private long writeEnd(WritableFile file, StoreId store, DataFile data, long end, BloomFilter filter, BlockSums sums)
            throws IOException {
        int blocks = sums.count();
        byte[] block = expiries.encode();
        int length = block.length - Block.HEADER_LENGTH;
        byte[] context = HintFile.context(data, end, data.length(), blocks, count);
        long offset =
                end + HintFile.writeBlock(file, store, data, end, block, Block.HEADER_LENGTH, length, context, sums);
        offset += HintFile.writeBlock(file, store, data, offset, filter.bits(), 0, filter.size(), sums);
        byte[] last = sums.encode();
        Block.seal(last, last.length - Block.HEADER_LENGTH, HintFile.mask(store, data.id(), offset));
        file.write(offset, last, 0, last.length);
        byte[] header = HintFile.header(store, data, filter, blocks, count);
        file.write(0, header, 0, HintFile.HEADER_LENGTH);
        data.setHintSum(BlockSums.sum(header, last));
        return offset + last.length;
    }

    private int blockEnd(int from) {
        int to = from;
        do {
            to += HintFile.ENTRY_HEADER + HintFile.entryKeyLength(entries, to);
        } while (to < length
                && to - from + HintFile.ENTRY_HEADER + HintFile.entryKeyLength(entries, to) <= HintFile.BLOCK_LENGTH);
        return to;
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(HintBuilder.class);
    }
}
