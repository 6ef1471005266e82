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

    private final SourceFile file;
    private final Receiver receiver;
    private final RecordVisitor visitor;
    private final ByteArrayOutputStream pieces = new ByteArrayOutputStream();
    private long start = -1; // of the record whose pieces these are
    private boolean isBroken; // the record whose pieces come now, and that was told
    private long zerosAt = -1;

    private LevelDbLog(SourceFile file, Receiver receiver, RecordVisitor visitor) {
        this.file = file;
        this.receiver = receiver;
        this.visitor = visitor;
    }

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
            new LevelDbLog(file, receiver, visitor).read();
        }
    }

    private void read() throws IOException {
        while (file.left() > 0) {
            int leftInBlock = BLOCK - (int) (file.position() % BLOCK);
            if (leftInBlock < HEADER) {
                file.skip(Math.min(leftInBlock, file.left()));
                continue;
            }
            long at = file.position();
            if (file.left() < HEADER) {
                receiver.damage(file.path(), at, CUT_SHORT);
                return;
            }
            ByteBuffer header = ByteBuffer.wrap(file.read(HEADER)).order(ByteOrder.LITTLE_ENDIAN);
            int sum = header.getInt();
            int length = header.getShort() & 0xFFFF;
            int type = header.get();
            int room = leftInBlock - HEADER;
            if (sum == 0 && length == 0 && type == 0) {
                zeros(at, file.read(Math.min(room, file.left())));
                continue;
            }
            if (zerosAt >= 0) {
                broken(zerosAt, "there are zeros before the end");
                zerosAt = -1;
            }
            if (length > room) {
                broken(at, "a piece of a record is longer than its block");
                file.skip(Math.min(room, file.left()));
            } else if (length > file.left()) {
                receiver.damage(file.path(), at, CUT_SHORT);
                return;
            } else {
                byte[] bytes = file.read(length);
                CRC32C crc = new CRC32C();
                crc.update(type);
                crc.update(bytes);
                if (masked(crc) == sum) {
                    piece(at, type, bytes);
                } else {
                    // Its length is in doubt, too, so what follows in the block cannot be found.
                    broken(at, "a piece of a record has a wrong checksum, the rest of its block is left out");
                    file.skip(Math.min(room - length, file.left()));
                }
            }
        }
        if (start >= 0) {
            receiver.damage(file.path(), start, CUT_SHORT);
        }
    }

    /** Passes over space that was taken ahead, which the end of a log may have. */
    private void zeros(long at, byte[] rest) throws IOException {
        for (byte each : rest) {
            if (each != 0) {
                broken(at, "there are zeros before the end, the rest of their block is left out");
                return;
            }
        }
        if (zerosAt < 0) {
            zerosAt = at;
        }
    }

    private void broken(long at, String what) throws IOException {
        receiver.damage(file.path(), at, what);
        start = -1;
        isBroken = true;
    }

    private void piece(long at, int type, byte[] bytes) throws IOException {
        switch (type) {
            case FULL, FIRST -> {
                // Old versions left an empty piece at the end of a block.
                if (start >= 0 && pieces.size() > 0) {
                    receiver.damage(file.path(), start, "a record has no end");
                }
                pieces.reset();
                start = at;
                isBroken = false;
            }
            case MIDDLE, LAST -> {
                if (start < 0) {
                    if (!isBroken) {
                        broken(at, "a record has no beginning");
                    }
                    return; // the end of a record of which a part is damaged
                }
            }
            default -> {
                broken(at, "a piece of a record is of an unknown type: " + type);
                return;
            }
        }
        pieces.writeBytes(bytes);
        if (type == FULL || type == LAST) {
            visitor.record(start, ByteBuffer.wrap(pieces.toByteArray()));
            start = -1;
        }
    }
}
