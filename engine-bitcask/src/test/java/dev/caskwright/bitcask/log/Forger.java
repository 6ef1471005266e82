package dev.caskwright.bitcask.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * Makes files of a store by docs/format.md alone: each checksum is right, whatever the numbers are. It shares no code with what it
 * attacks.
 */
final class Forger {
    static final int PUT = 1;
    static final int DELETE = 2;
    static final int UNKNOWN = 0xFFFF;

    private static final long HIGH = 0x1122_3344_5566_7788L;
    private static final long LOW = 0x99AA_BBCC_DDEE_FF00L;
    private static final long SEED = (HIGH ^ Long.rotateLeft(LOW, 32)) * 0x9E3779B97F4A7C15L;

    private Forger() {}

    private static ByteBuffer buffer(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    static int crc(byte[] bytes, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, to - from);
        return (int) crc.getValue();
    }

    static long fileSeed(long seed, long id) {
        long mixed = (seed ^ (id * 0xD6E8FEB86659FD93L)) * 0x9E3779B97F4A7C15L;
        return mixed ^ (mixed >>> 32);
    }

    static int mask(long seed, long offset) {
        long mixed = (seed + offset) * 0x9E3779B97F4A7C15L;
        return (int) (((mixed ^ (mixed >>> 29)) * 0xBF58476D1CE4E5B9L) >>> 32);
    }

    private static ByteBuffer header(String magic) {
        return buffer(64)
                .put(0, magic.getBytes(StandardCharsets.US_ASCII))
                .putInt(8, 1)
                .putLong(16, HIGH)
                .putLong(24, LOW);
    }

    private static byte[] sealed(ByteBuffer header) {
        return header.putInt(60, crc(header.array(), 0, 60)).array();
    }

    /** Returns a manifest; each edit begins with its type. */
    static byte[] manifest(long[]... edits) {
        int length = 1536;
        for (long[] edit : edits) {
            length += 16 + 8 * edit.length;
        }
        ByteBuffer manifest = buffer(length).put(0, sealed(header("CASKMANI")));
        int at = 1536;
        for (long[] edit : edits) {
            int content = 8 * (edit.length - 1);
            for (int i = 1; i < edit.length; i++) {
                manifest.putLong(at + 16 + 8 * i, edit[i]);
            }
            manifest.putInt(at + 4, content)
                    .putLong(at + 8, edit[0])
                    .putInt(at + 16, crc(manifest.array(), at + 24, at + 24 + content));
            manifest.putInt(at, crc(manifest.array(), at + 4, at + 24) ^ mask(SEED, at));
            at += 24 + content;
        }
        return manifest.array();
    }

    /** Returns a data file with the header of one that follows {@code previousId}, and these bytes after it. */
    static byte[] data(long id, long previousId, byte[]... records) {
        byte[] header = sealed(header("CASKDATA").putLong(32, id).putLong(40, previousId));
        int length = header.length;
        for (byte[] record : records) {
            length += record.length;
        }
        ByteBuffer file = buffer(length).put(header);
        for (byte[] record : records) {
            file.put(record);
        }
        return file.array();
    }

    /** Returns a record that says it has {@code valueLength} bytes of value, and has those of {@code value}. */
    static byte[] record(long id, long offset, int kind, long version, String key, byte[] value, int valueLength) {
        byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
        int body = 24 + keyBytes.length + value.length;
        ByteBuffer record = buffer((body + 7) / 8 * 8)
                .put(24, keyBytes)
                .put(24 + keyBytes.length, value)
                .putLong(8, version)
                .put(15, (byte) kind)
                .putShort(16, (short) keyBytes.length)
                .putShort(18, (short) UNKNOWN)
                .putInt(20, valueLength);
        record.putInt(4, crc(record.array(), 24, body));
        return record.putInt(0, crc(record.array(), 4, 24) ^ mask(fileSeed(SEED, id), offset))
                .array();
    }

    /** Returns a hint file of these blocks, and after them one with their checksums; the last two are none of entries. */
    static byte[] hints(long id, long dataLength, int entries, int filterLength, byte[]... blocks) {
        byte[] header = sealed(header("CASKHINT")
                .putInt(12, filterLength)
                .putLong(32, id)
                .putInt(40, (int) dataLength)
                .putInt(44, blocks.length - 2)
                .putInt(48, entries));
        ByteBuffer sums = buffer(4 * blocks.length);
        int length = 64 + 8 + sums.capacity();
        for (byte[] block : blocks) {
            length += 8 + block.length;
        }
        ByteBuffer file = buffer(length).put(header);
        for (byte[] block : blocks) {
            sums.putInt(putBlock(file, id, block));
        }
        putBlock(file, id, sums.array());
        return file.array();
    }

    /** Puts a block of a hint file; returns its checksum. */
    private static int putBlock(ByteBuffer file, long id, byte[] content) {
        int at = file.position();
        file.putInt(at + 4, content.length).put(at + 8, content);
        int checksum = crc(file.array(), at + 4, at + 8 + content.length) ^ mask(fileSeed(~SEED, id), at);
        file.putInt(at, checksum).position(at + 8 + content.length);
        return checksum;
    }

    /** Returns the sum by which a manifest believes a hint file or image whose last block is so long. */
    static long sum(byte[] file, int lastBlock) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        return bytes.getInt(file.length - 8 - lastBlock) & 0xFFFFFFFFL | (long) bytes.getInt(60) << 32;
    }

    /** Returns an image that has nothing but this table. */
    static byte[] image(long number, long nonce, int tableLength, long... table) {
        byte[] header = sealed(header("CASKIMAG")
                .putLong(32, number)
                .putLong(40, nonce)
                .putLong(48, 64)
                .putInt(56, tableLength));
        ByteBuffer file = buffer(72 + 8 * table.length).put(0, header).putInt(68, 8 * table.length);
        for (int i = 0; i < table.length; i++) {
            file.putLong(72 + 8 * i, table[i]);
        }
        int mask = mask(fileSeed(~SEED ^ nonce, number), 64);
        return file.putInt(64, crc(file.array(), 68, file.capacity()) ^ mask).array();
    }
}
