package dev.caskwright.importer;

import org.jspecify.annotations.Nullable;

/** Unpacks what LZF has packed: runs of bytes as they are, and references to bytes that came up to 8 KiB before. */
final class Lzf {
    private static final int LONGEST_RUN = 32;
    private static final int LONG_REFERENCE = 7;
    private static final int SHORTEST_REFERENCE = 2;

    private Lzf() {}

    /** Returns the {@code length} bytes that were packed, or null if the packed ones do not give just so many. */
    static byte @Nullable [] unpack(byte[] packed, int length) {
        byte[] out = new byte[length];
        int to = 0;
        int from = 0;
        while (from < packed.length) {
            int control = packed[from++] & 0xFF;
            if (control < LONGEST_RUN) {
                int run = control + 1;
                if (run > packed.length - from || run > length - to) {
                    return null;
                }
                System.arraycopy(packed, from, out, to, run);
                from += run;
                to += run;
                continue;
            }
            int size = control >>> 5;
            if (size == LONG_REFERENCE) {
                if (from == packed.length) {
                    return null;
                }
                size += packed[from++] & 0xFF;
            }
            size += SHORTEST_REFERENCE;
            if (from == packed.length) {
                return null;
            }
            int reference = to - ((control & 0x1F) << 8 | packed[from++] & 0xFF) - 1;
            if (reference < 0 || size > length - to) {
                return null;
            }
            // Byte by byte: what is copied may reach into what this very loop writes.
            for (int i = 0; i < size; i++) {
                out[to++] = out[reference++];
            }
        }
        return to == length ? out : null;
    }
}
