package dev.caskwright.bitcask.log;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;

/**
 * Makes hint files and images that say something else than those of a store, by docs/format.md alone: each checksum is right, and
 * only the sum that the manifest has is not. It shares no code with what it attacks.
 */
public final class CacheForger {
    private static final int BLOCK = 256 << 10;

    private CacheForger() {}

    /** An entry of a hint file. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Hint(int kind, long place, byte[] key) {}

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int crc(byte[] bytes, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, to - from);
        return (int) crc.getValue();
    }

    private static long storeSeed(ByteBuffer header) {
        return (header.getLong(16) ^ Long.rotateLeft(header.getLong(24), 32)) * 0x9E3779B97F4A7C15L;
    }

    private static long fileSeed(long seed, long id) {
        long mixed = (seed ^ (id * 0xD6E8FEB86659FD93L)) * 0x9E3779B97F4A7C15L;
        return mixed ^ (mixed >>> 32);
    }

    private static int mask(long seed, long offset) {
        long mixed = (seed + offset) * 0x9E3779B97F4A7C15L;
        return (int) (((mixed ^ (mixed >>> 29)) * 0xBF58476D1CE4E5B9L) >>> 32);
    }

    /** Appends a block; returns its checksum. */
    private static int append(ByteArrayOutputStream file, long seed, byte[] content) {
        ByteBuffer block =
                buffer(new byte[8 + content.length]).putInt(4, content.length).put(8, content);
        int checksum = crc(block.array(), 4, block.capacity()) ^ mask(seed, file.size());
        file.writeBytes(block.putInt(0, checksum).array());
        return checksum;
    }

    /** Returns the entries of a hint file. */
    public static List<Hint> entries(byte[] file) {
        ByteBuffer bytes = buffer(file);
        List<Hint> entries = new ArrayList<>();
        int at = 64;
        for (int block = 0; block < bytes.getInt(44); block++) {
            int end = at + 8 + bytes.getInt(at + 4);
            for (at += 8; at < end; ) {
                long word = bytes.getLong(at);
                int length = (int) (word >>> 48);
                byte[] key = Arrays.copyOfRange(file, at + 8, at + 8 + length);
                entries.add(new Hint((int) (word >>> 44) & 15, word & (1L << 44) - 1, key));
                at += 8 + length;
            }
        }
        return entries;
    }

    /** Returns a hint file as another one, with these few entries, and a filter that says yes to every key. */
    public static byte[] hints(byte[] file, List<Hint> entries) {
        return hints(file, entries, (byte) 0xFF);
    }

    /** As {@link #hints(byte[], List)}, with a filter of these bits: one of zeros says no to every key. */
    public static byte[] hints(byte[] file, List<Hint> entries, byte filterBits) {
        ByteBuffer header = buffer(Arrays.copyOf(file, 64));
        long seed = fileSeed(~storeSeed(header), header.getLong(32));
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (Hint each : entries) {
            long word = each.place() | (long) each.kind() << 44 | (long) each.key().length << 48;
            content.writeBytes(buffer(new byte[8]).putLong(0, word).array());
            content.writeBytes(each.key());
        }
        byte[] filter = new byte[Math.max(8, entries.size() * 10 / 8 + 1)];
        Arrays.fill(filter, filterBits);
        int oldSums = 8 + 4 * (header.getInt(44) + 2);
        int expiries = file.length - oldSums - 8 - header.getInt(12) - 160;
        ByteArrayOutputStream forged = new ByteArrayOutputStream();
        forged.writeBytes(new byte[64]);
        List<Integer> sums = new ArrayList<>();
        if (content.size() > 0) {
            sums.add(append(forged, seed, content.toByteArray()));
        }
        header.putInt(12, filter.length).putInt(44, sums.size()).putInt(48, entries.size());
        sums.add(append(forged, seed, Arrays.copyOfRange(file, expiries, expiries + 160)));
        sums.add(append(forged, seed, filter));
        append(forged, seed, ints(sums));
        return with(forged, header);
    }

    /** Returns the bytes of the index in an image. */
    public static byte[] indexBytes(byte[] image) {
        ByteBuffer file = buffer(image);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int at = 64; at < (int) file.getLong(48); ) {
            int length = file.getInt(at + 4);
            bytes.write(image, at + 8, length);
            at += 8 + length;
        }
        return bytes.toByteArray();
    }

    /** Returns an image as another one, with other bytes of the index. */
    public static byte[] image(byte[] file, UnaryOperator<byte[]> change) {
        ByteBuffer header = buffer(Arrays.copyOf(file, 64));
        long seed = fileSeed(~storeSeed(header) ^ header.getLong(40), header.getLong(32));
        int oldTable = (int) header.getLong(48);
        byte[] truth = indexBytes(file);
        int blocks = (truth.length + BLOCK - 1) / BLOCK;
        byte[] content = change.apply(truth);
        ByteArrayOutputStream forged = new ByteArrayOutputStream();
        forged.writeBytes(new byte[64]);
        List<Integer> sums = new ArrayList<>();
        for (int from = 0; from < content.length; from += BLOCK) {
            sums.add(append(forged, seed, Arrays.copyOfRange(content, from, Math.min(content.length, from + BLOCK))));
        }
        byte[] tableStart = Arrays.copyOfRange(file, oldTable + 8, file.length - 4 * blocks);
        byte[] newSums = ints(sums);
        ByteBuffer table = buffer(Arrays.copyOf(tableStart, tableStart.length + newSums.length));
        table.putLong(16, content.length).put(tableStart.length, newSums);
        header.putLong(48, forged.size()).putInt(56, table.capacity());
        append(forged, seed, table.array());
        return with(forged, header);
    }

    /** Returns an image as another one, which has so many live bytes of each file. */
    public static byte[] imageOfLiveBytes(byte[] file, LongUnaryOperator change) {
        byte[] forged = image(file, bytes -> bytes);
        ByteBuffer image = buffer(forged);
        int table = (int) image.getLong(48);
        int files = image.getInt(table + 8 + 24);
        for (int i = 0; i < files; i++) {
            int at = table + 8 + 32 + 32 * i;
            image.putLong(at + 24, change.applyAsLong(image.getLong(at + 16)));
        }
        long seed = fileSeed(~storeSeed(image) ^ image.getLong(40), image.getLong(32));
        image.putInt(table, crc(forged, table + 4, forged.length) ^ mask(seed, table));
        return forged;
    }

    private static byte[] ints(List<Integer> values) {
        ByteBuffer bytes = buffer(new byte[4 * values.size()]);
        values.forEach(bytes::putInt);
        return bytes.array();
    }

    private static byte[] with(ByteArrayOutputStream file, ByteBuffer header) {
        header.putInt(60, crc(header.array(), 0, 60));
        return buffer(file.toByteArray()).put(0, header.array()).array();
    }
}
