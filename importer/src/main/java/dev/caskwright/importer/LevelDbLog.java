package dev.caskwright.importer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * A log of LevelDB: blocks of 32 KiB, in which a record is one piece or several, each with the checksum of its type and bytes, its
 * length, and its type. What is cut short at the end of the file, as a crash leaves it, is told as damage, since damage to a length
 * looks alike.
 */
final class LevelDbLog {
    private static final int BLOCK = 32 << 10;
    private static final int HEADER = 7;
    private static final int FULL = 1;
    private static final int FIRST = 2;
    private static final int MIDDLE = 3;
    private static final int LAST = 4;
    private static final int MASK = 0xA282EAD8;
    private static final String CUT_SHORT = "the last record is cut short, as a crash leaves it";

    private LevelDbLog() {}

    /** Takes a record, and where it begins. */
    interface RecordVisitor {
        void record(long offset, ByteBuffer bytes) throws IOException;
    }

    /** Returns a checksum as LevelDB stores it. */
    static int masked(CRC32C crc) {
        return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
    }

    static void read(Path path, Receiver receiver, RecordVisitor visitor) throws IOException {
        try (SourceFile file = SourceFile.open(path)) {
            ByteArrayOutputStream pieces = new ByteArrayOutputStream();
            long start = -1; // of the record whose pieces these are
            while (file.left() > 0) {
                int inBlock = (int) (file.position() % BLOCK);
                if (BLOCK - inBlock < HEADER) {
                    file.skip(Math.min(BLOCK - inBlock, file.left()));
                    continue;
                }
                long at = file.position();
                if (file.left() < HEADER) {
                    receiver.damage(path, at, CUT_SHORT);
                    return;
                }
                ByteBuffer header = ByteBuffer.wrap(file.read(HEADER)).order(ByteOrder.LITTLE_ENDIAN);
                int sum = header.getInt();
                int length = header.getShort() & 0xFFFF;
                int type = header.get();
                if (sum == 0 && length == 0 && type == 0) {
                    // Space that was taken ahead.
                    file.skip(Math.min(BLOCK - inBlock - HEADER, file.left()));
                    continue;
                }
                if (length > BLOCK - inBlock - HEADER) {
                    receiver.damage(path, at, "a piece of a record is longer than its block");
                    file.skip(Math.min(BLOCK - inBlock - HEADER, file.left()));
                    start = -1;
                    continue;
                }
                if (length > file.left()) {
                    receiver.damage(path, at, CUT_SHORT);
                    return;
                }
                byte[] bytes = file.read(length);
                CRC32C crc = new CRC32C();
                crc.update(type);
                crc.update(bytes);
                if (masked(crc) != sum) {
                    // Its length is in doubt, too, so what follows in the block cannot be found.
                    receiver.damage(
                            path, at, "a piece of a record has a wrong checksum, the rest of its block is left out");
                    file.skip(Math.min((BLOCK - file.position() % BLOCK) % BLOCK, file.left()));
                    start = -1;
                    continue;
                }
                if (type == FULL || type == FIRST) {
                    if (start >= 0) {
                        receiver.damage(path, start, "a record has no end");
                    }
                    pieces.reset();
                    start = at;
                } else if (type != MIDDLE && type != LAST) {
                    receiver.damage(path, at, "a piece of a record is of an unknown type: " + type);
                    continue;
                } else if (start < 0) {
                    continue; // the end of a record of which a part is damaged, or was told as such
                }
                pieces.writeBytes(bytes);
                if (type == FULL || type == LAST) {
                    visitor.record(start, ByteBuffer.wrap(pieces.toByteArray()));
                    start = -1;
                }
            }
            if (start >= 0) {
                receiver.damage(path, start, CUT_SHORT);
            }
        }
    }
}
