package dev.caskwright.cli.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/** The files of a moss store: logs, sorted files and the manifest. */
final class MossInspection {
    private static final int LOG_HEADER = 64;
    private static final int LOG_HEAD = 40;
    private static final int FOOTER = 96;
    private static final int MANIFEST_HEAD = 16;
    private static final String SORTED = "MOSSSORT";

    private final FileWindow file;
    private final long store;
    private final long number;

    private MossInspection(FileWindow file, long store, long number) {
        this.file = file;
        this.store = store;
        this.number = number;
    }

    /** A sorted file has its magic in its footer. */
    static boolean isSorted(FileWindow file) throws IOException {
        return file.length() >= FOOTER
                && new String(file.copy(file.length() - FOOTER, SORTED.length()), StandardCharsets.US_ASCII)
                        .equals(SORTED);
    }

    private boolean isSound(long place, long offset, long length, int expected) throws IOException {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(3 * Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(store)
                .putLong(number)
                .putLong(place)
                .flip());
        file.update(crc, offset, length);
        return (int) crc.getValue() == expected;
    }

    static void log(FileWindow file, Findings findings) throws IOException {
        if (!file.has(0, LOG_HEADER)) {
            findings.damaged(0, "the file ends within its header: length=" + file.length());
            return;
        }
        MossInspection log = new MossInspection(file, file.longAt(16), file.longAt(24));
        if (!log.isSound(0, 0, 60, file.intAt(60))) {
            findings.damaged(0, "bad checksum of the file's header; nothing in the file can be checked without it");
            return;
        }
        findings.found(0, "log", "format", file.intAt(8), "store", CaskFormat.hex(log.store), "number", log.number);
        long at = LOG_HEADER;
        while (at < file.length()) {
            if (log.isHeadSound(at)) {
                at = log.record(at, findings);
                continue;
            }
            if (file.skipZeros(at) == file.length()) {
                findings.found(at, "zeros", "length", file.length() - at);
                return;
            }
            long next = at + 1;
            while (next < file.length() && !log.isHeadSound(next)) {
                next++;
            }
            findings.damaged(
                    at,
                    next < file.length()
                            ? "no sound head of a record; the next one is at " + next
                            : "no sound head of a record, nor after it: damage, or the torn end of what a crash cut"
                                    + " short");
            at = next;
        }
    }

    private boolean isHeadSound(long at) throws IOException {
        return file.has(at, LOG_HEAD) && isSound(at, at + 4, LOG_HEAD - 4, file.intAt(at));
    }

    private long record(long at, Findings findings) throws IOException {
        long length = Integer.toUnsignedLong(file.intAt(at + 8));
        long first = file.longAt(at + 16);
        long last = file.longAt(at + 24);
        long durable = file.longAt(at + 32);
        int expected = file.intAt(at + 4);
        if (length > file.length() - at - LOG_HEAD) {
            findings.damaged(at, "the record goes beyond the end of the file: first version=" + first);
            return file.length();
        }
        if (isSound(at, at + LOG_HEAD, length, expected)) {
            findings.found(
                    at,
                    "batches",
                    "firstVersion",
                    first,
                    "lastVersion",
                    last,
                    "durableVersion",
                    durable,
                    "length",
                    length,
                    "body",
                    file.copy(at + LOG_HEAD, Math.min(length, findings.mostBytes())));
        } else {
            findings.damaged(at, "bad checksum of a record's body: first version=" + first + ", last version=" + last);
        }
        return at + LOG_HEAD + length;
    }

    static void sorted(FileWindow file, Findings findings) throws IOException {
        if (!isSorted(file)) {
            findings.damaged(0, "the footer is missing");
            return;
        }
        long footer = file.length() - FOOTER;
        MossInspection sorted = new MossInspection(file, file.longAt(footer + 16), file.longAt(footer + 24));
        if (!sorted.isSound(footer, footer, 92, file.intAt(footer + 92))) {
            findings.damaged(footer, "bad checksum of the footer; nothing in the file can be checked without it");
            return;
        }
        long firstVersion = file.longAt(footer + 40);
        findings.found(
                footer,
                "sorted file",
                "format",
                file.intAt(footer + 8),
                "store",
                CaskFormat.hex(sorted.store),
                "number",
                sorted.number,
                "entries",
                file.longAt(footer + 32),
                "firstVersion",
                firstVersion,
                "lastVersion",
                file.longAt(footer + 48),
                "blocks",
                file.intAt(footer + 76));
        sorted.blocks(
                findings, file.longAt(footer + 56), file.intAt(footer + 64), file.intAt(footer + 76), firstVersion);
    }

    private void blocks(Findings findings, long index, int indexLength, int blocks, long firstVersion)
            throws IOException {
        if (index < 0
                || indexLength < 4
                || index + indexLength > file.length()
                || !isSound(index, index, indexLength - 4L, file.intAt(index + indexLength - 4))) {
            findings.damaged(Math.max(0, index), "bad checksum of the index; blocks cannot be found without it");
            return;
        }
        long[] at = {index};
        long end = index + indexLength - 4;
        long block = 0;
        for (int i = 0; i < blocks && at[0] < end; i++) {
            long length = varAt(at, end);
            long keyLength = varAt(at, end);
            at[0] += keyLength;
            block(findings, block, length, firstVersion);
            block += length;
        }
        findings.found(index, "index", "length", indexLength);
    }

    private void block(Findings findings, long block, long length, long firstVersion) throws IOException {
        if (length < 6
                || length > file.length() - block
                || !isSound(block, block, length - 4, file.intAt(block + length - 4))) {
            findings.damaged(block, "bad checksum of a block: length=" + length);
            return;
        }
        int count = file.shortAt(block + length - 6);
        long offsets = block + length - 6 - 2L * count;
        if (offsets < block) {
            findings.damaged(block, "a block whose entries do not fit it: entries=" + count);
            return;
        }
        for (int i = 0; i < count; i++) {
            long entry = block + file.shortAt(offsets + 2L * i);
            int kind = file.byteAt(entry);
            long[] at = {entry + 1};
            long keyLength = varAt(at, offsets);
            long valueLength = varAt(at, offsets);
            long version = firstVersion + varAt(at, offsets);
            if (keyLength < 0 || valueLength < 0 || at[0] + keyLength + valueLength > offsets) {
                findings.damaged(entry, "an entry that does not fit its block");
                continue;
            }
            findings.found(
                    entry,
                    "entry of kind " + kind,
                    "version",
                    version,
                    "key",
                    file.copy(at[0], Math.min(keyLength, findings.mostBytes())),
                    "keyLength",
                    keyLength,
                    "value",
                    file.copy(at[0] + keyLength, Math.min(valueLength, findings.mostBytes())),
                    "valueLength",
                    valueLength);
        }
    }

    /** Reads a number of seven bits a byte, least first, and moves after it. One that does not end is -1. */
    private long varAt(long[] at, long end) throws IOException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE && at[0] < end; shift += 7) {
            int next = file.byteAt(at[0]++);
            value |= (long) (next & 0x7F) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        return -1;
    }

    static void manifest(FileWindow file, Findings findings) throws IOException {
        if (!file.has(0, MANIFEST_HEAD)) {
            findings.damaged(0, "the file ends within its header: length=" + file.length());
            return;
        }
        long end = MANIFEST_HEAD + Integer.toUnsignedLong(file.intAt(12)) - 4;
        MossInspection whole = new MossInspection(file, 0, 0);
        if (end < MANIFEST_HEAD + 28 || end + 4 > file.length() || !whole.isSound(0, 0, end, file.intAt(end))) {
            findings.damaged(0, "the manifest is not sound");
            return;
        }
        findings.found(
                0,
                "manifest",
                "format",
                file.intAt(8),
                "store",
                CaskFormat.hex(file.longAt(16)),
                "overAnotherEngine",
                file.intAt(24) == 1,
                "nextNumber",
                file.longAt(28),
                "version",
                file.longAt(36));
        long[] at = {44};
        whole.listed(at, end, findings);
        long checkpoints = whole.varAt(at, end);
        for (long i = 0; i < checkpoints && at[0] < end; i++) {
            long start = at[0];
            long nameLength = whole.varAt(at, end);
            if (nameLength < 0 || at[0] + nameLength + 16 > end) {
                findings.damaged(start, "a checkpoint that does not fit the manifest");
                return;
            }
            findings.found(
                    start,
                    "checkpoint",
                    "name",
                    file.copy(at[0], nameLength),
                    "millis",
                    file.longAt(at[0] + nameLength),
                    "version",
                    file.longAt(at[0] + nameLength + 8));
            at[0] += nameLength + 16;
            whole.listed(at, end, findings);
        }
    }

    private void listed(long[] at, long end, Findings findings) throws IOException {
        long count = varAt(at, end);
        for (long i = 0; i < count && at[0] < end; i++) {
            long start = at[0];
            findings.found(start, "file", "number", varAt(at, end), "length", varAt(at, end));
        }
    }
}
