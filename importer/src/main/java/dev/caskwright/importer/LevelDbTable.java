package dev.caskwright.importer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A table of LevelDB: blocks of entries, an index of them, and a footer of 48 bytes that says where that is. A block is followed by a
 * byte for how it is stored and a checksum of both. An entry has a part of the key in common with the one before it.
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

    private LevelDbTable() {}

    /** Bytes whose checksum is right make no sense. */
    static final class MalformedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        MalformedException(String what) {
            super(what);
        }
    }

    static void visit(Path path, Receiver receiver, LevelDb.VersionVisitor visitor) throws IOException {
        byte[] table;
        try (SourceFile file = SourceFile.open(path)) {
            table = file.read(file.left());
        }
        int footer = table.length - FOOTER;
        ByteBuffer all = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
        if (footer < 0 || all.getLong(table.length - MAGIC_BYTES) != MAGIC) {
            receiver.damage(path, Math.max(0, footer), "a table has no sound end, it is left out");
            return;
        }
        try {
            ByteBuffer handles = all.duplicate().position(footer);
            varint(handles); // of an index of other things
            varint(handles);
            byte[] index = block(path, table, varint(handles), varint(handles), receiver);
            if (index != null) {
                entries(index, (key, value) -> {
                    long offset = varint(value);
                    byte[] block = block(path, table, offset, varint(value), receiver);
                    if (block != null) {
                        versions(path, offset, block, receiver, visitor);
                    }
                });
            }
        } catch (MalformedException e) {
            receiver.damage(path, footer, "the index of a table makes no sense, what it would lead to is left out");
        }
    }

    private static void versions(
            Path path, long offset, byte[] block, Receiver receiver, LevelDb.VersionVisitor visitor)
            throws IOException {
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
    private static byte @Nullable [] block(Path path, byte[] table, long offset, long length, Receiver receiver)
            throws IOException {
        if (offset < 0 || length < 0 || offset > table.length || length > table.length - offset - TRAILER) {
            receiver.damage(path, offset, "a block lies outside of its table");
            return null;
        }
        int start = (int) offset;
        int end = start + (int) length;
        CRC32C crc = new CRC32C();
        crc.update(table, start, end - start + 1);
        int sum = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN).getInt(end + 1);
        if (LevelDbLog.masked(crc) != sum) {
            receiver.damage(path, offset, "a block has a wrong checksum");
            return null;
        }
        byte @Nullable [] block = switch (table[end]) {
            case PLAIN -> Arrays.copyOfRange(table, start, end);
            case SNAPPY -> Snappy.unpack(table, start, end);
            default -> null;
        };
        if (block == null) {
            receiver.damage(path, offset, "a block is stored in a way that is not known: type=" + table[end]);
        }
        return block;
    }

    private interface EntryVisitor {
        void entry(byte[] key, ByteBuffer value) throws IOException;
    }

    private static void entries(byte[] block, EntryVisitor visitor) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
        int restarts = block.length < Integer.BYTES ? -1 : bytes.getInt(block.length - Integer.BYTES);
        if (restarts < 0 || restarts > block.length / Integer.BYTES - 1) {
            throw new MalformedException("restarts=" + restarts);
        }
        bytes.limit(block.length - (restarts + 1) * Integer.BYTES);
        byte[] key = {};
        while (bytes.hasRemaining()) {
            long shared = varint(bytes);
            long own = varint(bytes);
            long length = varint(bytes);
            if (shared > key.length || own > bytes.remaining() || length > bytes.remaining() - own) {
                throw new MalformedException("an entry is longer than its block");
            }
            key = Arrays.copyOf(key, (int) (shared + own));
            bytes.get(key, (int) shared, (int) own);
            ByteBuffer value = bytes.slice(bytes.position(), (int) length);
            bytes.position(bytes.position() + (int) length);
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
