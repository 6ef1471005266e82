package dev.caskwright.moss.file;

/**
 * The bytes of a log file. Numbers are little-endian.
 *
 * <pre>
 * header   64 bytes: magic "MOSSWLOG" (8) | format version (4) | zero (4) | store's number (8) | file's number (8) |
 * zeros (28) |
 *          checksum (4)
 * record*  checksum of the rest of the head (4) | checksum of the body (4) | length of the body (4) | zero (4) |
 *          first version (8) | last version (8) | durable version (8) | body
 * </pre>
 *
 * The body is whole batches, as writes one after the other. The durable version says how far the store survived a
 * power loss when the record was written: a log that ends before the durable version of any record is damaged, and not
 * merely torn. Checksums are those of {@link Sealed}.
 */
final class LogFormat {
    static final long MAGIC = 0x474F4C5753534F4DL; // "MOSSWLOG"
    static final int VERSION = 1;
    static final int HEADER_LENGTH = 64;
    static final int HEADER_CHECKSUM_OFFSET = 60;
    static final int STORE_OFFSET = 16;
    static final int NUMBER_OFFSET = 24;

    static final int HEAD_LENGTH = 40;
    static final int BODY_CHECKSUM_OFFSET = 4;
    static final int BODY_LENGTH_OFFSET = 8;
    static final int ZERO_OFFSET = 12;
    static final int FIRST_OFFSET = 16;
    static final int LAST_OFFSET = 24;
    static final int DURABLE_OFFSET = 32;

    private LogFormat() {}
}
