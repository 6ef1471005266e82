package dev.caskwright.bitcask.log.image;

import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.BlockSums;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.LogPosition;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.keys.FileKey;
import dev.caskwright.bitcask.log.keys.KeyRing;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The layout of an image of the key index, and how one is read. A cache: if it is missing, damaged or not the one that the
 * manifest names, the hint files are read instead.
 *
 * <pre>
 * 0      8               12      16               32       40      48         56            60         64
 * | magic | formatVersion | zeros | storeId: 2 x 8 | number | nonce | tableAt | tableLength | checksum | blocks ... | table
 *
 * block: | checksum | length | bytes of the index ...
 * table: | checksum | length | from | to | bytes of the index: 8 | files: 4 | format: 4 | n x file | name of the format | m x sum: 4
 * file:  | id | slot | length | live bytes |
 * </pre>
 *
 * <p>The checksums of blocks and table cover what follows them, combined with a mask of store, number, nonce and offset;
 * that of the header covers the header before it. The header is written last. The table has the checksum of each block, and
 * the manifest has a sum made of the checksums of header and table: so nothing else passes for the image that was saved.
 *
 * <p>In an encrypted image the content of each block is a nonce, bytes of the index, and a tag ({@link FileKey#encryptBlock}),
 * bound to the image and the offset. The table is not encrypted: it has lengths and numbers. It ends with a {@link KeyNote}
 * and a nonce and tag of no bytes, which is bound to all of the table before.
 *
 * <p>{@code from} and {@code to} are places in the log: where it ended when the saving of the index began, and when that
 * had ended. The index's bytes say of a key what it was at some moment between them; the table is as of {@code to}.
 */
public final class ImageFile {
    static final int FORMAT_VERSION = 1;

    /** That of an encrypted image. */
    static final int ENCRYPTED_VERSION = 2;

    public static final int HEADER_LENGTH = FileHeader.LENGTH;
    public static final int BLOCK_LENGTH = 256 << 10;

    private static final long MAGIC = 0x47_41_4D_49_4B_53_41_43L; // "CASKIMAG"
    private static final int TABLE_FIXED = 32;
    private static final int TABLE_FILE = 32;
    private static final int MAX_FORMAT_NAME = 1 << 10;

    /** What the table of an encrypted image has at its end. */
    private static final int TRAILER = KeyNote.LENGTH + FileKey.BLOCK_OVERHEAD;

    /** A file as it was when the image ended. */
    public record Known(long id, int slot, long length, long liveBytes) {}

    /** What an image says about the log. */
    public record Table(long from, long to, long indexBytes, List<Known> files, String format) {}

    /** Says that bytes are not those that were written. */
    public static final class DamagedImageException extends IOException {
        private static final long serialVersionUID = 1L;

        DamagedImageException(String file, long offset) {
            super("bad block in an image of the key index: file=" + file + ", offset=" + offset);
        }
    }

    private final Manifest.Image image;
    private final StoreId store;
    private final long tableAt;
    private final Table table;
    private final int[] sums; // the checksums of the blocks
    private final @Nullable FileKey key; // null if the image is not encrypted

    private ImageFile(
            Manifest.Image image, StoreId store, long tableAt, Table table, int[] sums, @Nullable FileKey key) {
        this.image = image;
        this.store = store;
        this.tableAt = tableAt;
        this.table = table;
        this.sums = sums;
        this.key = key;
    }

    public Manifest.Image image() {
        return image;
    }

    public Table table() {
        return table;
    }

    /**
     * Reads header and table of an image that exists; null if they are not sound, or not of this image.
     *
     * @param mostFiles how many data files there are at most; a table with more is not of this log
     * @throws dev.caskwright.api.EncryptionException if it is encrypted, and its key is not there or is another one
     */
    public static @Nullable ImageFile read(
            IoManager io, StoreId store, Manifest.Image image, int mostFiles, KeyRing keys) throws IOException {
        try (ReadableFile file = io.open(image.name())) {
            byte[] header = new byte[HEADER_LENGTH];
            boolean sound = FileHeader.isSound(header, file.read(0, header, 0, HEADER_LENGTH), MAGIC)
                    && isKnown(FileHeader.formatVersion(header))
                    && FileHeader.store(header).equals(store)
                    && (long) RecordFormat.LONG.get(header, 32) == image.number()
                    && (long) RecordFormat.LONG.get(header, 40) == image.nonce()
                    && FileHeader.checksum(header) == (int) (image.sum() >>> Integer.SIZE);
            if (!sound) {
                return null;
            }
            long tableAt = (long) RecordFormat.LONG.get(header, 48);
            int length = (int) RecordFormat.INT.get(header, 56);
            int trailer = FileHeader.formatVersion(header) == ENCRYPTED_VERSION ? TRAILER : 0;
            // Compared with what is there before anything is allocated.
            if (tableAt < HEADER_LENGTH
                    || length < TABLE_FIXED + trailer
                    || length
                            > TABLE_FIXED
                                    + trailer
                                    + MAX_FORMAT_NAME
                                    + (long) TABLE_FILE * mostFiles
                                    + Integer.BYTES * (1 + tableAt / BLOCK_LENGTH)
                    || tableAt > file.length() - Block.HEADER_LENGTH - length) {
                return null;
            }
            byte[] block = new byte[Block.HEADER_LENGTH + length];
            if (file.read(tableAt, block, 0, block.length) < block.length
                    || !Block.isSound(block, 0, length, mask(store, image, tableAt))
                    || BlockSums.sum(header, block) != image.sum()) {
                return null;
            }
            Table table = decode(block, trailer);
            if (table == null || !isPossible(table, tableAt)) {
                return null;
            }
            int end = block.length - trailer;
            KeyNote note = trailer == 0 ? null : KeyNote.decode(block, end);
            FileKey key = keys.open(note, image.name());
            boolean isTrue = trailer == 0
                    || (key != null
                            && key.decryptBlock(
                                    block,
                                    end + KeyNote.LENGTH,
                                    FileKey.BLOCK_OVERHEAD,
                                    context(image, tableAt, Arrays.copyOf(block, end))));
            return isTrue ? new ImageFile(image, store, tableAt, table, sums(block, table, end), key) : null;
        }
    }

    private static boolean isKnown(int formatVersion) {
        return formatVersion == FORMAT_VERSION || formatVersion == ENCRYPTED_VERSION;
    }

    /** Returns what an encrypted block is bound to: image and offset, and for that of the table, what is in it. */
    private static byte[] context(Manifest.Image image, long offset, byte[] table) {
        byte[] context = new byte[4 * Long.BYTES + Math.max(0, table.length - Block.HEADER_LENGTH)];
        RecordFormat.LONG.set(context, 0, MAGIC);
        RecordFormat.LONG.set(context, 8, image.number());
        RecordFormat.LONG.set(context, 16, image.nonce());
        RecordFormat.LONG.set(context, 24, offset);
        if (table.length > 0) {
            System.arraycopy(table, Block.HEADER_LENGTH, context, 4 * Long.BYTES, table.length - Block.HEADER_LENGTH);
        }
        return context;
    }

    /** Returns what a block at an offset is bound to. */
    static byte[] context(Manifest.Image image, long offset) {
        return context(image, offset, new byte[0]);
    }

    /** Returns a table, as {@link #encodeTable} has made it, with what says by which key the image is encrypted. */
    static byte[] withKey(byte[] table, Manifest.Image image, long tableAt, FileKey key) {
        byte[] block = Arrays.copyOf(table, table.length + TRAILER);
        key.note().encode(block, table.length);
        key.encryptBlock(block, 0, 0, block, table.length + KeyNote.LENGTH, context(image, tableAt, table));
        return block;
    }

    /** A right checksum does not make a table possible: anyone who can make files can make checksums. */
    private static boolean isPossible(Table table, long tableAt) {
        if (table.from() < 0
                || table.from() > table.to()
                || table.to() > LogPosition.of(FileNames.MAX_NUMBER + 1, 0)
                || table.indexBytes() < 0
                || table.indexBytes() > tableAt) {
            return false;
        }
        for (Known file : table.files()) {
            boolean isPossible = FileNames.isFileNumber(file.id())
                    && file.slot() >= 0
                    && file.slot() < Locator.MAX_SLOTS
                    && file.length() >= HEADER_LENGTH
                    && file.length() <= RecordFormat.MAX_FILE_LENGTH
                    && file.liveBytes() >= 0
                    && file.liveBytes() <= 2 * file.length(); // sizes in locators are rounded up
            if (!isPossible) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable Table decode(byte[] block, int trailer) {
        int at = Block.HEADER_LENGTH + TABLE_FIXED;
        int count = (int) RecordFormat.INT.get(block, Block.HEADER_LENGTH + 24);
        int nameLength = (int) RecordFormat.INT.get(block, Block.HEADER_LENGTH + 28);
        long indexBytes = (long) RecordFormat.LONG.get(block, Block.HEADER_LENGTH + 16);
        boolean isPossible = count >= 0
                && nameLength >= 0
                && nameLength <= MAX_FORMAT_NAME
                && indexBytes >= 0
                && at + (long) count * TABLE_FILE + nameLength + blocks(indexBytes) * Integer.BYTES + trailer
                        == block.length;
        if (!isPossible) {
            return null;
        }
        List<Known> files = new ArrayList<>(count);
        for (int i = 0; i < count; i++, at += TABLE_FILE) {
            files.add(new Known(
                    (long) RecordFormat.LONG.get(block, at),
                    slot((long) RecordFormat.LONG.get(block, at + 8)),
                    (long) RecordFormat.LONG.get(block, at + 16),
                    (long) RecordFormat.LONG.get(block, at + 24)));
        }
        return new Table(
                (long) RecordFormat.LONG.get(block, Block.HEADER_LENGTH),
                (long) RecordFormat.LONG.get(block, Block.HEADER_LENGTH + 8),
                indexBytes,
                files,
                new String(block, at, nameLength, StandardCharsets.UTF_8));
    }

    /** Returns the checksums that a table has up to its end. */
    private static int[] sums(byte[] block, Table table, int end) {
        int[] sums = new int[(int) blocks(table.indexBytes())];
        int at = end - sums.length * Integer.BYTES;
        for (int i = 0; i < sums.length; i++) {
            sums[i] = (int) RecordFormat.INT.get(block, at + i * Integer.BYTES);
        }
        return sums;
    }

    /** Returns a slot that a table has, or -1 if there is no such slot. */
    private static int slot(long slot) {
        return slot >= 0 && slot < Locator.MAX_SLOTS ? (int) slot : -1;
    }

    public static byte[] encodeHeader(
            StoreId store, Manifest.Image image, long tableAt, int tableLength, boolean isEncrypted) {
        byte[] header = FileHeader.begin(MAGIC, isEncrypted ? ENCRYPTED_VERSION : FORMAT_VERSION, store);
        RecordFormat.LONG.set(header, 32, image.number());
        RecordFormat.LONG.set(header, 40, image.nonce());
        RecordFormat.LONG.set(header, 48, tableAt);
        RecordFormat.INT.set(header, 56, tableLength);
        return FileHeader.seal(header);
    }

    /**
     * Returns a table with room for its block's header before it.
     *
     * @param sums the checksums of the blocks
     */
    public static byte[] encodeTable(Table table, int[] sums) {
        byte[] name = table.format().getBytes(StandardCharsets.UTF_8);
        int at = Block.HEADER_LENGTH + TABLE_FIXED;
        byte[] block = new byte[at + table.files().size() * TABLE_FILE + name.length + sums.length * Integer.BYTES];
        RecordFormat.LONG.set(block, Block.HEADER_LENGTH, table.from());
        RecordFormat.LONG.set(block, Block.HEADER_LENGTH + 8, table.to());
        RecordFormat.LONG.set(block, Block.HEADER_LENGTH + 16, table.indexBytes());
        RecordFormat.INT.set(block, Block.HEADER_LENGTH + 24, table.files().size());
        RecordFormat.INT.set(block, Block.HEADER_LENGTH + 28, name.length);
        for (Known file : table.files()) {
            RecordFormat.LONG.set(block, at, file.id());
            RecordFormat.LONG.set(block, at + 8, (long) file.slot());
            RecordFormat.LONG.set(block, at + 16, file.length());
            RecordFormat.LONG.set(block, at + 24, file.liveBytes());
            at += TABLE_FILE;
        }
        System.arraycopy(name, 0, block, at, name.length);
        at += name.length;
        for (int i = 0; i < sums.length; i++) {
            RecordFormat.INT.set(block, at + i * Integer.BYTES, sums[i]);
        }
        return block;
    }

    public static int mask(StoreId store, Manifest.Image image, long offset) {
        return RecordFormat.mask(RecordFormat.fileSeed(~store.seed() ^ image.nonce(), image.number()), offset);
    }

    /**
     * Fills an empty index; returns false if the index does not take these bytes for an image. If this throws, the index
     * is empty as well.
     *
     * @throws DamagedImageException if a block is not sound that the index reads at once
     */
    public boolean load(IoManager io, PersistentKeyIndex index, PersistentKeyIndex.Refill refill) throws IOException {
        return index.load(open(io), refill);
    }

    /** Reads every block. */
    public boolean isWhole(IoManager io) throws IOException {
        try (PersistentKeyIndex.Image opened = open(io);
                PersistentKeyIndex.ImageSource source = opened.source(0, opened.length())) {
            byte[] buffer = new byte[BLOCK_LENGTH];
            while (source.remaining() > 0) {
                source.read(buffer, 0, (int) Math.min(buffer.length, source.remaining()));
            }
            return true;
        } catch (DamagedImageException e) {
            return false;
        }
    }

    private PersistentKeyIndex.Image open(IoManager io) throws IOException {
        long count = blocks(table.indexBytes());
        if (HEADER_LENGTH + table.indexBytes() + count * (Block.HEADER_LENGTH + overhead()) != tableAt) {
            throw new DamagedImageException(image.name(), tableAt);
        }
        return new Opened(io.open(image.name()));
    }

    private static long blocks(long indexBytes) {
        return indexBytes / BLOCK_LENGTH + (indexBytes % BLOCK_LENGTH == 0 ? 0 : 1);
    }

    /** Reads and verifies the block of that number, whose content is of that length. */
    private void readBlock(ReadableFile file, long number, byte[] block, int length) throws IOException {
        int stored = length + overhead();
        long offset = HEADER_LENGTH + number * (Block.HEADER_LENGTH + BLOCK_LENGTH + overhead());
        int read = file.read(offset, block, 0, Block.HEADER_LENGTH + stored);
        if (read < Block.HEADER_LENGTH + stored
                || Block.checksum(block) != sums[(int) number]
                || !Block.isSound(block, 0, stored, mask(store, image, offset))
                || (key != null && !key.decryptBlock(block, Block.HEADER_LENGTH, stored, context(image, offset)))) {
            throw new DamagedImageException(file.name(), offset);
        }
    }

    /** Returns by how much the content of a block is longer than what is in it. */
    private int overhead() {
        return key == null ? 0 : FileKey.BLOCK_OVERHEAD;
    }

    /** The bytes of the index in an open file. */
    private final class Opened implements PersistentKeyIndex.Image {
        private final ReadableFile file;

        Opened(ReadableFile file) {
            this.file = file;
        }

        @Override
        public long length() {
            return table.indexBytes();
        }

        @Override
        public PersistentKeyIndex.ImageSource source(long from, long length) throws IOException {
            if (from < 0 || length < 0 || length > length() - from) {
                throw new EOFException("the image has fewer bytes: from=" + from + ", length=" + length);
            }
            return new Source(file, from, length);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Verifies each block before it gives a byte of it away. Very many are read ahead by a thread. */
    private final class Source implements PersistentKeyIndex.ImageSource {
        private final ImageBlocks blocks;
        private long next;
        private long remaining;
        private byte[] block = {};
        private int position;
        private int limit;

        Source(ReadableFile file, long from, long length) {
            next = from;
            remaining = length;
            long first = from / BLOCK_LENGTH;
            long count = length == 0 ? 0 : (from + length - 1) / BLOCK_LENGTH - first + 1;
            blocks = new ImageBlocks(count, (number, target) -> {
                readBlock(file, first + number, target, lengthOf(first + number));
            });
        }

        private int lengthOf(long block) {
            return (int) Math.min(BLOCK_LENGTH, table.indexBytes() - block * BLOCK_LENGTH);
        }

        @Override
        public long remaining() {
            return remaining;
        }

        @Override
        public void read(byte[] target, int targetOffset, int length) throws IOException {
            if (length > remaining) {
                throw new EOFException("the image has fewer bytes: wanted=" + length + ", left=" + remaining);
            }
            for (int done = 0; done < length; ) {
                if (position == limit) {
                    block = blocks.next();
                    position = Block.HEADER_LENGTH + (int) (next % BLOCK_LENGTH);
                    limit = Block.HEADER_LENGTH + lengthOf(next / BLOCK_LENGTH);
                }
                int count = Math.min(length - done, limit - position);
                System.arraycopy(block, position, target, targetOffset + done, count);
                position += count;
                done += count;
                next += count;
                remaining -= count;
            }
        }

        @Override
        public void close() {
            blocks.close();
        }
    }
}
