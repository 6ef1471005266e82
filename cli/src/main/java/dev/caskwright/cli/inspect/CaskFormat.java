package dev.caskwright.cli.inspect;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/** What the files of a Bitcask store have in common, as docs/format.md describes it. */
final class CaskFormat {
    static final int HEADER = 64;
    static final int BLOCK_HEADER = 8;

    /** The format version of files with encrypted content. */
    static final int ENCRYPTED = 2;

    /** The length of what says by which key that is. */
    static final int KEY_NOTE = 128;

    private static final int NOTE_CHECKSUM = KEY_NOTE - Integer.BYTES;
    private static final int MAX_KEY_ID = 64;
    private static final int HEADER_CHECKSUM = 60;
    private static final int STORE = 16;

    private CaskFormat() {}

    static long storeSeed(FileWindow file) throws IOException {
        return (file.longAt(STORE) ^ Long.rotateLeft(file.longAt(STORE + Long.BYTES), 32)) * 0x9E3779B97F4A7C15L;
    }

    static long fileSeed(long seed, long fileId) {
        long mixed = (seed ^ fileId * 0xD6E8FEB86659FD93L) * 0x9E3779B97F4A7C15L;
        return mixed ^ mixed >>> 32;
    }

    static int mask(long seed, long offset) {
        long mixed = (seed + offset) * 0x9E3779B97F4A7C15L;
        return (int) ((mixed ^ mixed >>> 29) * 0xBF58476D1CE4E5B9L >>> 32);
    }

    /** Returns whether the header of the file is sound, and tells if it is not. */
    static boolean hasHeader(FileWindow file, Findings findings) throws IOException {
        if (!file.has(0, HEADER)) {
            findings.damaged(0, "the file ends within its header: length=" + file.length());
            return false;
        }
        if (file.intAt(HEADER_CHECKSUM) != file.checksum(0, HEADER_CHECKSUM)) {
            findings.damaged(0, "bad checksum of the file's header; nothing in the file can be checked without it");
            return false;
        }
        return true;
    }

    static boolean isEncrypted(FileWindow file) throws IOException {
        return file.intAt(8) == ENCRYPTED;
    }

    /** Tells by which key a file is encrypted, or that what says so is not sound. */
    static void keyNote(FileWindow file, Findings findings, long at) throws IOException {
        int idLength = file.has(at, KEY_NOTE) ? file.intAt(at + 8) : 0;
        if (idLength < 1
                || idLength > MAX_KEY_ID
                || file.intAt(at + NOTE_CHECKSUM) != file.checksum(at, NOTE_CHECKSUM)) {
            findings.damaged(at, "what says by which key the file is encrypted is not sound; nothing can be decrypted");
            return;
        }
        String id = new String(file.copy(at + 56, idLength), StandardCharsets.US_ASCII);
        findings.found(at, "encryption", "key", id);
    }

    static String store(FileWindow file) throws IOException {
        return HexFormat.of().toHexDigits(file.longAt(STORE))
                + HexFormat.of().toHexDigits(file.longAt(STORE + Long.BYTES));
    }

    static String hex(long number) {
        return HexFormat.of().toHexDigits(number);
    }

    /** Returns the length of the content of a sound block, or -1; the block's length is believed only up to the file's end. */
    static int block(FileWindow file, long at, long seed) throws IOException {
        if (!file.has(at, BLOCK_HEADER)) {
            return -1;
        }
        int length = file.intAt(at + Integer.BYTES);
        if (length < 0 || length > file.length() - at - BLOCK_HEADER) {
            return -1;
        }
        CRC32C crc = new CRC32C();
        file.update(crc, at + Integer.BYTES, (long) Integer.BYTES + length);
        return ((int) crc.getValue() ^ mask(seed, at)) == file.intAt(at) ? length : -1;
    }
}
