package dev.caskwright.bitcask.log.hint;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.file.DataFile;
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
import java.io.IOException;
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
    private static final int FILTER_SIZE_OFFSET = 12;
    private static final int DATA_ID_OFFSET = 32;
    private static final int DATA_LENGTH_OFFSET = DATA_ID_OFFSET + Long.BYTES;
    private static final int BLOCKS_OFFSET = DATA_LENGTH_OFFSET + Integer.BYTES;
    private static final int ENTRIES_OFFSET = BLOCKS_OFFSET + Integer.BYTES;
    private static final int HISTORY_OFFSET = ENTRIES_OFFSET + Integer.BYTES;

    static final int ENTRY_HEADER = 8;
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

    /** Returns the header of a hint file. */
    static byte[] header(StoreId store, DataFile data, BloomFilter filter, int blocks, long entries) {
        byte[] header = FileHeader.begin(MAGIC, formatVersion(data), store);
        RecordFormat.INT.set(header, FILTER_SIZE_OFFSET, filter.size());
        RecordFormat.LONG.set(header, DATA_ID_OFFSET, data.id());
        RecordFormat.INT.set(header, DATA_LENGTH_OFFSET, (int) data.length());
        RecordFormat.INT.set(header, BLOCKS_OFFSET, blocks);
        RecordFormat.INT.set(header, ENTRIES_OFFSET, (int) entries);
        RecordFormat.LONG.set(header, HISTORY_OFFSET, data.history());
        return FileHeader.seal(header);
    }

    private static int formatVersion(DataFile data) {
        return data.key() == null ? FORMAT_VERSION : ENCRYPTED_VERSION;
    }

    /** Returns by how much the content of a block is longer than what is in it. */
    private static int overhead(DataFile data) {
        return data.key() == null ? 0 : FileKey.BLOCK_OVERHEAD;
    }

    /** Returns what an encrypted block is bound to: its place. */
    static byte[] context(DataFile data, long offset) {
        return context(data, offset, 0, 0, 0);
    }

    /** As the other, for the block that is bound to how much comes before it, too. */
    static byte[] context(DataFile data, long offset, long dataLength, long blocks, long entries) {
        byte[] context = new byte[6 * Long.BYTES];
        RecordFormat.LONG.set(context, 0, MAGIC);
        RecordFormat.LONG.set(context, 8, data.id());
        RecordFormat.LONG.set(context, 16, offset);
        RecordFormat.LONG.set(context, 24, dataLength);
        RecordFormat.LONG.set(context, 32, blocks);
        RecordFormat.LONG.set(context, 40, entries);
        return context;
    }

    static int writeBlock(
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

    static int writeBlock(
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
            return (int) RecordFormat.INT.get(header, FILTER_SIZE_OFFSET);
        }

        long entries() {
            return Integer.toUnsignedLong((int) RecordFormat.INT.get(header, ENTRIES_OFFSET));
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

    static boolean visitBlocks(
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
                && (long) RecordFormat.LONG.get(header, DATA_ID_OFFSET) == data.id()
                && (int) RecordFormat.INT.get(header, DATA_LENGTH_OFFSET) == data.length()
                && (long) RecordFormat.LONG.get(header, HISTORY_OFFSET) == data.history();
        int blocks = (int) RecordFormat.INT.get(header, BLOCKS_OFFSET);
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
    static long visitEntries(byte[] source, int from, int to, long dataLength, EntryVisitor visitor)
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

    /** Writes what comes before the key of an entry. */
    static void encodeEntry(byte[] target, int at, int kind, long place, int keyLength) {
        RecordFormat.LONG.set(target, at, place | (long) kind << KIND_SHIFT | (long) keyLength << KEY_LENGTH_SHIFT);
    }

    static int entryKeyLength(byte[] source, int at) {
        return (int) ((long) RecordFormat.LONG.get(source, at) >>> KEY_LENGTH_SHIFT);
    }

    static int mask(StoreId store, long id, long offset) {
        return RecordFormat.mask(RecordFormat.fileSeed(~store.seed(), id), offset);
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(HintFile.class);
    }
}
