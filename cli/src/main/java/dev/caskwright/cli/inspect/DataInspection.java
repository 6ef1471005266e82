package dev.caskwright.cli.inspect;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The records of a data file. */
final class DataInspection {
    private static final int SHORT_HEADER = 24;
    private static final int TAG = 16;
    private static final int ALIGNMENT = 8;
    private static final int KIND_MASK = 0x0F;
    private static final int EXPIRES = 0x10;
    private static final int IN_BATCH = 0x20;
    private static final int CODED = 0x40;
    private static final int ENCRYPTED = 0x80;
    private static final int PUT = 1;
    private static final int DELETE = 2;
    private static final int BATCH_END = 3;
    private static final int END_OF_FILE = 4;
    private static final int UNKNOWN_DISTANCE = 0xFFFF;
    private static final long VERSION_MASK = (1L << 56) - 1;

    private final FileWindow file;
    private final Findings findings;
    private final long seed;

    private DataInspection(FileWindow file, Findings findings) throws IOException {
        this.file = file;
        this.findings = findings;
        this.seed = CaskFormat.fileSeed(CaskFormat.storeSeed(file), file.longAt(32));
    }

    static void run(FileWindow file, Findings findings) throws IOException {
        if (!CaskFormat.hasHeader(file, findings)) {
            return;
        }
        findings.found(
                0,
                "data file",
                "format",
                file.intAt(8),
                "store",
                CaskFormat.store(file),
                "number",
                file.longAt(32),
                "previous",
                file.longAt(40),
                "history",
                CaskFormat.hex(file.longAt(48)));
        long records = CaskFormat.HEADER;
        if (CaskFormat.isEncrypted(file)) {
            CaskFormat.keyNote(file, findings, records);
            records += CaskFormat.KEY_NOTE;
        }
        new DataInspection(file, findings).records(records);
    }

    private void records(long from) throws IOException {
        long at = from;
        while (at < file.length()) {
            if (isHeaderSound(at)) {
                at = record(at);
                continue;
            }
            long behindZeros = file.skipZeros(at);
            if (behindZeros == file.length()) {
                findings.found(at, "zeros", "length", file.length() - at);
                return;
            }
            long next = at + ALIGNMENT;
            while (next < file.length() && !isHeaderSound(next)) {
                next += ALIGNMENT;
            }
            findings.damaged(
                    at,
                    next < file.length()
                            ? "no sound header of a record; the next one is at " + next
                            : "no sound header of a record, nor after it: damage, or the torn end of what a crash cut"
                                    + " short");
            at = next;
        }
    }

    private boolean isHeaderSound(long at) throws IOException {
        if (!file.has(at, SHORT_HEADER)) {
            return false;
        }
        int length = headerLength(at);
        return file.has(at, length)
                && (file.checksum(at + 4, length - 4L) ^ CaskFormat.mask(seed, at)) == file.intAt(at);
    }

    private int headerLength(long at) throws IOException {
        return SHORT_HEADER + Long.BYTES * Integer.bitCount(file.byteAt(at + 15) & (EXPIRES | CODED | ENCRYPTED));
    }

    /** Shows a record whose header is sound; returns where the next one starts. */
    private long record(long at) throws IOException {
        int header = headerLength(at);
        int flags = file.byteAt(at + 15);
        int keyLength = file.shortAt(at + 16);
        long valueLength = Integer.toUnsignedLong(file.intAt(at + 20));
        int distance = file.shortAt(at + 18);
        long version = file.longAt(at + 8) & VERSION_MASK;
        long expiry = (flags & EXPIRES) == 0 ? 0 : file.longAt(at + SHORT_HEADER);
        boolean isEncrypted = (flags & ENCRYPTED) != 0;
        int bodyChecksum = file.intAt(at + 4);
        long body = keyLength + valueLength + (isEncrypted ? TAG : 0);
        long end = at + (header + body + ALIGNMENT - 1 & -ALIGNMENT);
        if (at + header + body > file.length()) {
            findings.damaged(
                    at,
                    "the record goes beyond the end of the file: version=" + version + ", end=" + (at + header + body)
                            + ", length of the file=" + file.length());
            return file.length();
        }
        int kind = flags & KIND_MASK;
        if (kind != END_OF_FILE && file.checksum(at + header, body) != bodyChecksum) {
            findings.damaged(
                    at,
                    "bad checksum of key and value: version=" + version + ", key length=" + keyLength
                            + ", value length=" + valueLength);
            return end;
        }
        String name = switch (kind) {
            case PUT -> "put";
            case DELETE -> "delete";
            case BATCH_END -> "batch end";
            case END_OF_FILE -> "end of file";
            default -> "unknown kind " + kind;
        };
        if (kind == BATCH_END) {
            findings.found(at, name, "version", version, "records", file.intAt(at + header));
        } else if (kind == END_OF_FILE) {
            findings.found(at, name, "version", version);
        } else {
            List<Object> fields = new ArrayList<>(List.of(
                    "version",
                    version,
                    "flags",
                    "0x" + Integer.toHexString(flags),
                    "inBatch",
                    (flags & IN_BATCH) != 0,
                    "expiresAt",
                    expiry,
                    "durableDistance",
                    distance == UNKNOWN_DISTANCE ? "unknown" : Integer.toString(distance)));
            if ((flags & CODED) != 0) {
                long coding = file.longAt(at + SHORT_HEADER + ((flags & EXPIRES) == 0 ? 0 : Long.BYTES));
                fields.addAll(List.of("codec", coding & 0xFF, "dictionary", coding >>> 8 & 0xFF));
                fields.addAll(List.of("decodedLength", coding >>> 32));
            }
            if (isEncrypted) {
                fields.addAll(List.of("encrypted", true, "keyLength", keyLength));
            } else {
                byte[] key = file.copy(at + header, Math.min(keyLength, findings.mostBytes()));
                byte[] value = file.copy(at + header + keyLength, Math.min(valueLength, findings.mostBytes()));
                fields.addAll(List.of("key", key, "keyLength", keyLength, "value", value));
            }
            fields.addAll(List.of("valueLength", valueLength));
            findings.found(at, name, fields.toArray());
        }
        return end;
    }
}
