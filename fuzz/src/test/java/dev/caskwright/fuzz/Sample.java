package dev.caskwright.fuzz;

import java.util.zip.CRC32C;

/**
 * Chooses the inputs for checks that take much longer than to read them: by their checksums, so that an input always has
 * the same fate. All are chosen but where the readers alone are fuzzed.
 */
public final class Sample {
    /** Whether the readers alone are fuzzed, as fast as can be. */
    public static final boolean READERS_ONLY = Boolean.getBoolean("caskwright.fuzz.readersOnly");

    private static final int ONE_IN = 8;

    private Sample() {}

    /** Returns whether the input is chosen. */
    public static boolean has(byte[] input) {
        return !READERS_ONLY || isOneIn(ONE_IN, input);
    }

    /** Returns whether an input is chosen of so many. */
    public static boolean isOneIn(int count, byte[] input) {
        CRC32C crc = new CRC32C();
        crc.update(input);
        return crc.getValue() % count == 0;
    }
}
