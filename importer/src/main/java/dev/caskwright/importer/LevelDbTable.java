package dev.caskwright.importer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A table of LevelDB: blocks of entries, an index of them, and a footer of 48 bytes that says where that is. A block is followed by a
 * byte for how it is stored and a checksum of both. An entry has a part of the key in common with the one before it. One block is in
 * memory at a time, and the index. For one thread.
 */
final class LevelDbTable {
    private static final int FOOTER = 48;
    private static final int MAGIC_BYTES = 8;
    private static final long MAGIC = 0xDB4775248B80FB57L;
    private static final int TRAILER = 5;
    private static final int PLAIN = 0;
    private static final int SNAPPY = 1;
    private static final int NUMBER_BYTES = 8;
    private static final int MAX_VARINT_BYTES = 10;

    /** LevelDB's are 4 KiB, and longer by one value. */
    private static final int LONG_BLOCK = 1 << 20;

    private static final int PIECE = 1 << 16;
    private static final String WRONG_CHECKSUM = "a block has a wrong checksum";

    /** Bytes whose checksum is right make no sense. */
    static final class MalformedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        MalformedException(String what) {
            super(what);
        }
    }

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private final Receiver receiver;
    private long blocksEnd;

    private LevelDbTable(Path path, FileChannel channel, Receiver receiver) throws IOException {
        this.path = path;
        this.channel = channel;
        this.size = channel.size();
        this.receiver = receiver;
    }

    static void visit(Path path, Receiver receiver, LevelDb.VersionVisitor visitor) throws IOException {
        SourceFile.checkRegular(path);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            new LevelDbTable(path, channel, receiver).visit(visitor);
        }
    }

    private void visit(LevelDb.VersionVisitor visitor) throws IOException {
        long footer = size - FOOTER;
        ByteBuffer handles = ByteBuffer.wrap(footer < 0 ? new byte[FOOTER] : read(footer, FOOTER))
                .order(ByteOrder.LITTLE_ENDIAN);
        if (handles.getLong(FOOTER - MAGIC_BYTES) != MAGIC) {
            receiver.damage(path, Math.max(0, footer), "a table has no sound end, it is left out");
            return;
        }
        try {
            varint(handles); // of an index of other things
            varint(handles);
            ByteBuffer index = block(varint(handles), varint(handles));
            if (index != null) {
                entries(index, (key, value) -> {
                    long offset = varint(value);
                    long length = varint(value);
                    if (offset < blocksEnd) {
                        receiver.damage(path, offset, "a block begins before the end of the one before it");
                        return;
                    }
                    ByteBuffer block = block(offset, length);
                    if (block != null) {
                        blocksEnd = offset + length;
                        versions(offset, block, visitor);
                    }
                });
            }
        } catch (MalformedException e) {
            receiver.damage(path, footer, "the index of a table makes no sense, what it would lead to is left out");
        }
    }

    private byte[] read(long offset, int length) throws IOException {
        return FileReads.read(channel, path, offset, length);
    }

    private void versions(long offset, ByteBuffer block, LevelDb.VersionVisitor visitor) throws IOException {
        try {
            entries(block, (internal, value) -> {
                int length = internal.length - NUMBER_BYTES;
                if (length < 0) {
                    throw new MalformedException("a key without a number");
                }
                long number =
                        ByteBuffer.wrap(internal).order(ByteOrder.LITTLE_ENDIAN).getLong(length);
                LevelDb.checkKind((int) number & 0xFF);
                visitor.version(Arrays.copyOf(internal, length), number, value);
            });
        } catch (MalformedException e) {
            receiver.damage(path, offset, "a block of a table makes no sense, its rest is left out");
        }
    }

    /** Returns what a block holds, or null after telling why not. */
    private @Nullable ByteBuffer block(long offset, long length) throws IOException {
        if (offset > size || length > size - offset - TRAILER) {
            receiver.damage(path, offset, "a block lies outside of its table");
            return null;
        }
        if (length > Integer.MAX_VALUE - 2 * TRAILER) {
            throw new IOException(
                    "a block is longer than an array: length=" + length + ", file=" + path + ", offset=" + offset);
        }
        int end = (int) length;
        if (end > LONG_BLOCK && !isSound(offset, end)) {
            receiver.damage(path, offset, WRONG_CHECKSUM);
            return null;
        }
        byte[] array = read(offset, end + TRAILER);
        ByteBuffer stored = ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
        CRC32C crc = new CRC32C();
        crc.update(array, 0, end + 1);
        if (LevelDbLog.masked(crc) != stored.getInt(end + 1)) {
            receiver.damage(path, offset, WRONG_CHECKSUM);
            return null;
        }
        int kind = stored.get(end);
        if (kind == PLAIN) {
            return stored.slice(0, end).order(ByteOrder.LITTLE_ENDIAN);
        }
        byte @Nullable [] unpacked = kind == SNAPPY ? Snappy.unpack(array, 0, end) : null;
        if (unpacked == null) {
            receiver.damage(
                    path,
                    offset,
                    kind == SNAPPY
                            ? "a block is not what Snappy packs"
                            : "a block is stored in a way that is not known: type=" + kind);
            return null;
        }
        return ByteBuffer.wrap(unpacked).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Sums a block without keeping it: its length may be damaged, since none of what the footer says has a checksum. */
    private boolean isSound(long offset, int length) throws IOException {
        CRC32C crc = new CRC32C();
        byte[] piece = new byte[PIECE];
        int summed = length + 1;
        for (int done = 0; done < summed; done += PIECE) {
            int count = Math.min(PIECE, summed - done);
            FileReads.read(channel, path, offset + done, piece, count);
            crc.update(piece, 0, count);
        }
        int sum = ByteBuffer.wrap(read(offset + summed, Integer.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getInt();
        return LevelDbLog.masked(crc) == sum;
    }

    private interface EntryVisitor {
        void entry(byte[] key, ByteBuffer value) throws IOException;
    }

    private static void entries(ByteBuffer bytes, EntryVisitor visitor) throws IOException {
        int length = bytes.limit();
        int restarts = length < Integer.BYTES ? -1 : bytes.getInt(length - Integer.BYTES);
        if (restarts < 0 || restarts > length / Integer.BYTES - 1) {
            throw new MalformedException("restarts=" + restarts);
        }
        bytes.limit(length - (restarts + 1) * Integer.BYTES);
        byte[] key = {};
        while (bytes.hasRemaining()) {
            long shared = varint(bytes);
            long own = varint(bytes);
            long valueLength = varint(bytes);
            if (shared > key.length || own > bytes.remaining() || valueLength > bytes.remaining() - own) {
                throw new MalformedException("an entry is longer than its block");
            }
            key = Arrays.copyOf(key, (int) (shared + own));
            bytes.get(key, (int) shared, (int) own);
            ByteBuffer value = bytes.slice(bytes.position(), (int) valueLength);
            bytes.position(bytes.position() + (int) valueLength);
            visitor.entry(key, value);
        }
    }

    /** Reads an unsigned number of variable length, below 2 to the 63rd. */
    static long varint(ByteBuffer bytes) {
        long value = 0;
        for (int i = 0; i < MAX_VARINT_BYTES; i++) {
            int next = readByte(bytes);
            value |= (next & 0x7FL) << 7 * i;
            if (next >= 0) {
                if (value < 0) {
                    break;
                }
                return value;
            }
        }
        throw new MalformedException("a number is too long");
    }

    static byte readByte(ByteBuffer bytes) {
        if (!bytes.hasRemaining()) {
            throw new MalformedException("something is cut short");
        }
        return bytes.get();
    }

    /** Reads a length and that many bytes, in place. */
    static ByteBuffer slice(ByteBuffer bytes) {
        long length = varint(bytes);
        if (length > bytes.remaining()) {
            throw new MalformedException("something is longer than what it is in");
        }
        ByteBuffer slice = bytes.slice(bytes.position(), (int) length);
        bytes.position(bytes.position() + (int) length);
        return slice;
    }

    static byte[] bytes(ByteBuffer from) {
        ByteBuffer slice = slice(from);
        byte[] bytes = new byte[slice.remaining()];
        slice.get(bytes);
        return bytes;
    }
}
