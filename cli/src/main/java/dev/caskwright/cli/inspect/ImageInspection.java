package dev.caskwright.cli.inspect;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** The parts of an image of a key index. */
final class ImageInspection {
    private static final int TABLE_HEAD = 32;
    private static final int FILE_LENGTH = 32;
    private static final int MAX_NAME = 1_024;
    private static final int TAG_OF_TABLE = 28;

    private ImageInspection() {}

    static void run(FileWindow file, Findings findings) throws IOException {
        if (!CaskFormat.hasHeader(file, findings)) {
            return;
        }
        long table = file.longAt(48);
        findings.found(
                0,
                "image",
                "format",
                file.intAt(8),
                "store",
                CaskFormat.store(file),
                "number",
                file.longAt(32),
                "nonce",
                CaskFormat.hex(file.longAt(40)),
                "tableAt",
                table);
        long seed = CaskFormat.fileSeed(~CaskFormat.storeSeed(file) ^ file.longAt(40), file.longAt(32));
        long at = CaskFormat.HEADER;
        while (at < table && at < file.length()) {
            int length = CaskFormat.block(file, at, seed);
            if (length < 0) {
                findings.damaged(at, "no sound block of the index's bytes");
                break;
            }
            findings.found(at, "block", "length", length);
            at += CaskFormat.BLOCK_HEADER + (long) length;
        }
        int length = table < CaskFormat.HEADER ? -1 : CaskFormat.block(file, table, seed);
        if (length < TABLE_HEAD) {
            findings.damaged(Math.max(0, table), "no sound table");
            return;
        }
        long end = table + CaskFormat.BLOCK_HEADER + length;
        if (CaskFormat.isEncrypted(file)) {
            end -= CaskFormat.KEY_NOTE + TAG_OF_TABLE;
            CaskFormat.keyNote(file, findings, Math.max(0, end));
        }
        table(file, findings, table + CaskFormat.BLOCK_HEADER, end);
    }

    private static void table(FileWindow file, Findings findings, long at, long end) throws IOException {
        long files = Integer.toUnsignedLong(file.intAt(at + 24));
        int nameLength = file.intAt(at + 28);
        long names = at + TABLE_HEAD + files * FILE_LENGTH;
        if (nameLength < 0 || nameLength > MAX_NAME || names + nameLength > end) {
            findings.damaged(at, "a table whose counts do not fit it: files=" + files + ", name length=" + nameLength);
            return;
        }
        findings.found(
                at,
                "table",
                "from",
                place(file.longAt(at)),
                "to",
                place(file.longAt(at + 8)),
                "indexBytes",
                file.longAt(at + 16),
                "files",
                files,
                "layout",
                new String(file.copy(names, nameLength), StandardCharsets.UTF_8));
        for (long i = 0; i < files; i++) {
            long entry = at + TABLE_HEAD + i * FILE_LENGTH;
            findings.found(
                    entry,
                    "data file",
                    "number",
                    file.longAt(entry),
                    "slot",
                    file.longAt(entry + 8),
                    "length",
                    file.longAt(entry + 16),
                    "liveBytes",
                    file.longAt(entry + 24));
        }
    }

    /** A place in the log: number of the file and offset. */
    private static String place(long place) {
        return (place >>> 32) + "@" + (place & 0xFFFFFFFFL);
    }
}
