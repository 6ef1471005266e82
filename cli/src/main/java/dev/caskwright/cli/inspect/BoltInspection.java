package dev.caskwright.cli.inspect;

import java.io.IOException;

/** The pages of a file of bolt; their elements, with keys and values. */
final class BoltInspection {
    private static final int PAGE_HEADER = 16;
    private static final int BRANCH = 0x01;
    private static final int LEAF = 0x02;
    private static final int META = 0x04;
    private static final int FREELIST = 0x10;
    private static final int ELEMENT = 16;
    private static final int MAGIC = 0xED0CDAED;
    private static final int[] PAGE_SIZES = {1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16};

    private final FileWindow file;
    private final Findings findings;
    private final int pageSize;

    private BoltInspection(FileWindow file, Findings findings, int pageSize) {
        this.file = file;
        this.findings = findings;
        this.pageSize = pageSize;
    }

    static void run(FileWindow file, Findings findings) throws IOException {
        int size = file.has(0, PAGE_HEADER + 64) ? file.intAt(PAGE_HEADER + 8) : 0;
        for (int known : PAGE_SIZES) {
            if (known == size) {
                new BoltInspection(file, findings, size).pages();
                return;
            }
        }
        findings.damaged(0, "the first meta page has no page size that is possible: pageSize=" + size);
    }

    private void pages() throws IOException {
        long pages = file.length() / pageSize;
        for (long page = 0; page < pages; ) {
            long at = page * pageSize;
            long id = file.longAt(at);
            int flags = file.shortAt(at + 8);
            int count = file.shortAt(at + 10);
            long overflow = Integer.toUnsignedLong(file.intAt(at + 12));
            if (id != page || overflow >= pages - page) {
                // Never written, or written for another page and free by now: only a check of the whole file can tell.
                findings.found(at, "page without its number", "page", page, "says", id);
                page++;
                continue;
            }
            switch (flags) {
                case META -> meta(at, page);
                case LEAF -> elements(at, page, count, overflow, true);
                case BRANCH -> elements(at, page, count, overflow, false);
                case FREELIST -> findings.found(at, "free list", "page", page, "count", count, "overflow", overflow);
                default -> findings.found(at, "page of unknown kind", "page", page, "flags", flags);
            }
            page += overflow + 1;
        }
        if (file.length() % pageSize != 0) {
            findings.damaged(pages * pageSize, "the last page is not whole");
        }
    }

    private void meta(long at, long page) throws IOException {
        long meta = at + PAGE_HEADER;
        long hash = 0xCBF29CE484222325L;
        for (int i = 0; i < 56; i++) {
            hash = (hash ^ file.byteAt(meta + i)) * 0x100000001B3L;
        }
        if (file.intAt(meta) != MAGIC || hash != file.longAt(meta + 56)) {
            findings.damaged(at, "bad checksum of a meta page; the other one counts, if it is sound");
            return;
        }
        findings.found(
                at,
                "meta",
                "page",
                page,
                "version",
                file.intAt(meta + 4),
                "pageSize",
                file.intAt(meta + 8),
                "root",
                file.longAt(meta + 16),
                "freelist",
                file.longAt(meta + 32),
                "highWater",
                file.longAt(meta + 40),
                "transaction",
                file.longAt(meta + 48));
    }

    private void elements(long at, long page, int count, long overflow, boolean isLeaf) throws IOException {
        findings.found(at, isLeaf ? "leaf" : "branch", "page", page, "count", count, "overflow", overflow);
        long end = at + (overflow + 1) * pageSize;
        for (int i = 0; i < count; i++) {
            long element = at + PAGE_HEADER + (long) i * ELEMENT;
            if (element + ELEMENT > end) {
                findings.damaged(element, "more elements than the page has room for: page=" + page);
                return;
            }
            long position = element + Integer.toUnsignedLong(file.intAt(element + (isLeaf ? 4 : 0)));
            long keyLength = Integer.toUnsignedLong(file.intAt(element + (isLeaf ? 8 : 4)));
            long valueLength = isLeaf ? Integer.toUnsignedLong(file.intAt(element + 12)) : 0;
            if (position + keyLength + valueLength > end) {
                findings.damaged(element, "an element that does not fit its page: page=" + page);
                continue;
            }
            byte[] key = file.copy(position, Math.min(keyLength, findings.mostBytes()));
            if (isLeaf) {
                findings.found(
                        element,
                        file.intAt(element) == 0 ? "  entry" : "  bucket",
                        "key",
                        key,
                        "keyLength",
                        keyLength,
                        "value",
                        file.copy(position + keyLength, Math.min(valueLength, findings.mostBytes())),
                        "valueLength",
                        valueLength);
            } else {
                findings.found(
                        element, "  child", "page", file.longAt(element + 8), "key", key, "keyLength", keyLength);
            }
        }
    }
}
