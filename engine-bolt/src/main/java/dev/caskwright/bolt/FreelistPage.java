package dev.caskwright.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bolt.freelist.Freelist;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.bolt.page.PageStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongPredicate;

/**
 * The run of pages that lists the free ones: after the page header the numbers, 8 bytes each, ascending. If there are more than
 * the header can count, the first entry has their number.
 */
final class FreelistPage {
    private static final int PIECE_LENGTH = 64 << 10;

    private FreelistPage() {}

    /**
     * Reads the list that a meta page names, piece by piece.
     *
     * @param each is given each number once; returns false for one that it has had
     * @return how many pages the list takes
     */
    static long read(PageStore store, Meta meta, LongPredicate each) throws IOException {
        long start = meta.freelist() * store.pageSize();
        ByteBuffer header = store.copy(start, PageFormat.HEADER_LENGTH + Long.BYTES);
        long pages = (header.getInt(PageFormat.OVERFLOW_OFFSET) & 0xFFFFFFFFL) + 1;
        int flags = header.getShort(PageFormat.FLAGS_OFFSET) & 0xFFFF;
        if (header.getLong(PageFormat.ID_OFFSET) != meta.freelist()
                || flags != PageFormat.FREELIST
                || pages > meta.highWater() - meta.freelist()
                || meta.root() == meta.freelist()) {
            throw corrupt(
                    store,
                    start,
                    "page is no freelist",
                    "page=" + meta.freelist() + ", flags=" + flags + ", pages=" + pages + ", highWater="
                            + meta.highWater());
        }
        long count = header.getShort(PageFormat.COUNT_OFFSET) & 0xFFFF;
        long at = PageFormat.HEADER_LENGTH;
        if (count == PageFormat.COUNT_IN_FIRST_ENTRY) {
            count = header.getLong(PageFormat.HEADER_LENGTH);
            at += Long.BYTES;
        }
        if (count < 0 || count > (pages * store.pageSize() - at) / Long.BYTES) {
            throw corrupt(store, start, "freelist has more entries than room", "count=" + count + ", pages=" + pages);
        }
        // A writer takes as many pages as the list needs before its own pages are taken from it, and at most one more.
        // The pages of
        // the run come free at the next commit, so a run that is longer would take others' pages with it.
        if (pages > length(count + pages + 1) / store.pageSize() + 1) {
            throw corrupt(
                    store,
                    start,
                    "freelist has more pages than its entries need",
                    "count=" + count + ", pages=" + pages);
        }
        for (long done = 0; done < count; ) {
            int entries = (int) Math.min(count - done, PIECE_LENGTH / Long.BYTES);
            ByteBuffer piece = store.copy(start + at + done * Long.BYTES, entries * Long.BYTES);
            for (int i = 0; i < entries; i++) {
                long page = piece.getLong(i * Long.BYTES);
                boolean isOwn = page >= meta.freelist() && page < meta.freelist() + pages;
                if (page < 2 || page >= meta.highWater() || page == meta.root() || isOwn || !each.test(page)) {
                    throw corrupt(
                            store,
                            start + at + (done + i) * Long.BYTES,
                            "freelist has a page that cannot be free, or has it twice",
                            "page=" + Long.toUnsignedString(page) + ", highWater=" + meta.highWater());
                }
            }
            done += entries;
        }
        return pages;
    }

    private static CorruptRecordException corrupt(PageStore store, long offset, String rule, String details) {
        return new CorruptRecordException(rule, store.name(), offset, details);
    }

    /** Returns how many bytes the list of so many pages takes. */
    static long length(long count) {
        return PageFormat.HEADER_LENGTH + (count < PageFormat.COUNT_IN_FIRST_ENTRY ? count : count + 1) * Long.BYTES;
    }

    /** Writes the list into {@code target}, which holds zeros and has the file's byte order. */
    static void write(Freelist freelist, long id, long pages, ByteBuffer target) {
        long count = freelist.count();
        boolean isLong = count >= PageFormat.COUNT_IN_FIRST_ENTRY;
        target.putLong(PageFormat.ID_OFFSET, id);
        target.putShort(PageFormat.FLAGS_OFFSET, (short) PageFormat.FREELIST);
        target.putShort(PageFormat.COUNT_OFFSET, (short) (isLong ? PageFormat.COUNT_IN_FIRST_ENTRY : count));
        target.putInt(PageFormat.OVERFLOW_OFFSET, (int) (pages - 1));
        int at = PageFormat.HEADER_LENGTH;
        if (isLong) {
            target.putLong(at, count);
            at += Long.BYTES;
        }
        for (long page = freelist.next(0); page >= 0; page = freelist.next(page + 1)) {
            target.putLong(at, page);
            at += Long.BYTES;
        }
    }
}
