package dev.caskwright.importer;

import org.jspecify.annotations.Nullable;

/** Unpacks Snappy, in which LevelDB stores blocks. */
final class Snappy {
    private static final int MAX_LENGTH_BYTES = 5;
    private static final int LONGEST_IN_TAG = 60;

    /** A copy of up to 64 bytes takes three at least, so nothing that is whole unpacks to more. */
    private static final int MOST_GROWTH = 22;

    private static final int MOST_BYTES = Integer.MAX_VALUE - 8; // an array has no more

    private Snappy() {}

    /** Returns what was packed, or null if that is not what these bytes are. */
    static byte @Nullable [] unpack(byte[] packed, int start, int end) {
        int at = start;
        long length = 0;
        for (int shift = 0; ; shift += 7) {
            if (at == end || shift == 7 * MAX_LENGTH_BYTES) {
                return null;
            }
            int next = packed[at++];
            length |= (next & 0x7FL) << shift;
            if (next >= 0) {
                break;
            }
        }
        if (length > Math.min(MOST_BYTES, (long) MOST_GROWTH * (end - start))) {
            return null;
        }
        byte[] out = new byte[(int) length];
        int made = 0;
        while (at < end) {
            int tag = packed[at++] & 0xFF;
            int kind = tag & 3;
            int more = kind == 0 ? Math.max(0, (tag >>> 2) - LONGEST_IN_TAG + 1) : kind == 3 ? 4 : kind;
            if (more > end - at) {
                return null;
            }
            long number = 0;
            for (int i = 0; i < more; i++) {
                number |= (packed[at++] & 0xFFL) << 8 * i;
            }
            if (kind == 0) {
                long count = (more == 0 ? tag >>> 2 : number) + 1;
                if (count > end - at || count > out.length - made) {
                    return null;
                }
                System.arraycopy(packed, at, out, made, (int) count);
                at += (int) count;
                made += (int) count;
            } else {
                int count = kind == 1 ? (tag >>> 2 & 7) + 4 : (tag >>> 2) + 1;
                long distance = kind == 1 ? (tag >>> 5) << 8 | number : number;
                if (distance == 0 || distance > made || count > out.length - made) {
                    return null;
                }
                for (int i = 0; i < count; i++, made++) {
                    out[made] = out[made - (int) distance]; // one by one: a copy may run into itself
                }
            }
        }
        return made == out.length ? out : null;
    }
}
