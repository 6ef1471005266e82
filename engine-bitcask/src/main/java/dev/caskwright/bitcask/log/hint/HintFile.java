package dev.caskwright.bitcask.log.hint;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Unneeded;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.BlockSums;
import dev.caskwright.bitcask.log.format.BloomFilter;
import dev.caskwright.bitcask.log.format.Expiries;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.keys.FileKey;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys and locators of one sealed data file, so that opening a store need not read the data. A cache: if it is
 * missing, damaged or does not belong to its data file, the data file is read instead.
 *
 * <pre>
 * 0      8               12          16               32       40           44       48        52        60         64
 * | magic | formatVersion | filterSize | storeId: 2 x 8 | fileId | dataLength | blocks | entries | history | checksum | blocks ...
 *                                                                                                   | expiries | filter | sums
 * block: | checksum | length | entries ...            entry: | locator: 44, kind: 4, keyLength: 16 | key |
 * expiries: | checksum | length | longs, see Expiries | filter: | checksum | length | bits ... |
 * sums: | checksum | length | checksum of each block before it, expiries and filter included |
 * </pre>
 *
 * <p>Each checksum covers what follows it in its block, combined with a mask of store, file and offset as in data files;
 * that of the header covers the header before it.
 *
 * <p>If the data file is encrypted, so is the content of each block but the sums: a nonce, what is in it, and a tag ({@link
 * FileKey#encryptBlock}). It is bound to file and offset, and that of the expiries to how many blocks and entries there are, so
 * that none can be left out. What is told here of blocks and offsets holds for the longer ones.
 *
 * <p>Right checksums do not make a hint file true: it could be that of another moment, or made by somebody else. So the
 * manifest has a <em>sum</em> of it, made of the checksums of the header and of the sums, and a file with another one is
 * not believed.
 */
public final class HintFile {
    static final int FORMAT_VERSION = 1;

    /** That of the hint file of an encrypted data file. */
    static final int ENCRYPTED_VERSION = 2;

    public static final int HEADER_LENGTH = FileHeader.LENGTH;
    public static final int BLOCK_LENGTH = 256 << 10;

    private static final long MAGIC = 0x54_4E_49_48_4B_53_41_43L; // "CASKHINT"
    private static final int ENTRY_HEADER = 8;
    private static final int KIND_SHIFT = 44;
    private static final int KEY_LENGTH_SHIFT = 48;

    /** Besides those of entries: expiries and filter. */
    private static final int OTHER_BLOCKS = 2;

    /** Each block of entries but the last has at least so many bytes: it ends when the next entry has no room. */
    private static final int LEAST_FULL_BLOCK = 60 << 10;

    private HintFile() {}

    /** Receives the entries of a data file in the order of its records. */
    public interface EntryVisitor {
        /** Takes an entry; {@code kind} is PUT or DELETE, {@code place} a locator without its slot. */
        void visit(int kind, long place, byte[] source, int keyOffset, int keyLength) throws IOException;
    }

    /**
     * Collects the entries of a file while its records are appended. One that is given a place to write to holds {@value
     * #SPILL_LENGTH} bytes and one entry at most, and writes its blocks as they are filled; the header, which makes the file
     * count, comes last. One that is not holds up to a 128th of the heap, and then gives up. Whatever goes wrong with
     * adding, it gives up, too: the hint file is made from the data file then.
     */
    public static final class Builder {
        private static final int SPILL_LENGTH = 128 << 10;
        private static final long MOST_HELD =
                Math.max(1 << 20, Runtime.getRuntime().maxMemory() / 128);
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
            private long end = HEADER_LENGTH;
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
                if (open != null && (reservedTo > 0 || end > HEADER_LENGTH)) {
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
                    open = io.createSequential(FileNames.hint(data.id()), HEADER_LENGTH + (long) length);
                    file = open;
                    open.write(0, new byte[HEADER_LENGTH], 0, HEADER_LENGTH);
                }
                end += writeBlock(open, store, data, end, entries, 0, length, sums);
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
        public Builder() {
            this(null, MOST_HELD, null);
        }

        /** Makes a builder that writes its entries to the hint file of a data file. */
        public Builder(IoManager io, StoreId store, DataFile data) {
            this(io, store, data, null);
        }

        /**
         * Makes a builder that writes its entries to the hint file of a data file.
         *
         * @param writeAhead asks for a call of {@link #writeAhead} in another thread, or null
         */
        public Builder(IoManager io, StoreId store, DataFile data, @Nullable Runnable writeAhead) {
            this(new Target(io, store, data), SPILL_LENGTH, writeAhead);
        }

        private Builder(@Nullable Target target, long mostHeld, @Nullable Runnable writeAhead) {
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
                makeRoom(ENTRY_HEADER + keyLength);
            } catch (IOException | RuntimeException | Error e) {
                giveUp(e);
            }
            if (isGivenUp) {
                return;
            }
            RecordFormat.LONG.set(
                    entries, length, place | (long) kind << KIND_SHIFT | (long) keyLength << KEY_LENGTH_SHIFT);
            System.arraycopy(source, keyOffset, entries, length + ENTRY_HEADER, keyLength);
            length += ENTRY_HEADER + keyLength;
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
        public void visit(EntryVisitor visitor) throws IOException {
            visitEntries(entries, 0, length, Long.MAX_VALUE, visitor);
        }

        public int length() {
            return length;
        }

        /** Returns how much memory this takes. */
        public int heldBytes() {
            return entries.length + (target == null ? 0 : target.heldBytes());
        }

        /** Forgets what was added behind {@code oldLength}, as for a batch that could not be completed; all must be held. */
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
        public static Builder ofData(IoManager io, StoreId store, DataFile data) throws IOException {
            Builder builder = new Builder(io, store, data);
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
                long expected = HEADER_LENGTH + (long) length + Expiries.LONGS * Long.BYTES + filter.size();
                try (WritableFile file = io.createSequential(name, expected)) {
                    file.write(0, new byte[HEADER_LENGTH], 0, HEADER_LENGTH);
                    BlockSums sums = new BlockSums();
                    long offset = HEADER_LENGTH;
                    for (int from = 0; from < length; ) {
                        int to = blockEnd(from);
                        offset += writeBlock(file, store, data, offset, entries, from, to - from, sums);
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
                        || !visitBlocks(
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
        private long writeEnd(
                WritableFile file, StoreId store, DataFile data, long end, BloomFilter filter, BlockSums sums)
                throws IOException {
            int blocks = sums.count();
            byte[] block = expiries.encode();
            int length = block.length - Block.HEADER_LENGTH;
            byte[] context = context(data, end, data.length(), blocks, count);
            long offset = end + writeBlock(file, store, data, end, block, Block.HEADER_LENGTH, length, context, sums);
            offset += writeBlock(file, store, data, offset, filter.bits(), 0, filter.size(), sums);
            byte[] last = sums.encode();
            Block.seal(last, last.length - Block.HEADER_LENGTH, mask(store, data.id(), offset));
            file.write(offset, last, 0, last.length);
            byte[] header = header(store, data, filter, blocks);
            file.write(0, header, 0, HEADER_LENGTH);
            data.setHintSum(BlockSums.sum(header, last));
            return offset + last.length;
        }

        private byte[] header(StoreId store, DataFile data, BloomFilter filter, int blocks) {
            byte[] header = FileHeader.begin(MAGIC, formatVersion(data), store);
            RecordFormat.INT.set(header, 12, filter.size());
            RecordFormat.LONG.set(header, 32, data.id());
            RecordFormat.INT.set(header, 40, (int) data.length());
            RecordFormat.INT.set(header, 44, blocks);
            RecordFormat.INT.set(header, 48, (int) count);
            RecordFormat.LONG.set(header, 52, data.history());
            return FileHeader.seal(header);
        }

        private int blockEnd(int from) {
            int to = from;
            do {
                to += ENTRY_HEADER + entryKeyLength(entries, to);
            } while (to < length && to - from + ENTRY_HEADER + entryKeyLength(entries, to) <= BLOCK_LENGTH);
            return to;
        }
    }

    private static int formatVersion(DataFile data) {
        return data.key() == null ? FORMAT_VERSION : ENCRYPTED_VERSION;
    }

    /** Returns by how much the content of a block is longer than what is in it. */
    private static int overhead(DataFile data) {
        return data.key() == null ? 0 : FileKey.BLOCK_OVERHEAD;
    }

    /** Returns what an encrypted block is bound to: its place. */
    private static byte[] context(DataFile data, long offset) {
        return context(data, offset, 0, 0, 0);
    }

    /** As the other, for the block that is bound to how much comes before it, too. */
    private static byte[] context(DataFile data, long offset, long dataLength, long blocks, long entries) {
        byte[] context = new byte[6 * Long.BYTES];
        RecordFormat.LONG.set(context, 0, MAGIC);
        RecordFormat.LONG.set(context, 8, data.id());
        RecordFormat.LONG.set(context, 16, offset);
        RecordFormat.LONG.set(context, 24, dataLength);
        RecordFormat.LONG.set(context, 32, blocks);
        RecordFormat.LONG.set(context, 40, entries);
        return context;
    }

    private static int writeBlock(
            WritableFile file,
            StoreId store,
            DataFile data,
            long offset,
            byte[] source,
            int from,
            int length,
            BlockSums sums)
            throws IOException {
        return writeBlock(file, store, data, offset, source, from, length, context(data, offset), sums);
    }

    private static int writeBlock(
            WritableFile file,
            StoreId store,
            DataFile data,
            long offset,
            byte[] source,
            int from,
            int length,
            byte[] context,
            BlockSums sums)
            throws IOException {
        int stored = length + overhead(data);
        byte[] block = new byte[Block.HEADER_LENGTH + stored];
        FileKey key = data.key();
        if (key == null) {
            System.arraycopy(source, from, block, Block.HEADER_LENGTH, length);
        } else {
            key.encryptBlock(source, from, length, block, Block.HEADER_LENGTH, context);
        }
        Block.seal(block, stored, mask(store, data.id(), offset));
        file.write(offset, block, 0, block.length);
        sums.add(Block.checksum(block));
        return block.length;
    }

    /** The ends of a hint file, which say what else is in it; they are as the manifest knows them. */
    private static final class Ends {
        final byte[] header;
        final int[] sums;
        final long sumsAt;
        final int overhead;

        Ends(byte[] header, int[] sums, long sumsAt, int overhead) {
            this.header = header;
            this.sums = sums;
            this.sumsAt = sumsAt;
            this.overhead = overhead;
        }

        int filterSize() {
            return (int) RecordFormat.INT.get(header, 12);
        }

        long entries() {
            return Integer.toUnsignedLong((int) RecordFormat.INT.get(header, 48));
        }

        int blocks() {
            return sums.length - OTHER_BLOCKS;
        }

        /** Of the block. Not yet compared with anything. */
        long filterAt() {
            return sumsAt - Block.HEADER_LENGTH - overhead - Math.max(0L, filterSize());
        }
    }

    /**
     * Visits the entries of a data file's hint file. A block is verified before its entries are visited, so entries that
     * were visited are right even if a later block turns out to be damaged.
     *
     * @return whether all was there and sound; if not, the caller reads the data file instead
     */
    public static boolean visit(IoManager io, StoreId store, DataFile data, EntryVisitor visitor) throws IOException {
        try (ReadableFile file = io.open(FileNames.hint(data.id()))) {
            Ends ends = ends(file, store, data);
            if (ends == null || !visitBlocks(file, store, data, ends.sums, ends.blocks(), ends.entries(), visitor)) {
                return false;
            }
            Expiries found = expiries(file, store, data, ends);
            if (found != null && data.expiries() == null) {
                data.setExpiries(found);
            }
            return found != null;
        }
    }

    /**
     * As {@link #visit}; a hint file that cannot be opened or read, for want of descriptors perhaps, counts as none. What the
     * visitor throws is thrown.
     */
    public static boolean visitIfReadable(IoManager io, StoreId store, DataFile data, EntryVisitor visitor)
            throws IOException {
        boolean[] isVisiting = {false};
        try {
            return visit(io, store, data, (kind, place, source, offset, length) -> {
                isVisiting[0] = true;
                visitor.visit(kind, place, source, offset, length);
                isVisiting[0] = false;
            });
        } catch (IOException e) {
            if (isVisiting[0]) {
                throw e;
            }
            logger().info("a hint file is not used, its data file is read: file={}, {}", data.name(), e.toString());
            return false;
        }
    }

    private static boolean visitBlocks(
            ReadableFile file, StoreId store, DataFile data, int[] sums, int blocks, long entries, EntryVisitor visitor)
            throws IOException {
        long left = entries;
        long offset = HEADER_LENGTH;
        int longest = Block.HEADER_LENGTH + BLOCK_LENGTH + ENTRY_HEADER + (1 << 16) + overhead(data);
        byte[] block = new byte[(int) Math.min(file.length(), longest)];
        for (int i = 0; i < blocks; i++) {
            int length = readBlock(file, store, data, offset, block, sums[i], context(data, offset));
            if (length < 0) {
                return false;
            }
            long visited =
                    visitEntries(block, Block.HEADER_LENGTH, Block.HEADER_LENGTH + length, data.length(), visitor);
            if (visited < 0) {
                return false;
            }
            left -= visited;
            offset += Block.HEADER_LENGTH + length + overhead(data);
        }
        return left == 0;
    }

    /** Returns when the puts of a data file expire, or null if its hint file does not tell. */
    public static @Nullable Expiries expiries(IoManager io, StoreId store, DataFile data) throws IOException {
        try (ReadableFile file = io.open(FileNames.hint(data.id()))) {
            Ends ends = ends(file, store, data);
            return ends == null ? null : expiries(file, store, data, ends);
        }
    }

    private static @Nullable Expiries expiries(ReadableFile file, StoreId store, DataFile data, Ends ends)
            throws IOException {
        byte[] block = new byte[Block.HEADER_LENGTH + Expiries.LONGS * Long.BYTES + ends.overhead];
        long offset = ends.filterAt() - block.length;
        if (offset < HEADER_LENGTH) {
            return null;
        }
        byte[] context = context(data, offset, data.length(), ends.blocks(), ends.entries());
        int length = readBlock(file, store, data, offset, block, ends.sums[ends.blocks()], context);
        return length == Expiries.LONGS * Long.BYTES ? Expiries.decode(block) : null;
    }

    /** Returns the key filter of a data file, or null if there is none that is sound. */
    public static @Nullable BloomFilter filter(IoManager io, StoreId store, DataFile data) throws IOException {
        try (ReadableFile file = io.open(FileNames.hint(data.id()))) {
            Ends ends = ends(file, store, data);
            if (ends == null) {
                return null;
            }
            int size = ends.filterSize();
            // Compared with what the data file can hold before anything is allocated.
            if (size != BloomFilter.size(ends.entries())
                    || ends.entries() > data.length() / RecordFormat.SHORT_HEADER
                    || ends.filterAt() < HEADER_LENGTH + ends.entries() * ENTRY_HEADER) {
                return null;
            }
            byte[] block = new byte[Block.HEADER_LENGTH + size + ends.overhead];
            byte[] context = context(data, ends.filterAt());
            int length = readBlock(file, store, data, ends.filterAt(), block, ends.sums[ends.blocks() + 1], context);
            return length == size ? BloomFilter.ofBits(block, Block.HEADER_LENGTH, size) : null;
        }
    }

    /** Returns the header and the sums, or null if they are not sound, of another file, or not those of the manifest. */
    private static @Nullable Ends ends(ReadableFile file, StoreId store, DataFile data) throws IOException {
        byte[] header = new byte[HEADER_LENGTH];
        boolean sound = FileHeader.isSound(header, file.read(0, header, 0, HEADER_LENGTH), MAGIC)
                && FileHeader.formatVersion(header) == formatVersion(data)
                && FileHeader.store(header).equals(store)
                && (long) RecordFormat.LONG.get(header, 32) == data.id()
                && (int) RecordFormat.INT.get(header, 40) == data.length()
                && (long) RecordFormat.LONG.get(header, 52) == data.history();
        int blocks = (int) RecordFormat.INT.get(header, 44);
        // Compared with what the data file can need before anything is allocated.
        if (!sound || blocks < 0 || blocks > 1 + data.length() / LEAST_FULL_BLOCK) {
            return null;
        }
        byte[] last = new byte[Block.HEADER_LENGTH + (blocks + OTHER_BLOCKS) * Integer.BYTES];
        long sumsAt = file.length() - last.length;
        if (sumsAt < HEADER_LENGTH
                || file.read(sumsAt, last, 0, last.length) < last.length
                || !Block.isSound(last, 0, last.length - Block.HEADER_LENGTH, mask(store, data.id(), sumsAt))
                || BlockSums.sum(header, last) != data.hintSum()) {
            return null;
        }
        return new Ends(header, BlockSums.decode(last), sumsAt, overhead(data));
    }

    /**
     * Reads and verifies a block, and decrypts it if the data file is encrypted; returns the length of what is in it, or -1 if
     * it is not the one with that checksum.
     */
    private static int readBlock(
            ReadableFile file, StoreId store, DataFile data, long offset, byte[] block, int checksum, byte[] context)
            throws IOException {
        if (file.read(offset, block, 0, Block.HEADER_LENGTH) < Block.HEADER_LENGTH) {
            return -1;
        }
        int length = Block.length(block, 0);
        if (length <= 0 || length > block.length - Block.HEADER_LENGTH || Block.checksum(block) != checksum) {
            return -1;
        }
        if (file.read(offset + Block.HEADER_LENGTH, block, Block.HEADER_LENGTH, length) < length) {
            return -1;
        }
        FileKey key = data.key();
        boolean sound = Block.isSound(block, 0, length, mask(store, data.id(), offset))
                && (key == null || key.decryptBlock(block, Block.HEADER_LENGTH, length, context));
        return sound ? length - overhead(data) : -1;
    }

    /** Returns how many entries were visited, or -1 if one does not fit its block, or its record the data file. */
    private static long visitEntries(byte[] source, int from, int to, long dataLength, EntryVisitor visitor)
            throws IOException {
        long visited = 0;
        for (int at = from; at < to; ) {
            if (to - at < ENTRY_HEADER || entryKeyLength(source, at) > to - at - ENTRY_HEADER) {
                return -1;
            }
            long word = (long) RecordFormat.LONG.get(source, at);
            int keyLength = (int) (word >>> KEY_LENGTH_SHIFT);
            int kind = (int) (word >>> KIND_SHIFT) & 0xF;
            long place = word & (1L << KIND_SHIFT) - 1;
            long offset = Locator.offset(place);
            long size = Locator.size(place); // rounded up, by less than 1 in 512
            if ((kind != RecordFormat.PUT && kind != RecordFormat.DELETE)
                    || keyLength == 0
                    || offset < DataFile.HEADER_LENGTH
                    || offset + size - (size >>> 9) > dataLength) {
                return -1;
            }
            visitor.visit(kind, place, source, at + ENTRY_HEADER, keyLength);
            at += ENTRY_HEADER + keyLength;
            visited++;
        }
        return visited;
    }

    private static int entryKeyLength(byte[] source, int at) {
        return (int) ((long) RecordFormat.LONG.get(source, at) >>> KEY_LENGTH_SHIFT);
    }

    private static int mask(StoreId store, long id, long offset) {
        return RecordFormat.mask(RecordFormat.fileSeed(~store.seed(), id), offset);
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(HintFile.class);
    }
}
