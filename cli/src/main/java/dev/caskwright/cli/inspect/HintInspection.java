package dev.caskwright.cli.inspect;

import java.io.IOException;

/** The entries of a hint file. */
final class HintInspection {
    private static final long PLACE_MASK = (1L << 44) - 1;
    private static final int KIND_SHIFT = 44;
    private static final int KEY_LENGTH_SHIFT = 48;
    private static final int OTHER_BLOCKS = 3; // expiries, key filter, sums

    private HintInspection() {}

    static void run(FileWindow file, Findings findings) throws IOException {
        if (!CaskFormat.hasHeader(file, findings)) {
            return;
        }
        int blocks = file.intAt(44);
        findings.found(
                0,
                "hint file",
                "format",
                file.intAt(8),
                "store",
                CaskFormat.store(file),
                "number",
                file.longAt(32),
                "dataLength",
                Integer.toUnsignedLong(file.intAt(40)),
                "blocks",
                blocks,
                "entries",
                Integer.toUnsignedLong(file.intAt(48)),
                "history",
                CaskFormat.hex(file.longAt(52)));
        long seed = CaskFormat.fileSeed(~CaskFormat.storeSeed(file), file.longAt(32));
        long at = CaskFormat.HEADER;
        for (long block = 0; block < (long) blocks + OTHER_BLOCKS; block++) {
            int length = CaskFormat.block(file, at, seed);
            if (length < 0) {
                findings.damaged(at, "no sound block; what is behind it cannot be found: block=" + block);
                return;
            }
            if (block < blocks && CaskFormat.isEncrypted(file)) {
                findings.found(at, "encrypted entries", "length", length);
            } else if (block < blocks) {
                entries(file, findings, at + CaskFormat.BLOCK_HEADER, at + CaskFormat.BLOCK_HEADER + length);
            } else {
                findings.found(
                        at,
                        block == blocks ? "expiries" : block == blocks + 1L ? "key filter" : "checksums",
                        "length",
                        length);
            }
            at += CaskFormat.BLOCK_HEADER + (long) length;
        }
        if (at != file.length()) {
            findings.damaged(at, "there is something after the last block: length=" + (file.length() - at));
        }
    }

    private static void entries(FileWindow file, Findings findings, long from, long end) throws IOException {
        long at = from;
        while (at < end) {
            if (end - at < Long.BYTES) {
                findings.damaged(at, "an entry that does not fit its block");
                return;
            }
            long word = file.longAt(at);
            int keyLength = (int) (word >>> KEY_LENGTH_SHIFT);
            int kind = (int) (word >>> KIND_SHIFT) & 0x0F;
            if (end - at - Long.BYTES < keyLength) {
                findings.damaged(at, "an entry that does not fit its block");
                return;
            }
            long place = word & PLACE_MASK;
            findings.found(
                    at,
                    kind == 1 ? "put" : kind == 2 ? "delete" : "unknown kind " + kind,
                    "dataOffset",
                    (place >>> 16) * 8,
                    "sizeAtMost",
                    size((int) (place >>> 1) & 0x7FFF),
                    "expires",
                    (place & 1) != 0,
                    "key",
                    file.copy(at + Long.BYTES, Math.min(keyLength, findings.mostBytes())),
                    "keyLength",
                    keyLength);
            at += Long.BYTES + (long) keyLength;
        }
    }

    private static long size(int sizeClass) {
        return ((long) (sizeClass & 0x3FF) << (sizeClass >>> 10)) * 8;
    }
}
