package dev.caskwright.server.resp;

/** Whole numbers in ASCII: an optional minus and decimal digits, without leading zeros. */
public final class Numbers {
    private static final int MAX_LENGTH = 20; // of Long.MIN_VALUE
    private static final int RADIX = 10;

    private Numbers() {}

    /** Returns whether the bytes from {@code from} to {@code to} are a number that 64 bits hold. */
    public static boolean isInteger(byte[] data, int from, int to) {
        int length = to - from;
        if (length == 0 || length > MAX_LENGTH) {
            return false;
        }
        boolean isNegative = data[from] == '-';
        int start = isNegative ? from + 1 : from;
        if (start == to) {
            return false;
        }
        if (data[start] == '0') {
            return !isNegative && to == start + 1;
        }
        long negated = 0;
        for (int p = start; p < to; p++) {
            int digit = data[p] - '0';
            if (digit < 0 || digit > 9 || negated < Long.MIN_VALUE / RADIX) {
                return false;
            }
            negated *= RADIX;
            if (negated < Long.MIN_VALUE + digit) {
                return false;
            }
            negated -= digit;
        }
        return isNegative || negated != Long.MIN_VALUE;
    }

    /** Returns the number; the bytes must be one. */
    public static long integer(byte[] data, int from, int to) {
        boolean isNegative = data[from] == '-';
        long negated = 0;
        for (int p = isNegative ? from + 1 : from; p < to; p++) {
            negated = negated * RADIX - (data[p] - '0');
        }
        return isNegative ? negated : -negated;
    }

    /** Writes the digits of a number so that they end before {@code end}; returns where they begin. */
    static int writeBefore(long number, byte[] target, int end) {
        int p = end;
        long rest = number > 0 ? -number : number; // negative: the range below zero is the larger one
        do {
            target[--p] = (byte) ('0' - rest % RADIX);
            rest /= RADIX;
        } while (rest != 0);
        if (number < 0) {
            target[--p] = '-';
        }
        return p;
    }

    /** Returns how many digits a number has that is not negative. */
    static int digits(int number) {
        int digits = 1;
        for (int rest = number / RADIX; rest != 0; rest /= RADIX) {
            digits++;
        }
        return digits;
    }
}
