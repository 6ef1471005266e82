package dev.caskwright.bitcask.log.format;

/**
 * When the puts of a data file expire: how many bytes in each of 16 spans of time, which get longer as needed. It tells how
 * much of a file has expired, near enough to choose files to merge by, and exactly whether all of it has. For one thread.
 *
 * <pre>
 * | lasting bytes | latest | start | log2 of the span | 16 x bytes |
 * </pre>
 */
public final class Expiries {
    private static final int SPANS = 16;
    private static final int FIRST_SHIFT = 10; // a second, about
    private static final int LAST_SHIFT = 59;
    private static final int FIXED = 4;
    public static final int LONGS = FIXED + SPANS;

    private long lastingBytes; // of puts without an expiry
    private long latest;
    private long start; // a multiple of the span
    private int shift = FIRST_SHIFT;
    private long[] bytes = new long[SPANS];
    private long expiringBytes;

    /** Counts a put; 0 means that it does not expire. */
    public void add(long expiresAtMillis, long size) {
        if (expiresAtMillis == 0) {
            lastingBytes += size;
            return;
        }
        if (latest == 0) {
            start = expiresAtMillis >>> shift << shift;
        }
        while (expiresAtMillis < start || (expiresAtMillis - start) >>> shift >= SPANS) {
            widen(expiresAtMillis);
        }
        bytes[(int) ((expiresAtMillis - start) >>> shift)] += size;
        expiringBytes += size;
        latest = Math.max(latest, expiresAtMillis);
    }

    private void widen(long including) {
        long oldStart = start;
        int oldShift = shift;
        long[] old = bytes;
        shift++;
        start = Math.min(oldStart, including) >>> shift << shift;
        bytes = new long[SPANS];
        for (int i = 0; i < SPANS; i++) {
            long from = oldStart + ((long) i << oldShift);
            // If the earlier start leaves no room yet, the last span takes it until the next widening is done.
            bytes[(int) Math.min(SPANS - 1, (from - start) >>> shift)] += old[i];
        }
    }

    /** Returns the bytes of puts that expire. */
    long expiringBytes() {
        return expiringBytes;
    }

    /** Returns when the last put of those that expire does; 0 if none does. */
    long latest() {
        return latest;
    }

    /** Returns whether every put has expired. */
    public boolean haveAllPassed(long nowMillis) {
        return lastingBytes == 0 && expiringBytes > 0 && latest <= nowMillis;
    }

    /** Returns about how many bytes have expired. */
    public long passedBytes(long nowMillis) {
        if (expiringBytes == 0 || latest <= nowMillis) {
            return expiringBytes;
        }
        long passed = 0;
        for (int i = 0; i < SPANS; i++) {
            long from = start + ((long) i << shift);
            if (from + (1L << shift) <= nowMillis) {
                passed += bytes[i];
            }
        }
        return passed;
    }

    public byte[] encode() {
        byte[] block = new byte[Block.HEADER_LENGTH + LONGS * Long.BYTES];
        long[] fixed = {lastingBytes, latest, start, shift};
        for (int i = 0; i < LONGS; i++) {
            RecordFormat.LONG.set(block, Block.HEADER_LENGTH + i * Long.BYTES, i < FIXED ? fixed[i] : bytes[i - FIXED]);
        }
        return block;
    }

    /** Returns what a block says, whose checksum is right; numbers that cannot be count as nothing known. */
    public static Expiries decode(byte[] block) {
        Expiries result = new Expiries();
        long[] longs = new long[LONGS];
        for (int i = 0; i < LONGS; i++) {
            longs[i] = (long) RecordFormat.LONG.get(block, Block.HEADER_LENGTH + i * Long.BYTES);
            if (longs[i] < 0) {
                return result;
            }
        }
        if (longs[3] < FIRST_SHIFT || longs[3] > LAST_SHIFT) {
            return result;
        }
        long sum = 0;
        for (int i = 0; i < SPANS; i++) {
            if (longs[FIXED + i] > RecordFormat.MAX_FILE_LENGTH) {
                return result;
            }
            sum += longs[FIXED + i];
        }
        result.lastingBytes = longs[0];
        result.latest = longs[1];
        result.start = longs[2];
        result.shift = (int) longs[3];
        System.arraycopy(longs, FIXED, result.bytes, 0, SPANS);
        result.expiringBytes = sum;
        return result;
    }
}
