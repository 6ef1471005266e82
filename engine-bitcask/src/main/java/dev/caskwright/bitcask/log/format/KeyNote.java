package dev.caskwright.bitcask.log.format;

import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which key something is encrypted by: after the header of an encrypted data file, and at the end of an encrypted image's
 * table. It has nothing of the key, but a check that tells a wrong one.
 *
 * <pre>
 * 0       8          12      16         48      56          120     124        128
 * | magic | idLength | zeros | salt: 32 | check | keyId: 64 | zeros | checksum |
 * </pre>
 *
 * @param keyId the id of the key
 * @param salt a random number from which, and from the key, {@code FileKey} derives what encrypts
 * @param check of the key
 */
@SuppressWarnings("ArrayRecordComponent") // compared by equals below, and not changed
public record KeyNote(String keyId, byte[] salt, long check) {
    public static final int LENGTH = 128;
    public static final int SALT_LENGTH = 32;

    private static final long MAGIC = 0x53_59_45_4B_4B_53_41_43L; // "CASKKEYS"
    private static final int ID_LENGTH_OFFSET = 8;
    private static final int SALT_OFFSET = 16;
    private static final int CHECK_OFFSET = 48;
    private static final int ID_OFFSET = 56;
    private static final int CHECKSUM_OFFSET = LENGTH - Integer.BYTES;

    /** Writes the note at a place of an array. */
    public void encode(byte[] target, int at) {
        byte[] id = keyId.getBytes(StandardCharsets.US_ASCII);
        Arrays.fill(target, at, at + LENGTH, (byte) 0);
        RecordFormat.LONG.set(target, at, MAGIC);
        RecordFormat.INT.set(target, at + ID_LENGTH_OFFSET, id.length);
        System.arraycopy(salt, 0, target, at + SALT_OFFSET, SALT_LENGTH);
        RecordFormat.LONG.set(target, at + CHECK_OFFSET, check);
        System.arraycopy(id, 0, target, at + ID_OFFSET, id.length);
        RecordFormat.INT.set(target, at + CHECKSUM_OFFSET, RecordFormat.checksum(target, at, CHECKSUM_OFFSET, 0));
    }

    /** Returns the note at a place of an array, or null if there is none that is sound. */
    public static @Nullable KeyNote decode(byte[] source, int at) {
        int idLength = (int) RecordFormat.INT.get(source, at + ID_LENGTH_OFFSET);
        boolean isSound = (long) RecordFormat.LONG.get(source, at) == MAGIC
                && (int) RecordFormat.INT.get(source, at + CHECKSUM_OFFSET)
                        == RecordFormat.checksum(source, at, CHECKSUM_OFFSET, 0)
                && idLength > 0
                && idLength <= Encryption.MAX_ID_LENGTH;
        if (!isSound) {
            return null;
        }
        String id = new String(source, at + ID_OFFSET, idLength, StandardCharsets.US_ASCII);
        byte[] salt = Arrays.copyOfRange(source, at + SALT_OFFSET, at + SALT_OFFSET + SALT_LENGTH);
        return Encryption.isId(id)
                ? new KeyNote(id, salt, (long) RecordFormat.LONG.get(source, at + CHECK_OFFSET))
                : null;
    }

    /** Returns the note at a place of a file, or null if there is none that is sound. */
    public static @Nullable KeyNote read(ReadableFile file, long offset) throws IOException {
        byte[] bytes = new byte[LENGTH];
        return file.read(offset, bytes, 0, LENGTH) < LENGTH ? null : decode(bytes, 0);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KeyNote note
                && keyId.equals(note.keyId)
                && Arrays.equals(salt, note.salt)
                && check == note.check;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(salt);
    }

    @Override
    public String toString() {
        return "key=" + keyId;
    }
}
