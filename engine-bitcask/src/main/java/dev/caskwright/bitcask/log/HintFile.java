package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys and locators of one sealed data file, so that opening a store need not read the data. A cache: if it is
 * missing, damaged or does not belong to its data file, the data file is read instead.
 *
 * <pre>
 * 0      8               12          16               32       40           48        52        60         64
 * | magic | formatVersion | filterSize | storeId: 2 x 8 | fileId | dataLength | entries | history | checksum | blocks ... | filter
 *
 * block: | checksum | length | entries ...            entry: | locator: 44, kind: 4, keyLength: 16 | key |
 * filter: | checksum | length | bits ...
 * </pre>
 *
 * <p>Each checksum covers what follows it in its block, combined with a mask of store, file and offset as in data files;
 * that of the header covers the header before it.
 */
final class HintFile {
    static final int FORMAT_VERSION = 1;
    static final int HEADER_LENGTH = FileHeader.LENGTH;
    static final int BLOCK_LENGTH = 256 << 10;

    private static final long MAGIC = 0x54_4E_49_48_4B_53_41_43L; // "CASKHINT"
    private static final int ENTRY_HEADER = 8;
    private static final int KIND_SHIFT = 44;
    private static final int KEY_LENGTH_SHIFT = 48;

    private HintFile() {}

    /** Receives the entries of a data file in the order of its records. */
    interface EntryVisitor {
        /** Takes an entry; {@code kind} is PUT or DELETE, {@code place} a locator without its slot. */
        void visit(int kind, long place, byte[] source, int keyOffset, int keyLength) throws IOException;
    }

    /** Collects the entries of a file while its records are appended. Memory: 8 bytes and the key for each record. */
    static final class Builder {
        private byte[] entries = new byte[4096];
        private int length;
        private long count;

        void add(int kind, long place, byte[] source, int keyOffset, int keyLength) {
            int needed = length + ENTRY_HEADER + keyLength;
            if (needed > entries.length) {
                grow(needed);
            }
            RecordFormat.LONG.set(
                    entries, length, place | (long) kind << KIND_SHIFT | (long) keyLength << KEY_LENGTH_SHIFT);
            System.arraycopy(source, keyOffset, entries, length + ENTRY_HEADER, keyLength);
            length = needed;
            count++;
        }

        /** Adds the put or tombstone that a scanner is at. */
        void add(FileScanner scanner) {
            add(
                    scanner.isPut() ? RecordFormat.PUT : RecordFormat.DELETE,
                    Locator.withoutSlot(scanner.locator()),
                    scanner.buffer(),
                    scanner.keyOffset(),
                    scanner.keyLength());
        }

        /** Visits what was added so far. */
        void visit(EntryVisitor visitor) throws IOException {
            visitEntries(entries, 0, length, Long.MAX_VALUE, visitor);
        }

        int length() {
            return length;
        }

        /** Forgets everything that was added, and keeps the memory for what comes. */
        void clear() {
            length = 0;
            count = 0;
        }

        /** Forgets what was added behind {@code oldLength}, as for a batch that could not be completed. */
        void cutTo(int oldLength, long entriesCut) {
            length = oldLength;
            count -= entriesCut;
        }

        long count() {
            return count;
        }

        private void grow(int needed) {
            byte[] larger = new byte[(int) Math.min(Integer.MAX_VALUE - 8, Math.max(needed, 2L * entries.length))];
            System.arraycopy(entries, 0, larger, 0, length);
            entries = larger;
        }

        /**
         * Writes the hint file of {@code data} if it has none. It is not forced: a hint file is a cache, and one that a
         * power loss damaged does not pass for sound.
         */
        void writeOnce(IoManager io, StoreId store, DataFile data) throws IOException {
            if (data.hasHints()) {
                return;
            }
            try {
                write(io, store, data);
            } catch (IOException e) {
                if (!isInTheWay(io, FileNames.hint(data.id()), e)) {
                    throw e;
                }
                // The store works without, only slower: the data file is scanned where the hint file would be read.
                logger().warn("no hint file is written, as something lies in its way: {}", e.toString());
                return;
            }
            data.markHinted();
        }

        /** Deletes what was written; returns whether there is something under the name that cannot be deleted. */
        private static boolean isInTheWay(IoManager io, String name, IOException cause) {
            try {
                if (io.list().contains(name)) {
                    return !Unneeded.isDeleted(io, name);
                }
                return io.listObstacles().contains(name);
            } catch (IOException e) {
                cause.addSuppressed(e);
                return false;
            }
        }

        private void write(IoManager io, StoreId store, DataFile data) throws IOException {
            String name = FileNames.hint(data.id());
            BloomFilter filter = BloomFilter.forKeys(count);
            visit((kind, place, source, offset, keyLength) -> filter.add(source, offset, keyLength));
            try (WritableFile file = io.createSequential(name, HEADER_LENGTH + (long) length + filter.size())) {
                byte[] header = FileHeader.begin(MAGIC, FORMAT_VERSION, store);
                RecordFormat.INT.set(header, 12, filter.size());
                RecordFormat.LONG.set(header, 32, data.id());
                RecordFormat.LONG.set(header, 40, data.length());
                RecordFormat.INT.set(header, 48, (int) count);
                RecordFormat.LONG.set(header, 52, data.history());
                file.write(0, FileHeader.seal(header), 0, HEADER_LENGTH);
                long offset = HEADER_LENGTH;
                for (int from = 0; from < length; ) {
                    int to = blockEnd(from);
                    offset += writeBlock(file, store, data.id(), offset, entries, from, to - from);
                    from = to;
                }
                writeBlock(file, store, data.id(), offset, filter.bits(), 0, filter.size());
            }
        }

        private int blockEnd(int from) {
            int to = from;
            do {
                to += ENTRY_HEADER + entryKeyLength(entries, to);
            } while (to < length && to - from + ENTRY_HEADER + entryKeyLength(entries, to) <= BLOCK_LENGTH);
            return to;
        }
    }

    private static int writeBlock(
            WritableFile file, StoreId store, long id, long offset, byte[] source, int from, int length)
            throws IOException {
        byte[] block = new byte[Block.HEADER_LENGTH + length];
        System.arraycopy(source, from, block, Block.HEADER_LENGTH, length);
        Block.seal(block, length, mask(store, id, offset));
        file.write(offset, block, 0, block.length);
        return block.length;
    }

    /**
     * Visits the entries of a data file's hint file. A block is verified before its entries are visited, so entries that
     * were visited are right even if a later block turns out to be damaged.
     *
     * @return whether all was there and sound; if not, the caller reads the data file instead
     */
    static boolean visit(IoManager io, StoreId store, DataFile data, EntryVisitor visitor) throws IOException {
        try (ReadableFile file = io.open(FileNames.hint(data.id()))) {
            byte[] header = soundHeader(file, store, data);
            if (header == null) {
                return false;
            }
            long left = Integer.toUnsignedLong((int) RecordFormat.INT.get(header, 48));
            long offset = HEADER_LENGTH;
            int longest = Block.HEADER_LENGTH + BLOCK_LENGTH + ENTRY_HEADER + (1 << 16);
            byte[] block = new byte[(int) Math.min(file.length(), longest)];
            while (left > 0) {
                int length = readBlock(file, store, data.id(), offset, block);
                if (length < 0) {
                    return false;
                }
                long visited =
                        visitEntries(block, Block.HEADER_LENGTH, Block.HEADER_LENGTH + length, data.length(), visitor);
                if (visited < 0) {
                    return false;
                }
                left -= visited;
                offset += Block.HEADER_LENGTH + length;
            }
            return left == 0;
        }
    }

    /** Returns the key filter of a data file, or null if there is none that is sound. */
    static @Nullable BloomFilter filter(IoManager io, StoreId store, DataFile data) throws IOException {
        try (ReadableFile file = io.open(FileNames.hint(data.id()))) {
            byte[] header = soundHeader(file, store, data);
            if (header == null) {
                return null;
            }
            int size = (int) RecordFormat.INT.get(header, 12);
            long entries = Integer.toUnsignedLong((int) RecordFormat.INT.get(header, 48));
            long offset = file.length() - size - Block.HEADER_LENGTH;
            // Compared with what the data file can hold before anything is allocated.
            if (size != BloomFilter.size(entries)
                    || entries > data.length() / RecordFormat.SHORT_HEADER
                    || offset < HEADER_LENGTH + entries * ENTRY_HEADER) {
                return null;
            }
            byte[] block = new byte[Block.HEADER_LENGTH + size];
            int length = readBlock(file, store, data.id(), offset, block);
            return length == size ? BloomFilter.ofBits(block, Block.HEADER_LENGTH, size) : null;
        }
    }

    private static byte @Nullable [] soundHeader(ReadableFile file, StoreId store, DataFile data) throws IOException {
        byte[] header = new byte[HEADER_LENGTH];
        boolean sound = FileHeader.isSound(header, file.read(0, header, 0, HEADER_LENGTH), MAGIC)
                && FileHeader.formatVersion(header) == FORMAT_VERSION
                && FileHeader.store(header).equals(store)
                && (long) RecordFormat.LONG.get(header, 32) == data.id()
                && (long) RecordFormat.LONG.get(header, 40) == data.length()
                && (long) RecordFormat.LONG.get(header, 52) == data.history();
        return sound ? header : null;
    }

    /** Reads and verifies a block; returns the length of its content, or -1 if it is not sound. */
    private static int readBlock(ReadableFile file, StoreId store, long id, long offset, byte[] block)
            throws IOException {
        if (file.read(offset, block, 0, Block.HEADER_LENGTH) < Block.HEADER_LENGTH) {
            return -1;
        }
        int length = Block.length(block, 0);
        if (length <= 0 || length > block.length - Block.HEADER_LENGTH) {
            return -1;
        }
        if (file.read(offset + Block.HEADER_LENGTH, block, Block.HEADER_LENGTH, length) < length) {
            return -1;
        }
        boolean sound = Block.isSound(block, 0, length, mask(store, id, offset));
        return sound ? length : -1;
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
