package dev.caskwright.bolt.page;

/**
 * The byte layout of bolt's pages. A file is a sequence of pages of one size; page {@code n} starts at {@code n × pageSize}.
 * A <i>run</i> is a page and the pages after it that belong to it. Integers have the byte order of the machine that wrote
 * the file: little-endian here.
 *
 * <pre>
 * page header (16)      0: id 8 | 8: flags 2 | 10: count 2 | 12: overflow 4 (pages of the run after the first)
 * leaf element (16)     0: flags 4 | 4: pos 4 | 8: key length 4 | 12: value length 4
 * branch element (16)   0: pos 4 | 4: key length 4 | 8: child page 8
 * bucket value (16)     0: root page 8 | 8: sequence 8, then a leaf page image if the root is 0 (an inline bucket)
 * </pre>
 *
 * <p>The elements stand one after another after the page header, then the keys and values. {@code pos} counts from the start
 * of the element that holds it.
 */
public final class PageFormat {
    /** Length of a page header, and of an element of either kind. */
    public static final int HEADER_LENGTH = 16;

    /** Where a page header has the page's own number. */
    public static final int ID_OFFSET = 0;

    /** Where a page header has the kind of the page. */
    public static final int FLAGS_OFFSET = ID_OFFSET + Long.BYTES;

    /** Where a page header has the number of elements. */
    public static final int COUNT_OFFSET = FLAGS_OFFSET + Short.BYTES;

    /** Where a page header has the number of pages that follow in the run. */
    public static final int OVERFLOW_OFFSET = COUNT_OFFSET + Short.BYTES;

    /** Kind of a page that leads to other pages. */
    public static final int BRANCH = 0x01;

    /** Kind of a page with keys and values. */
    public static final int LEAF = 0x02;

    /** Kind of the first two pages. */
    public static final int META = 0x04;

    /** Kind of the page that lists free pages. */
    public static final int FREELIST = 0x10;

    /** Length of an element. */
    public static final int ELEMENT_LENGTH = 16;

    /** Where a leaf element has its flags. */
    public static final int LEAF_FLAGS_OFFSET = 0;

    /** Where a leaf element says where its key starts. */
    public static final int LEAF_POS_OFFSET = 4;

    /** Where a leaf element has the length of its key. */
    public static final int LEAF_KEY_LENGTH_OFFSET = 8;

    /** Where a leaf element has the length of its value. */
    public static final int LEAF_VALUE_LENGTH_OFFSET = 12;

    /** Where a branch element says where its key starts. */
    public static final int BRANCH_POS_OFFSET = 0;

    /** Where a branch element has the length of its key. */
    public static final int BRANCH_KEY_LENGTH_OFFSET = 4;

    /** Where a branch element has its child page. */
    public static final int BRANCH_CHILD_OFFSET = 8;

    /** Flag of a leaf element whose value is a bucket. */
    public static final int BUCKET = 0x01;

    /** Length of a bucket's value, without the page image of an inline bucket. */
    public static final int BUCKET_LENGTH = 16;

    /** Where a bucket's value has the root page. */
    public static final int BUCKET_ROOT_OFFSET = 0;

    /** Where a bucket's value has the sequence. */
    public static final int BUCKET_SEQUENCE_OFFSET = 8;

    /** Greatest number of elements of a page: a count of 16 bits, of which a freelist keeps one value. */
    public static final int MAX_COUNT = 0xFFFF;

    /** Count of a freelist page whose true count is in its first entry. */
    public static final int COUNT_IN_FIRST_ENTRY = 0xFFFF;

    /** Smallest page size. */
    public static final int MIN_PAGE_SIZE = 512;

    /** Greatest page size that a new file may have. */
    public static final int MAX_PAGE_SIZE = 64 << 10;

    /** Greatest number of pages of a file: sets of pages are indexed by int. 1 TiB of the smallest pages, 8 TiB of usual ones. */
    public static final long MAX_PAGES = Integer.MAX_VALUE;

    private PageFormat() {}

    /** Returns how many pages of {@code pageSize} bytes hold {@code length} bytes. */
    public static long pages(long length, int pageSize) {
        return (length + pageSize - 1) / pageSize;
    }
}
