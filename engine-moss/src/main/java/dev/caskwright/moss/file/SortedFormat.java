package dev.caskwright.moss.file;

/**
 * The bytes of a sorted file. Numbers are little-endian; "var" is a number of variable length, seven bits a byte.
 *
 * <pre>
 * block*    entry* | offset of each entry in the block (2 bytes) | count (2) | checksum (4)
 * entry     kind (1) | key length var | value length var | version less the file's first one var | key | value
 * index     for each block: length in bytes, checksum included var | key length var | key of its first entry; checksum
 * (4) filter    bits of a Bloom filter | checksum (4)
 * ranges    for each range: length var | first key | length var | key after the last one; checksum (4)
 * footer    96 bytes:
 *    0  magic "MOSSSORT"        8  format version (4)      12  flags (4): 1 if an entry is operands without a base
 *   16  store's number (8)     24  file's number (8)       32  entries (8)
 *   40  first version (8)      48  last version (8)
 *   56  offset of the index (8)    64  its length (4)      68  length of the filter (4)
 *   72  length of the ranges (4)   76  blocks (4)          80  zeros (12)
 *   92  checksum of the footer (4)
 * </pre>
 *
 * A block has about 4 KiB; an entry that is longer has a block of its own. Sections follow each other without gaps; the
 * footer ends the file. Checksums are those of {@link Sealed}.
 */
final class SortedFormat {
    static final long MAGIC = 0x54524F5353534F4DL; // "MOSSSORT"
    static final int VERSION = 1;
    static final int HAS_OPERANDS = 1;

    static final int BLOCK_LENGTH = 4 << 10;
    static final int CHECKSUM_LENGTH = Integer.BYTES;
    static final int COUNT_LENGTH = Short.BYTES;
    static final int OFFSET_LENGTH = Short.BYTES;

    static final int FOOTER_LENGTH = 96;
    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = 8;
    static final int FLAGS_OFFSET = 12;
    static final int STORE_OFFSET = 16;
    static final int NUMBER_OFFSET = 24;
    static final int ENTRIES_OFFSET = 32;
    static final int FIRST_VERSION_OFFSET = 40;
    static final int LAST_VERSION_OFFSET = 48;
    static final int INDEX_OFFSET = 56;
    static final int INDEX_LENGTH_OFFSET = 64;
    static final int FILTER_LENGTH_OFFSET = 68;
    static final int RANGES_LENGTH_OFFSET = 72;
    static final int BLOCKS_OFFSET = 76;
    static final int FOOTER_CHECKSUM_OFFSET = 92;

    private SortedFormat() {}

    static int getShort(byte[] bytes, int offset) {
        return bytes[offset] & 0xFF | (bytes[offset + 1] & 0xFF) << 8;
    }

    static void putShort(byte[] bytes, int offset, int value) {
        bytes[offset] = (byte) value;
        bytes[offset + 1] = (byte) (value >>> 8);
    }
}
