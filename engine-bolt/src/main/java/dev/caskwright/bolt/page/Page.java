package dev.caskwright.bolt.page;

import dev.caskwright.api.CorruptRecordException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A place to look at one page from: it is pointed at a page, and at another one later, so that a descent makes no objects. It
 * reads the bytes where they lie, and checks each offset, length and count before it uses it. For one thread.
 */
public final class Page {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final String file;
    private ByteBuffer bytes = NOTHING;
    private boolean isSwapped; // the file is big-endian
    private int start;
    private int length;
    private long id;
    private long offset;
    private int flags;
    private int count;

    // The element looked at last.
    private int keyAt;
    private int keyLength;
    private int valueLength;
    private int elementFlags;

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
    @SuppressWarnings("ReferenceEquality") // another buffer may have another byte order
    public void point(ByteBuffer bytes, int start, int length, long id, long offset) throws CorruptRecordException {
        if (this.bytes != bytes) {
            this.bytes = bytes;
            isSwapped = bytes.order() == ByteOrder.BIG_ENDIAN;
        }
        this.start = start;
        this.length = length;
        this.id = id;
        this.offset = offset;
        if (length < PageFormat.HEADER_LENGTH) {
            throw corrupt("page is too short", "length=" + length);
        }
        int flagsAndCount = Bytes.getInt(bytes, start + PageFormat.FLAGS_OFFSET);
        if (isSwapped) {
            flagsAndCount = Integer.rotateLeft(Integer.reverseBytes(flagsAndCount), Short.SIZE);
        }
        flags = flagsAndCount & 0xFFFF;
        count = flagsAndCount >>> Short.SIZE;
        if (flags != PageFormat.LEAF && flags != PageFormat.BRANCH) {
            throw corrupt("page is neither branch nor leaf", "flags=" + flags);
        }
        long foundId = longAt(start + PageFormat.ID_OFFSET);
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
        isSwapped = other.isSwapped;
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

    /** Looks at an element, after checking that its bytes are within the page. */
    public void look(int index) throws CorruptRecordException {
        int element = element(index);
        long first = pairAt(element);
        long second = pairAt(element + Long.BYTES);
        long pos;
        long keyBytes;
        long valueBytes;
        if (flags == PageFormat.LEAF) {
            elementFlags = (int) first;
            pos = first >>> Integer.SIZE;
            keyBytes = second & 0xFFFFFFFFL;
            valueBytes = second >>> Integer.SIZE;
        } else {
            elementFlags = 0;
            pos = first & 0xFFFFFFFFL;
            keyBytes = first >>> Integer.SIZE;
            valueBytes = 0;
        }
        if (element - start + pos + keyBytes + valueBytes > length) {
            throw corrupt(
                    "element is outside of its page",
                    "element=" + index + ", pos=" + pos + ", keyLength=" + keyBytes + ", valueLength=" + valueBytes
                            + ", pageLength=" + length);
        }
        keyAt = element + (int) pos;
        keyLength = (int) keyBytes;
        valueLength = (int) valueBytes;
    }

    /** Returns where in {@link #bytes()} the key of the element looked at last starts. */
    public int keyAt() {
        return keyAt;
    }

    /** Returns the length of the key looked at last. */
    public int keyLength() {
        return keyLength;
    }

    /** Returns where in {@link #bytes()} the value of the element looked at last starts. */
    public int valueAt() {
        return keyAt + keyLength;
    }

    /** Returns the length of the value looked at last, 0 in a branch. */
    public int valueLength() {
        return valueLength;
    }

    /** Returns the flags of the element looked at last, 0 in a branch. */
    public int elementFlags() {
        return elementFlags;
    }

    /** Returns whether the element looked at last is a bucket. */
    public boolean isBucket() {
        return (elementFlags & PageFormat.BUCKET) != 0;
    }

    /** Returns the key of the element looked at last. */
    public byte[] key() {
        return Bytes.copy(bytes, keyAt, keyLength);
    }

    /** Returns the value of the element looked at last. */
    public byte[] value() {
        return Bytes.copy(bytes, valueAt(), valueLength);
    }

    /** Returns the child that a branch's element leads to. */
    public long child(int index) {
        return longAt(element(index) + PageFormat.BRANCH_CHILD_OFFSET);
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
        int elements = start + PageFormat.HEADER_LENGTH;
        int end = start + length;
        long firstWord = Bytes.word(key, keyOffset, keyLength, 0);
        long secondWord = Bytes.word(key, keyOffset, keyLength, Long.BYTES);
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int element = elements + middle * PageFormat.ELEMENT_LENGTH;
            long first = pairAt(element);
            long pos;
            long bytesOfKey;
            if (isLeaf) {
                pos = first >>> Integer.SIZE;
                bytesOfKey = pairAt(element + PageFormat.LEAF_KEY_LENGTH_OFFSET) & 0xFFFFFFFFL;
            } else {
                pos = first & 0xFFFFFFFFL;
                bytesOfKey = first >>> Integer.SIZE;
            }
            if (element + pos + bytesOfKey > end) {
                look(middle); // throws
            }
            int order = Bytes.compare(
                    source, element + (int) pos, (int) bytesOfKey, key, keyOffset, keyLength, firstWord, secondWord);
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

    private long longAt(int index) {
        long value = Bytes.getLong(bytes, index);
        return isSwapped ? Long.reverseBytes(value) : value;
    }

    /** Returns two numbers of 32 bits, the first one low. */
    private long pairAt(int index) {
        long pair = Bytes.getLong(bytes, index);
        return isSwapped ? Long.rotateLeft(Long.reverseBytes(pair), Integer.SIZE) : pair;
    }

    private int element(int index) {
        if (index < 0 || index >= count) {
            throw new IndexOutOfBoundsException(
                    "no such element: page=" + id + ", element=" + index + ", count=" + count);
        }
        return start + PageFormat.HEADER_LENGTH + index * PageFormat.ELEMENT_LENGTH;
    }
}
