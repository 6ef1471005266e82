package dev.caskwright.bolt.page;

import dev.caskwright.api.CorruptRecordException;
import java.nio.ByteBuffer;

/**
 * A place to look at one page from: it is pointed at a page, and at another one later, so that a descent makes no objects. It
 * reads the bytes where they lie, and checks each offset, length and count before it uses it. For one thread.
 */
public final class Page {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final String file;
    private ByteBuffer bytes = NOTHING;
    private int start;
    private int length;
    private long id;
    private long offset;
    private int flags;
    private int count;

    /** @param file names the file in errors */
    public Page(String file) {
        this.file = file;
    }

    /**
     * Points at a branch or leaf page.
     *
     * @param bytes has the page, in the byte order of the file
     * @param start where in {@code bytes} the page starts
     * @param length length of the run, or of an inline page's image, in bytes
     * @param id number of the page, 0 for an inline page
     * @param offset where in the file the page starts, for errors
     */
    public void point(ByteBuffer bytes, int start, int length, long id, long offset) throws CorruptRecordException {
        this.bytes = bytes;
        this.start = start;
        this.length = length;
        this.id = id;
        this.offset = offset;
        if (length < PageFormat.HEADER_LENGTH) {
            throw corrupt("page is too short", "length=" + length);
        }
        flags = bytes.getShort(start + PageFormat.FLAGS_OFFSET) & 0xFFFF;
        count = bytes.getShort(start + PageFormat.COUNT_OFFSET) & 0xFFFF;
        if (flags != PageFormat.LEAF && flags != PageFormat.BRANCH) {
            throw corrupt("page is neither branch nor leaf", "flags=" + flags);
        }
        long foundId = bytes.getLong(start + PageFormat.ID_OFFSET);
        if (foundId != id) {
            throw corrupt("page has another page's number", "found=" + Long.toUnsignedString(foundId));
        }
        if (PageFormat.HEADER_LENGTH + (long) count * PageFormat.ELEMENT_LENGTH > length) {
            throw corrupt("page has more elements than room", "count=" + count + ", length=" + length);
        }
    }

    /** Points as another one does. */
    public void point(Page other) {
        bytes = other.bytes;
        start = other.start;
        length = other.length;
        id = other.id;
        offset = other.offset;
        flags = other.flags;
        count = other.count;
    }

    /** Lets go of the page's bytes. */
    public void clear() {
        bytes = NOTHING;
        count = 0;
    }

    /** Returns the number of the page, 0 for an inline page. */
    public long id() {
        return id;
    }

    /** Returns the length of the run in bytes. */
    public int length() {
        return length;
    }

    /** Returns whether the page has values, not children. */
    public boolean isLeaf() {
        return flags == PageFormat.LEAF;
    }

    /** Returns the number of elements. */
    public int count() {
        return count;
    }

    /** Returns the bytes that hold the page. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** Returns the error for this page. */
    public CorruptRecordException corrupt(String rule, String details) {
        return new CorruptRecordException(
                rule, file, offset, "page=" + Long.toUnsignedString(id) + (details.isEmpty() ? "" : ", " + details));
    }

    /** Returns where in {@link #bytes()} the key of an element starts, after checking that element's bytes. */
    public int keyAt(int index) throws CorruptRecordException {
        int element = element(index);
        boolean isLeaf = isLeaf();
        long pos = bytes.getInt(element + (isLeaf ? PageFormat.LEAF_POS_OFFSET : PageFormat.BRANCH_POS_OFFSET))
                & 0xFFFFFFFFL;
        long keyLength = bytes.getInt(
                        element + (isLeaf ? PageFormat.LEAF_KEY_LENGTH_OFFSET : PageFormat.BRANCH_KEY_LENGTH_OFFSET))
                & 0xFFFFFFFFL;
        long valueLength = isLeaf ? bytes.getInt(element + PageFormat.LEAF_VALUE_LENGTH_OFFSET) & 0xFFFFFFFFL : 0;
        long end = (element - start) + pos + keyLength + valueLength;
        if (end > length) {
            throw corrupt(
                    "element is outside of its page",
                    "element=" + index + ", pos=" + pos + ", keyLength=" + keyLength + ", valueLength=" + valueLength
                            + ", pageLength=" + length);
        }
        return element + (int) pos;
    }

    /** Returns the length of a key. */
    public int keyLength(int index) {
        return bytes.getInt(
                element(index) + (isLeaf() ? PageFormat.LEAF_KEY_LENGTH_OFFSET : PageFormat.BRANCH_KEY_LENGTH_OFFSET));
    }

    /** Returns where in {@link #bytes()} the value of a leaf's element starts. */
    public int valueAt(int index) throws CorruptRecordException {
        return keyAt(index) + keyLength(index);
    }

    /** Returns the length of a leaf's value. */
    public int valueLength(int index) {
        return bytes.getInt(element(index) + PageFormat.LEAF_VALUE_LENGTH_OFFSET);
    }

    /** Returns the flags of a leaf's element. */
    public int elementFlags(int index) {
        return bytes.getInt(element(index) + PageFormat.LEAF_FLAGS_OFFSET);
    }

    /** Returns the child that a branch's element leads to. */
    public long child(int index) {
        return bytes.getLong(element(index) + PageFormat.BRANCH_CHILD_OFFSET);
    }

    /**
     * Looks for a key.
     *
     * @return the index of the element with the key, or {@code -(i + 1)}, where {@code i} is the first element with a
     *     greater key
     */
    public int search(byte[] key, int keyOffset, int keyLength) throws CorruptRecordException {
        ByteBuffer source = bytes;
        boolean isLeaf = flags == PageFormat.LEAF;
        int posOffset = isLeaf ? PageFormat.LEAF_POS_OFFSET : PageFormat.BRANCH_POS_OFFSET;
        int lengthOffset = isLeaf ? PageFormat.LEAF_KEY_LENGTH_OFFSET : PageFormat.BRANCH_KEY_LENGTH_OFFSET;
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int element = start + PageFormat.HEADER_LENGTH + middle * PageFormat.ELEMENT_LENGTH;
            long pos = source.getInt(element + posOffset) & 0xFFFFFFFFL;
            long middleLength = source.getInt(element + lengthOffset) & 0xFFFFFFFFL;
            if (element - start + pos + middleLength > length) {
                keyAt(middle); // throws
            }
            int order = Bytes.compare(source, element + (int) pos, (int) middleLength, key, keyOffset, keyLength);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -(low + 1);
    }

    private int element(int index) {
        if (index < 0 || index >= count) {
            throw new IndexOutOfBoundsException(
                    "no such element: page=" + id + ", element=" + index + ", count=" + count);
        }
        return start + PageFormat.HEADER_LENGTH + index * PageFormat.ELEMENT_LENGTH;
    }
}
