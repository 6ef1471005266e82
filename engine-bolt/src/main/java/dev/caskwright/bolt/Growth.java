package dev.caskwright.bolt;

/** How long a file becomes that must become longer: twice as long while it is small, a step longer later. */
final class Growth {
    private static final long FIRST_LENGTH = 32 << 10;
    private static final long STEP = 16 << 20;

    private Growth() {}

    static long next(long length, long needed) {
        if (needed >= STEP) {
            return (needed + STEP - 1) / STEP * STEP;
        }
        long next = Math.max(FIRST_LENGTH, length);
        while (next < needed) {
            next *= 2;
        }
        return next;
    }
}
