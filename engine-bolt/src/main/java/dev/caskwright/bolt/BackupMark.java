package dev.caskwright.bolt;

import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bolt.page.Meta;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * What tells a backup from other files: some bytes after the fields of both meta pages, where bolt's format has none and readers do
 * not look. A commit by whatever program writes a meta page again, without them. So a file with both marks is one that
 * nobody has written to since it was copied.
 *
 * <pre>
 * 0            80       88                     120        124
 * | meta page  | magic  | SHA-256 of the path  | CRC-32C of all before |
 * </pre>
 *
 * The path is the store's. The format has no identity of a store to go by.
 */
final class BackupMark {
    private static final byte[] MAGIC = "CASKCOPY".getBytes(StandardCharsets.US_ASCII);
    private static final int PATH_OFFSET = Meta.LENGTH + MAGIC.length;
    private static final int CHECKSUM_OFFSET = PATH_OFFSET + 32;
    private static final int END = CHECKSUM_OFFSET + Integer.BYTES;

    private final byte[] path;
    private final int pageSize;

    /** Makes the mark of the store at a place. */
    BackupMark(String store, int pageSize) {
        this.path = sha256(store);
        this.pageSize = pageSize;
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Marks the two meta pages at the start of {@code pages}. */
    void put(byte[] pages) {
        for (int at = 0; at < 2 * pageSize; at += pageSize) {
            System.arraycopy(MAGIC, 0, pages, at + Meta.LENGTH, MAGIC.length);
            System.arraycopy(path, 0, pages, at + PATH_OFFSET, path.length);
            ByteBuffer.wrap(pages).putInt(at + CHECKSUM_OFFSET, checksum(pages, at));
        }
    }

    /** Returns whether a file is a backup of the store that nobody has written to since. */
    boolean isIn(ReadableFile file) throws IOException {
        byte[] page = new byte[END];
        for (long at = 0; at < 2L * pageSize; at += pageSize) {
            if (file.read(at, page, 0, END) < END
                    || !Arrays.equals(page, Meta.LENGTH, PATH_OFFSET, MAGIC, 0, MAGIC.length)
                    || !Arrays.equals(page, PATH_OFFSET, CHECKSUM_OFFSET, path, 0, path.length)
                    || ByteBuffer.wrap(page).getInt(CHECKSUM_OFFSET) != checksum(page, 0)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the number of the transaction that a backup shows. */
    long transactionIn(ReadableFile file) throws IOException {
        long newest = -1;
        byte[] page = new byte[Meta.LENGTH];
        for (long at = 0; at < 2L * pageSize; at += pageSize) {
            file.read(at, page, 0, page.length);
            Meta meta = Meta.read(ByteBuffer.wrap(page));
            newest = Math.max(newest, meta == null ? -1 : meta.transaction());
        }
        return newest;
    }

    private static int checksum(byte[] bytes, int at) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, at, CHECKSUM_OFFSET);
        return (int) crc.getValue();
    }
}
