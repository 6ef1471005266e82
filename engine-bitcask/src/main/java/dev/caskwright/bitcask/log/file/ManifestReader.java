package dev.caskwright.bitcask.log.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.zip.CRC32C;

/**
 * Reads a manifest in pieces, whatever its length. An edit has two checksums: one of its header, so that its length can be
 * believed before anything is allocated, and one of its content.
 *
 * <pre>
 * 0          4        8                                     16                20      24
 * | checksum | length | type: 8 bits, forced before: 56 bits | content checksum | zeros | longs ...
 * </pre>
 */
public final class ManifestReader {
    public static final int EDIT_HEADER = 24;

    private static final int LENGTH_OFFSET = 4;
    private static final int TYPE_OFFSET = 8;
    private static final int CONTENT_CHECKSUM_OFFSET = 16;
    private static final int TYPE_BITS = 8;
    private static final int MAX_EDIT = 64 << 20;
    private static final int PIECE = 64 << 10;

    private final ReadableFile file;
    private final long length;
    private final long storeSeed;
    private final CRC32C crc = new CRC32C();
    private final byte[] piece;
    private long pieceAt;
    private int pieceLength;

    ManifestReader(ReadableFile file, long length, long storeSeed) {
        this.file = file;
        this.length = length;
        this.storeSeed = storeSeed;
        this.piece = new byte[(int) Math.min(PIECE, length)];
    }

    /** Returns the bytes of an edit for this place of a manifest; {@code words} begin with its type. */
    static byte[] encode(long[] words, long forcedBefore, long storeSeed, long at) {
        int contentLength = (words.length - 1) * Long.BYTES;
        byte[] edit = new byte[EDIT_HEADER + contentLength];
        for (int i = 1; i < words.length; i++) {
            RecordFormat.LONG.set(edit, EDIT_HEADER + (i - 1) * Long.BYTES, words[i]);
        }
        RecordFormat.INT.set(edit, LENGTH_OFFSET, contentLength);
        RecordFormat.LONG.set(edit, TYPE_OFFSET, words[0] | forcedBefore << TYPE_BITS);
        RecordFormat.INT.set(edit, CONTENT_CHECKSUM_OFFSET, RecordFormat.checksum(edit, EDIT_HEADER, contentLength, 0));
        RecordFormat.INT.set(edit, 0, headerChecksum(edit, 0, RecordFormat.mask(storeSeed, at)));
        return edit;
    }

    private static int headerChecksum(byte[] source, int at, int mask) {
        return RecordFormat.checksum(source, at + LENGTH_OFFSET, EDIT_HEADER - LENGTH_OFFSET, mask);
    }

    /** Returns the offset after the edit at this place, or -1 if there is none that is whole and sound. */
    long end(long at) throws IOException {
        if (!hasSoundHeader(at)) {
            return -1;
        }
        int contentLength = contentLength(at);
        if (contentLength > length - at - EDIT_HEADER) {
            return -1;
        }
        int expected = (int) RecordFormat.INT.get(piece, position(at) + CONTENT_CHECKSUM_OFFSET);
        crc.reset();
        long end = at + EDIT_HEADER + contentLength;
        for (long from = at + EDIT_HEADER; from < end; ) {
            int available = load(from, 1);
            if (available <= 0) {
                return -1;
            }
            int count = (int) Math.min(available, end - from);
            crc.update(piece, position(from), count);
            from += count;
        }
        return (int) crc.getValue() == expected ? end : -1;
    }

    /** Returns the type of an edit that has an {@link #end}. */
    int type(long at) throws IOException {
        load(at, EDIT_HEADER);
        return piece[position(at) + TYPE_OFFSET] & (1 << TYPE_BITS) - 1;
    }

    /** Returns how many longs an edit has that has an {@link #end}, its type included. */
    int words(long at) throws IOException {
        load(at, EDIT_HEADER);
        return 1 + contentLength(at) / Long.BYTES;
    }

    /** Returns one of the longs of an edit that has an {@link #end}; the type is number 0. */
    long word(long at, int number) throws IOException {
        if (number == 0) {
            return type(at);
        }
        long from = at + EDIT_HEADER + (number - 1L) * Long.BYTES;
        if (load(from, Long.BYTES) < Long.BYTES) {
            throw new CorruptRecordException("manifest became shorter while it was read", FileNames.MANIFEST, from, "");
        }
        return (long) RecordFormat.LONG.get(piece, position(from));
    }

    /**
     * Returns the place of a sound header after {@code broken} which says that the manifest had been forced beyond it, or
     * -1 if there is none: then what is broken was never relied on. Looks at each place once.
     */
    long witness(long broken) throws IOException {
        for (long at = broken + Long.BYTES; at <= length - EDIT_HEADER; at += Long.BYTES) {
            if (hasSoundHeader(at)) {
                long word = (long) RecordFormat.LONG.get(piece, position(at) + TYPE_OFFSET);
                if (word >>> TYPE_BITS > broken) {
                    return at;
                }
            }
        }
        return -1;
    }

    private boolean hasSoundHeader(long at) throws IOException {
        if (load(at, EDIT_HEADER) < EDIT_HEADER) {
            return false;
        }
        int contentLength = contentLength(at);
        if (contentLength < 0 || contentLength > MAX_EDIT || contentLength % Long.BYTES != 0) {
            return false;
        }
        int position = position(at);
        return (int) RecordFormat.INT.get(piece, position)
                == headerChecksum(piece, position, RecordFormat.mask(storeSeed, at));
    }

    /** Of the edit whose header {@link #load} has brought. */
    private int contentLength(long at) {
        return (int) RecordFormat.INT.get(piece, position(at) + LENGTH_OFFSET);
    }

    private int position(long at) {
        return (int) (at - pieceAt);
    }

    /** Has the bytes from a place on lie in the piece; returns how many do, {@code wanted} unless the file ends. */
    private int load(long at, int wanted) throws IOException {
        long available = pieceAt + pieceLength - at;
        if (at >= pieceAt && (available >= wanted || pieceAt + pieceLength == length)) {
            return (int) Math.max(0, available);
        }
        pieceAt = at;
        pieceLength = 0;
        pieceLength = file.read(at, piece, 0, (int) Math.min(piece.length, Math.max(0, length - at)));
        return pieceLength;
    }

    /** Returns all longs of an edit that has an {@link #end}, its type first; the caller has checked their number. */
    long[] allWords(long at) throws IOException {
        long[] words = new long[words(at)];
        for (int i = 0; i < words.length; i++) {
            words[i] = word(at, i);
        }
        return words;
    }
}
