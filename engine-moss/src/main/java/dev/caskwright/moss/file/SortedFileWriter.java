package dev.caskwright.moss.file;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.LittleEndian;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.RangeSet;
import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;

/** Writes a sorted file from its start to its end. For one thread. */
public final class SortedFileWriter implements Closeable {
    private static final int FLUSH_LENGTH = 256 << 10;

    private final long storeId;
    private final long number;
    private final long firstVersion;
    private final long lastVersion;
    private final WritableFile file;

    private final Buffer pending = new Buffer(FLUSH_LENGTH + StorageEngine.MAX_KEY_LENGTH);
    private final Buffer offsets = new Buffer(256);
    private final Buffer index = new Buffer(1 << 12);
    private long written; // before the pending bytes
    private int blockStart; // in the pending bytes
    private int blockEntries;
    private int blocks;
    private long[] hashes = new long[256];
    private long entries;
    private boolean hasOperands;
    private byte[] firstKey = new byte[0];

    /**
     * Creates the file.
     *
     * @param firstVersion no more than that of any entry
     * @param lastVersion the last version of the layers that the entries come from
     */
    public SortedFileWriter(
            IoManager io, long storeId, long number, long firstVersion, long lastVersion, long expectedLength)
            throws IOException {
        this.storeId = storeId;
        this.number = number;
        this.firstVersion = firstVersion;
        this.lastVersion = lastVersion;
        this.file = io.createSequential(FileNames.sorted(number), expectedLength);
    }

    /** Adds the present entry of a cursor. */
    public void add(MergingCursor cursor) throws IOException {
        int keyLength = cursor.keyLength();
        int valueLength = cursor.valueLength();
        long length = 1L + 3 * LittleEndian.LONGEST + keyLength + valueLength;
        if (blockEntries > 0 && pending.length() - blockStart + length > SortedFormat.BLOCK_LENGTH) {
            endBlock();
        }
        if (pending.length() + length > FLUSH_LENGTH && blockEntries == 0) {
            flush();
        }
        if (blockEntries == 0) {
            firstKey = cursor.key();
        }
        offsets.addShort(pending.length() - blockStart);
        pending.addByte(cursor.kind());
        pending.addVar(keyLength);
        pending.addVar(valueLength);
        pending.addVar(cursor.version() - firstVersion);
        pending.add(cursor.keySource(), cursor.keyOffset(), keyLength);
        if (valueLength > 0) {
            pending.add(cursor.valueSource(), cursor.valueOffset(), valueLength);
        }
        blockEntries++;
        if (entries == hashes.length) {
            hashes = Arrays.copyOf(hashes, Math.multiplyExact(2, hashes.length));
        }
        hashes[(int) entries++] = KeyFilter.hash(cursor.keySource(), cursor.keyOffset(), keyLength);
        hasOperands |= cursor.kind() == Kind.MERGES;
        if (pending.length() - blockStart >= SortedFormat.BLOCK_LENGTH) {
            endBlock();
        }
    }

    private void endBlock() throws IOException {
        pending.add(offsets.bytes(), 0, offsets.length());
        pending.addShort(blockEntries);
        int length = seal(blockStart);
        index.addVar(length);
        index.addVar(firstKey.length);
        index.add(firstKey, 0, firstKey.length);
        offsets.clear();
        blockEntries = 0;
        blocks++;
        blockStart = pending.length();
        if (pending.length() >= FLUSH_LENGTH - 2 * SortedFormat.BLOCK_LENGTH) {
            flush();
        }
    }

    /** Adds the checksum of the pending bytes from a start on; returns the length of the whole. */
    private int seal(int start) {
        pending.addInt(
                Sealed.checksum(storeId, number, written + start, pending.bytes(), start, pending.length() - start));
        return pending.length() - start;
    }

    private void flush() throws IOException {
        if (pending.length() > 0) {
            file.write(written, pending.bytes(), 0, pending.length());
            written += pending.length();
            pending.clear();
            blockStart = 0;
        }
    }

    /** Returns how many bytes were written so far, about. */
    public long length() {
        return written + pending.length();
    }

    /** Writes what follows the entries, and forces the file. */
    public void finish(RangeSet ranges) throws IOException {
        if (blockEntries > 0) {
            endBlock();
        }
        flush();
        byte[] footer = new byte[SortedFormat.FOOTER_LENGTH];
        LittleEndian.putLong(footer, SortedFormat.INDEX_OFFSET, written);
        LittleEndian.putInt(footer, SortedFormat.INDEX_LENGTH_OFFSET, section(index.bytes(), index.length()));
        KeyFilter filter = KeyFilter.forKeys(entries);
        for (int i = 0; i < entries; i++) {
            filter.add(hashes[i]);
        }
        LittleEndian.putInt(footer, SortedFormat.FILTER_LENGTH_OFFSET, section(filter.bits(), filter.bits().length));
        Buffer stored = new Buffer(64);
        for (int i = 0; i < ranges.size(); i++) {
            stored.addVar(ranges.from(i).length);
            stored.add(ranges.from(i), 0, ranges.from(i).length);
            stored.addVar(ranges.to(i).length);
            stored.add(ranges.to(i), 0, ranges.to(i).length);
        }
        LittleEndian.putInt(footer, SortedFormat.RANGES_LENGTH_OFFSET, section(stored.bytes(), stored.length()));
        LittleEndian.putLong(footer, SortedFormat.MAGIC_OFFSET, SortedFormat.MAGIC);
        LittleEndian.putInt(footer, SortedFormat.VERSION_OFFSET, SortedFormat.VERSION);
        LittleEndian.putInt(footer, SortedFormat.FLAGS_OFFSET, hasOperands ? SortedFormat.HAS_OPERANDS : 0);
        LittleEndian.putLong(footer, SortedFormat.STORE_OFFSET, storeId);
        LittleEndian.putLong(footer, SortedFormat.NUMBER_OFFSET, number);
        LittleEndian.putLong(footer, SortedFormat.ENTRIES_OFFSET, entries);
        LittleEndian.putLong(footer, SortedFormat.FIRST_VERSION_OFFSET, firstVersion);
        LittleEndian.putLong(footer, SortedFormat.LAST_VERSION_OFFSET, lastVersion);
        LittleEndian.putInt(footer, SortedFormat.BLOCKS_OFFSET, blocks);
        pending.add(footer, 0, SortedFormat.FOOTER_CHECKSUM_OFFSET);
        seal(0);
        flush();
        file.force();
    }

    private int section(byte[] bytes, int length) throws IOException {
        pending.add(bytes, 0, length);
        int whole = seal(0);
        flush();
        return whole;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
