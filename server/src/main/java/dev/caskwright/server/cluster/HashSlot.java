package dev.caskwright.server.cluster;

/**
 * The slot of a key, as Redis Cluster has it: CRC16/XMODEM of the key, modulo 16,384. If the key has something between its first
 * opening brace and the first closing one behind it, only that counts (the hash tag), so that keys can be kept together.
 */
public final class HashSlot {
    /** How many slots there are. */
    public static final int SLOTS = 1 << 14;

    private static final int POLYNOMIAL = 0x1021;
    private static final int[] TABLE = table();

    private HashSlot() {}

    private static int[] table() {
        int[] table = new int[256];
        for (int i = 0; i < table.length; i++) {
            int crc = i << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? crc << 1 ^ POLYNOMIAL : crc << 1;
            }
            table[i] = crc & 0xFFFF;
        }
        return table;
    }

    /** Returns the slot of a key, 0 to 16,383. */
    public static int of(byte[] key) {
        return of(key, 0, key.length);
    }

    /** Returns the slot of the key that is between two places of an array, 0 to 16,383. */
    public static int of(byte[] bytes, int from, int to) {
        int open = indexOf(bytes, '{', from, to);
        if (open >= 0) {
            int close = indexOf(bytes, '}', open + 1, to);
            if (close > open + 1) {
                return crc16(bytes, open + 1, close) % SLOTS;
            }
        }
        return crc16(bytes, from, to) % SLOTS;
    }

    static int crc16(byte[] bytes, int from, int to) {
        int crc = 0;
        for (int i = from; i < to; i++) {
            crc = (crc << 8 ^ TABLE[(crc >>> 8 ^ bytes[i]) & 0xFF]) & 0xFFFF;
        }
        return crc;
    }

    private static int indexOf(byte[] bytes, char c, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] == c) {
                return i;
            }
        }
        return -1;
    }
}
