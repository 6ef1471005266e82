package dev.caskwright.bitcask.log.format;

/**
 * Where a record is, in 64 bits. Never 0, since no record starts within a file's header.
 *
 * <pre>
 * 63          44 43              16 15         1    0
 * | slot: 20    | offset / 8: 28   | size: 15   | expires |
 * </pre>
 *
 * <p>A slot is the number of an open file in memory. The size of the record in units of 8 bytes is a floating-point
 * number of 10 bits mantissa and 5 bits exponent, rounded up: exact up to 8 KiB, within 0.2 % above. It lets a reader
 * fetch a whole record with one read. Slots are in no order: which of two records is later is told by the ids of their
 * files.
 */
public final class Locator {
    public static final int MAX_SLOTS = 1 << 20;

    private static final int OFFSET_SHIFT = 16;
    private static final int SLOT_SHIFT = 44;
    private static final long OFFSET_MASK = (1L << 28) - 1;
    private static final int MANTISSA_BITS = 10;
    private static final int SIZE_MASK = (1 << 15) - 1;

    private Locator() {}

    public static long of(int slot, long offset, long size, boolean expires) {
        return (long) slot << SLOT_SHIFT
                | offset >>> RecordFormat.ALIGNMENT_SHIFT << OFFSET_SHIFT
                | (long) sizeClass(size) << 1
                | (expires ? 1 : 0);
    }

    /** Returns the locator without its slot, as a hint file keeps it: 44 bits. */
    public static long withoutSlot(long locator) {
        return locator & ((1L << SLOT_SHIFT) - 1);
    }

    public static long withSlot(int slot, long withoutSlot) {
        return (long) slot << SLOT_SHIFT | withoutSlot;
    }

    public static int slot(long locator) {
        return (int) (locator >>> SLOT_SHIFT);
    }

    public static long offset(long locator) {
        return (locator >>> OFFSET_SHIFT & OFFSET_MASK) << RecordFormat.ALIGNMENT_SHIFT;
    }

    public static boolean expires(long locator) {
        return (locator & 1) != 0;
    }

    /** Returns the size of the record in bytes, rounded up as the locator keeps it. */
    public static long size(long locator) {
        return sizeOfClass((int) (locator >>> 1) & SIZE_MASK);
    }

    /** Returns the least class whose size is at least {@code size} bytes. */
    public static int sizeClass(long size) {
        long units = (size + RecordFormat.ALIGNMENT - 1) >>> RecordFormat.ALIGNMENT_SHIFT;
        int exponent = Math.max(0, Long.SIZE - MANTISSA_BITS - Long.numberOfLeadingZeros(units));
        long mantissa = (units + (1L << exponent) - 1) >>> exponent;
        if (mantissa == 1L << MANTISSA_BITS) { // rounding up carried over
            mantissa >>>= 1;
            exponent++;
        }
        return (exponent << MANTISSA_BITS) | (int) mantissa;
    }

    public static long sizeOfClass(int sizeClass) {
        long mantissa = sizeClass & ((1 << MANTISSA_BITS) - 1);
        return mantissa << (sizeClass >>> MANTISSA_BITS) << RecordFormat.ALIGNMENT_SHIFT;
    }
}
