package dev.caskwright.importer;

/** The checksum of dumps: CRC-64 of Jones' polynomial, reflected, from 0. For one thread. */
final class Crc64 {
    private static final long POLYNOMIAL = Long.reverse(0xAD93D23594C935A9L);
    private static final long[] TABLE = table();

    private long value;

    private static long[] table() {
        long[] table = new long[256];
        for (int i = 0; i < table.length; i++) {
            long value = i;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                value = (value & 1) == 0 ? value >>> 1 : value >>> 1 ^ POLYNOMIAL;
            }
            table[i] = value;
        }
        return table;
    }

    void update(byte[] bytes, int length) {
        long sum = value;
        for (int i = 0; i < length; i++) {
            sum = TABLE[(int) (sum ^ bytes[i]) & 0xFF] ^ sum >>> Byte.SIZE;
        }
        value = sum;
    }

    long value() {
        return value;
    }
}
