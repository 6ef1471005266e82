package dev.caskwright.moss.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.moss.memory.LayerCursor;
import dev.caskwright.moss.memory.LittleEndian;
import dev.caskwright.moss.memory.Probe;
import dev.caskwright.moss.memory.RangeSet;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A sorted file that is complete, for reading. Its index and filter are in memory. It is held by the lists of files
 * that have it; when the last one lets go it is closed, and deleted if it was {@linkplain #retire retired}. For any
 * thread.
 */
public final class SortedFile {
    private final IoManager io;
    private final ReadableFile file;
    private final long storeId;
    private final long number;
    private final long length;
    private final long entries;
    private final long firstVersion;
    private final long lastVersion;
    private final boolean hasOperands;
    private final KeyFilter filter;
    private final RangeSet ranges;
    private final BlockIndex index;
    private final long memoryBytes;

    private final AtomicInteger holders = new AtomicInteger(1);
    private volatile boolean isRetired;

    /** What the footer says. */
    private record Footer(
            long entries,
            long firstVersion,
            long lastVersion,
            int flags,
            long index,
            int indexLength,
            int filterLength,
            int rangesLength,
            int blocks) {}

    private SortedFile(IoManager io, ReadableFile file, long storeId, long number, long length) throws IOException {
        this.io = io;
        this.file = file;
        this.storeId = storeId;
        this.number = number;
        this.length = length;
        Footer footer = readFooter();
        this.entries = footer.entries;
        this.firstVersion = footer.firstVersion;
        this.lastVersion = footer.lastVersion;
        this.hasOperands = (footer.flags & SortedFormat.HAS_OPERANDS) != 0;
        byte[] section = section(footer.index, footer.indexLength);
        this.index = new BlockIndex(file.name(), footer.index, section, footer.blocks);
        long filterOffset = footer.index + footer.indexLength;
        byte[] bits = section(filterOffset, footer.filterLength);
        this.filter = new KeyFilter(Arrays.copyOf(bits, bits.length - SortedFormat.CHECKSUM_LENGTH));
        this.ranges = readRanges(filterOffset + footer.filterLength, footer.rangesLength);
        this.memoryBytes = index.memoryBytes() + bits.length + ranges.bytes();
    }

    /**
     * Opens a file that must be whole and sound, but for its blocks, which are checked when they are read.
     *
     * @param length how long it was made; after a crash zeros may follow, which were space held ready
     */
    public static SortedFile open(IoManager io, long storeId, long number, long length) throws IOException {
        ReadableFile file = io.open(FileNames.sorted(number));
        try {
            long found = file.length();
            if (found < length) {
                throw new CorruptRecordException(
                        "file is shorter than listed", file.name(), found, "expected=" + length + ", found=" + found);
            }
            return new SortedFile(io, file, storeId, number, length);
        } catch (Throwable e) {
            Causes.closeAfter(e, file);
            throw e;
        }
    }

    private Footer readFooter() throws IOException {
        long offset = length - SortedFormat.FOOTER_LENGTH;
        if (offset < 0) {
            throw new CorruptRecordException("file is too short", file.name(), 0, "length=" + length);
        }
        byte[] bytes = Sealed.read(file, offset, SortedFormat.FOOTER_LENGTH);
        check(offset, bytes, SortedFormat.FOOTER_LENGTH);
        int version = LittleEndian.getInt(bytes, SortedFormat.VERSION_OFFSET);
        if (LittleEndian.getLong(bytes, SortedFormat.MAGIC_OFFSET) != SortedFormat.MAGIC
                || version != SortedFormat.VERSION) {
            throw new UnsupportedFormatException("sorted file has another format: file=" + file.name() + ", version="
                    + version + ", known=" + SortedFormat.VERSION);
        }
        Footer footer = new Footer(
                LittleEndian.getLong(bytes, SortedFormat.ENTRIES_OFFSET),
                LittleEndian.getLong(bytes, SortedFormat.FIRST_VERSION_OFFSET),
                LittleEndian.getLong(bytes, SortedFormat.LAST_VERSION_OFFSET),
                LittleEndian.getInt(bytes, SortedFormat.FLAGS_OFFSET),
                LittleEndian.getLong(bytes, SortedFormat.INDEX_OFFSET),
                LittleEndian.getInt(bytes, SortedFormat.INDEX_LENGTH_OFFSET),
                LittleEndian.getInt(bytes, SortedFormat.FILTER_LENGTH_OFFSET),
                LittleEndian.getInt(bytes, SortedFormat.RANGES_LENGTH_OFFSET),
                LittleEndian.getInt(bytes, SortedFormat.BLOCKS_OFFSET));
        long end = footer.index + footer.indexLength + footer.filterLength + footer.rangesLength;
        if (end != offset || footer.index < 0 || footer.blocks < 0 || footer.blocks > footer.indexLength) {
            throw new CorruptRecordException("sections do not fill the file", file.name(), offset, "end=" + end);
        }
        return footer;
    }

    private byte[] section(long offset, int count) throws IOException {
        if (count < SortedFormat.CHECKSUM_LENGTH || count > length) {
            throw new CorruptRecordException("section has no length", file.name(), offset, "length=" + count);
        }
        byte[] bytes = Sealed.read(file, offset, count);
        check(offset, bytes, count);
        return bytes;
    }

    /** Checks a piece whose last four bytes are its checksum. */
    private void check(long offset, byte[] bytes, int count) throws CorruptRecordException {
        check(offset, bytes, 0, count);
    }

    private void check(long offset, byte[] bytes, int from, int count) throws CorruptRecordException {
        int end = count - SortedFormat.CHECKSUM_LENGTH;
        int expected = LittleEndian.getInt(bytes, from + end);
        int found = Sealed.checksum(storeId, number, offset, bytes, from, end);
        if (expected != found) {
            throw Sealed.damaged(file.name(), offset, expected, found);
        }
    }

    private RangeSet readRanges(long offset, int count) throws IOException {
        byte[] bytes = section(offset, count);
        Fields fields = new Fields(file.name(), offset, bytes, 0, bytes.length - SortedFormat.CHECKSUM_LENGTH);
        RangeSet set = RangeSet.EMPTY;
        while (fields.hasMore()) {
            set = set.with(fields.slice(), fields.slice());
        }
        return set;
    }

    /** Holds the file; returns false if it is gone. */
    boolean acquire() {
        int count = holders.get();
        while (count > 0) {
            if (holders.compareAndSet(count, count + 1)) {
                return true;
            }
            count = holders.get();
        }
        return false;
    }

    /** Holds a file that somebody else holds for sure. */
    public void hold() {
        if (!acquire()) {
            throw new IllegalStateException("file is gone: file=" + file.name());
        }
    }

    /** Lets go. */
    public void release() {
        if (holders.decrementAndGet() == 0) {
            Disposal.dispose(io, file, isRetired);
        }
    }

    /**
     * Lets the file be deleted when nobody holds it any more. The manifest that does not list it is durable by then.
     */
    public void retire() {
        isRetired = true;
    }

    /** Returns the file's number. */
    public long number() {
        return number;
    }

    /** Returns the file's length in bytes. */
    public long length() {
        return length;
    }

    /** Returns how many entries it has, deletes included. */
    public long entries() {
        return entries;
    }

    /** Returns the first version that an entry may have. */
    public long firstVersion() {
        return firstVersion;
    }

    /** Returns the last version of the layers that it was made of. */
    public long lastVersion() {
        return lastVersion;
    }

    /** Returns whether an entry is operands without their base. */
    public boolean hasOperands() {
        return hasOperands;
    }

    /** Returns what the file deletes from lower ones. */
    public RangeSet ranges() {
        return ranges;
    }

    /** Returns the bytes of memory that index and filter take. */
    public long memoryBytes() {
        return memoryBytes;
    }

    /** Adds to a search what the file has for the key, its ranges included. The file is held. */
    public void search(Probe probe) throws IOException {
        byte[] key = probe.key();
        if (filter.mayContain(KeyFilter.hash(key, 0, key.length))) {
            int block = index.floor(key);
            if (block >= 0) {
                search(block, probe);
            }
        }
        if (!probe.isDone() && !ranges.isEmpty() && ranges.contains(key, 0, key.length)) {
            probe.delete(lastVersion);
        }
    }

    private void search(int block, Probe probe) throws IOException {
        long offset = index.offset(block);
        int count = Math.toIntExact(index.offset(block + 1) - offset);
        byte[] buffer = BlockBuffers.take(count);
        try {
            Sealed.readFully(file, offset, buffer, count);
            check(offset, buffer, count);
            new Block(buffer, 0, count, offset).search(probe);
        } finally {
            BlockBuffers.give(buffer);
        }
    }

    /** Reads and checks every block, and the order of all keys. The file is held. */
    public void verify() throws IOException {
        LayerCursor cursor = cursor();
        byte @Nullable [] before = null;
        long count = 0;
        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
            byte[] key = cursor.key();
            if (before != null && Arrays.compareUnsigned(before, key) >= 0) {
                throw new CorruptRecordException("keys are out of order", file.name(), 0, "entry=" + count);
            }
            before = key;
            count++;
        }
        if (count != entries) {
            throw new CorruptRecordException(
                    "count of entries is wrong", file.name(), 0, "expected=" + entries + ", found=" + count);
        }
    }

    /** Returns a cursor. Each read of it takes hold of the file, so that it fails cleanly if the file is gone. */
    public LayerCursor cursor() {
        return new FileCursor();
    }

    /** The entries of one block, checked before. */
    private final class Block {
        private final byte[] bytes;
        private final int from;
        private final int count;
        private final int table; // where the offsets of the entries are

        // Of the entry that was parsed last.
        int kind;
        int keyOffset;
        int keyLength;
        int valueOffset;
        int valueLength;
        long version;

        Block(byte[] bytes, int from, int length, long place) throws CorruptRecordException {
            this.bytes = bytes;
            this.from = from;
            int tail = SortedFormat.COUNT_LENGTH + SortedFormat.CHECKSUM_LENGTH;
            this.count = length < tail ? 0 : SortedFormat.getShort(bytes, from + length - tail);
            this.table = from + length - tail - count * SortedFormat.OFFSET_LENGTH;
            if (count == 0 || table < from) {
                throw new CorruptRecordException("block has no entries", file.name(), place, "count=" + count);
            }
        }

        void parse(int entry) {
            int position = from + SortedFormat.getShort(bytes, table + entry * SortedFormat.OFFSET_LENGTH);
            kind = bytes[position++];
            int shift = 0;
            keyLength = 0;
            for (int each = -1; each < 0; shift += 7) {
                each = bytes[position++];
                keyLength |= (each & 0x7F) << shift;
            }
            shift = 0;
            valueLength = 0;
            for (int each = -1; each < 0; shift += 7) {
                each = bytes[position++];
                valueLength |= (each & 0x7F) << shift;
            }
            shift = 0;
            long delta = 0;
            for (int each = -1; each < 0; shift += 7) {
                each = bytes[position++];
                delta |= (each & 0x7FL) << shift;
            }
            version = firstVersion + delta;
            keyOffset = position;
            valueOffset = position + keyLength;
        }

        /** Returns the number of the first entry whose key is not less. */
        int ceiling(byte[] key) {
            int low = 0;
            int high = count;
            while (low < high) {
                int middle = low + high >>> 1;
                parse(middle);
                if (Arrays.compareUnsigned(bytes, keyOffset, keyOffset + keyLength, key, 0, key.length) < 0) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low;
        }

        void search(Probe probe) {
            byte[] key = probe.key();
            int entry = ceiling(key);
            if (entry < count) {
                parse(entry);
                if (Arrays.equals(bytes, keyOffset, keyOffset + keyLength, key, 0, key.length)) {
                    byte[] value = Arrays.copyOfRange(bytes, valueOffset, valueOffset + valueLength);
                    probe.take(kind, value, 0, valueLength, version);
                }
            }
        }
    }

    /** Reads one block where it is sent, and several at once when it is seen to walk. */
    private final class FileCursor extends LayerCursor {
        private static final int AHEAD_BLOCKS = 32;
        private static final int AHEAD_LENGTH = 256 << 10;

        private byte[] buffer = new byte[0];
        private int firstBuffered;
        private int bufferedEnd; // the number after that of the last block in the buffer
        private int blockNumber = -1;
        private int entry;
        private @Nullable Block block;

        private boolean load(int wanted) throws IOException {
            if (wanted < 0 || wanted >= index.blocks()) {
                block = null;
                return false;
            }
            if (wanted < firstBuffered || wanted >= bufferedEnd) {
                fill(wanted);
            }
            long offset = index.offset(wanted);
            int from = (int) (offset - index.offset(firstBuffered));
            int count = (int) (index.offset(wanted + 1) - offset);
            check(offset, buffer, from, count);
            block = new Block(buffer, from, count, offset);
            blockNumber = wanted;
            return true;
        }

        private void fill(int wanted) throws IOException {
            int from = wanted;
            int to = wanted + 1;
            if (wanted == blockNumber + 1 && blockNumber >= 0) {
                to = Math.min(index.blocks(), wanted + AHEAD_BLOCKS);
            } else if (wanted == blockNumber - 1) {
                from = Math.max(0, to - AHEAD_BLOCKS);
            }
            while (to - from > 1 && index.offset(to) - index.offset(from) > AHEAD_LENGTH) {
                if (from < wanted) {
                    from++;
                } else {
                    to--;
                }
            }
            int count = Math.toIntExact(index.offset(to) - index.offset(from));
            // Entries that were shown may still be in use by the caller's next comparison: a new array each time.
            byte[] target = new byte[count];
            if (!acquire()) {
                throw new EngineClosedException("iterator or its engine is closed");
            }
            try {
                Sealed.readFully(file, index.offset(from), target, count);
            } finally {
                release();
            }
            buffer = target;
            firstBuffered = from;
            bufferedEnd = to;
        }

        private boolean show(int number) {
            Block present = block;
            if (present == null) {
                return false;
            }
            entry = number;
            present.parse(number);
            keySource = present.bytes;
            keyOffset = present.keyOffset;
            keyLength = present.keyLength;
            valueSource = present.bytes;
            valueOffset = present.valueOffset;
            valueLength = present.valueLength;
            version = present.version;
            kind = present.kind;
            takeOperands();
            return true;
        }

        @Override
        public boolean first() throws IOException {
            return load(0) && show(0);
        }

        @Override
        public boolean last() throws IOException {
            return load(index.blocks() - 1) && showLast();
        }

        private boolean showLast() {
            return block != null && show(block.count - 1);
        }

        @Override
        public boolean atOrAfter(byte[] key) throws IOException {
            int start = Math.max(0, index.floor(key));
            if (!load(start) || block == null) {
                return false;
            }
            int number = block.ceiling(key);
            return number < block.count ? show(number) : load(start + 1) && show(0);
        }

        @Override
        public boolean before(byte[] key) throws IOException {
            int start = index.floor(key);
            if (!load(start) || block == null) {
                return false;
            }
            int number = block.ceiling(key) - 1;
            return number >= 0 ? show(number) : load(start - 1) && showLast();
        }

        @Override
        public boolean next() throws IOException {
            if (block == null) {
                return false;
            }
            return entry + 1 < block.count ? show(entry + 1) : load(blockNumber + 1) && show(0);
        }

        @Override
        public boolean previous() throws IOException {
            if (block == null) {
                return false;
            }
            return entry > 0 ? show(entry - 1) : load(blockNumber - 1) && showLast();
        }
    }
}
