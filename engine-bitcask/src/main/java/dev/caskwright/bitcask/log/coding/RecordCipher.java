package dev.caskwright.bitcask.log.coding;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.keys.FileKey;
import java.security.GeneralSecurityException;
import java.util.zip.CRC32C;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;

/**
 * Encrypts and decrypts records. For one thread at a time.
 *
 * <p>Key and value are one text. Its nonce is a number that the header has at its end, after four zeros. What is bound to it
 * is the number of the file, the offset, and the header but for its two checksums: a record that was changed anywhere, or
 * moved to another place, does not decrypt. The body checksum is that of the encrypted bytes and the tag, so recovery,
 * copying and the search after damage need no key.
 */
public final class RecordCipher {
    /** By how much a record gets longer at most: number, tag and padding. */
    public static final int MOST_ADDED = RecordFormat.NONCE_LENGTH + FileKey.TAG_LENGTH + RecordFormat.ALIGNMENT;

    private final Cipher cipher = FileKey.newCipher();
    private final CRC32C crc = new CRC32C();
    private final byte[] nonce = new byte[FileKey.NONCE_LENGTH];
    private final byte[] place = new byte[2 * Long.BYTES];

    /** Returns the length that a record has when it is encrypted, padding included. */
    public static long encryptedLength(byte[] plain, int at) {
        int kind = RecordFormat.kind(plain, at) | RecordFormat.ENCRYPTED;
        return RecordFormat.align((long) RecordFormat.headerLength(kind)
                + RecordFormat.keyLength(plain, at)
                + RecordFormat.valueLength(plain, at)
                + FileKey.TAG_LENGTH);
    }

    /** Returns the length that a record has when it is not encrypted, padding included. */
    public static long plainLength(byte[] encrypted, int at) {
        int kind = RecordFormat.kind(encrypted, at) & ~RecordFormat.ENCRYPTED;
        return RecordFormat.align((long) RecordFormat.headerLength(kind)
                + RecordFormat.keyLength(encrypted, at)
                + RecordFormat.valueLength(encrypted, at));
    }

    /**
     * Encrypts a record for its place, and completes its header. Version and distance are set; the target, another array, has
     * room for {@link #encryptedLength}.
     */
    public void encrypt(byte[] plain, int at, byte[] target, int to, DataFile file, long offset) {
        int keyLength = RecordFormat.keyLength(plain, at);
        int valueLength = RecordFormat.valueLength(plain, at);
        int value = at + RecordFormat.headerLength(RecordFormat.kind(plain, at)) + keyLength;
        encrypt(plain, at, plain, value, valueLength, target, to, file, offset);
    }

    /** As the other, of a record whose value is elsewhere. */
    public void encrypt(
            byte[] plain,
            int at,
            byte[] valueSource,
            int valueOffset,
            int valueLength,
            byte[] target,
            int to,
            DataFile file,
            long offset) {
        FileKey key = key(file);
        int plainKind = RecordFormat.kind(plain, at);
        int kind = plainKind | RecordFormat.ENCRYPTED;
        int plainHeader = RecordFormat.headerLength(plainKind);
        int header = RecordFormat.headerLength(kind);
        int keyLength = RecordFormat.keyLength(plain, at);
        System.arraycopy(plain, at, target, to, plainHeader);
        target[to + RecordFormat.KIND_OFFSET] = (byte) kind;
        long number = key.nextNonce();
        RecordFormat.LONG.set(target, to + header - RecordFormat.NONCE_LENGTH, number);
        int body = to + header;
        try {
            init(Cipher.ENCRYPT_MODE, key.records(), number, file, offset);
            bindHeader(target, to, header);
            int written = cipher.update(plain, at + plainHeader, keyLength, target, body);
            cipher.doFinal(valueSource, valueOffset, valueLength, target, body + written);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a record was not encrypted: file=" + file.name(), e);
        }
        int end = body + keyLength + valueLength + FileKey.TAG_LENGTH;
        RecordFormat.INT.set(target, to + RecordFormat.BODY_CHECKSUM_OFFSET, checksum(target, body, end - body));
        for (int padded = to + (int) RecordFormat.align(end - to); end < padded; end++) {
            target[end] = 0;
        }
        RecordFormat.INT.set(
                target,
                to + RecordFormat.HEADER_CHECKSUM_OFFSET,
                RecordFormat.headerChecksum(target, to, file.mask(offset), crc));
    }

    /**
     * Decrypts a record whose header is sound, and all of which is there, to the start of another array with room for {@link
     * #plainLength}: what it gets is a record as it would be without encryption, but for its header checksum.
     *
     * @throws CorruptRecordException if it is not what was encrypted for this place
     */
    public void decrypt(byte[] source, int at, byte[] target, DataFile file, long offset)
            throws CorruptRecordException {
        int kind = RecordFormat.kind(source, at);
        int plainKind = kind & ~RecordFormat.ENCRYPTED;
        int header = RecordFormat.headerLength(kind);
        int plainHeader = RecordFormat.headerLength(plainKind);
        int length = RecordFormat.keyLength(source, at) + RecordFormat.valueLength(source, at);
        long number = (long) RecordFormat.LONG.get(source, at + header - RecordFormat.NONCE_LENGTH);
        FileKey key = key(file);
        try {
            init(Cipher.DECRYPT_MODE, key.records(), number, file, offset);
            bindHeader(source, at, header);
            cipher.doFinal(source, at + header, length + FileKey.TAG_LENGTH, target, plainHeader);
        } catch (AEADBadTagException e) {
            throw file.corrupt(
                    "record does not decrypt: it was changed or moved",
                    offset,
                    key.note().toString());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a record was not decrypted: file=" + file.name(), e);
        }
        System.arraycopy(source, at, target, 0, plainHeader);
        target[RecordFormat.KIND_OFFSET] = (byte) plainKind;
        RecordFormat.INT.set(target, RecordFormat.BODY_CHECKSUM_OFFSET, checksum(target, plainHeader, length));
        for (int end = plainHeader + length; end < RecordFormat.align(plainHeader + length); end++) {
            target[end] = 0;
        }
    }

    private static FileKey key(DataFile file) {
        FileKey key = file.key();
        if (key == null) {
            throw new IllegalStateException("the file is not encrypted: file=" + file.name());
        }
        return key;
    }

    private void init(int mode, SecretKey key, long number, DataFile file, long offset)
            throws GeneralSecurityException {
        RecordFormat.LONG.set(nonce, FileKey.NONCE_LENGTH - Long.BYTES, number);
        cipher.init(mode, key, FileKey.parameters(nonce));
        RecordFormat.LONG.set(place, 0, file.id());
        RecordFormat.LONG.set(place, Long.BYTES, offset);
        cipher.updateAAD(place);
    }

    private void bindHeader(byte[] record, int at, int header) {
        cipher.updateAAD(record, at + RecordFormat.VERSION_OFFSET, header - RecordFormat.VERSION_OFFSET);
    }

    private int checksum(byte[] source, int from, int length) {
        crc.reset();
        crc.update(source, from, length);
        return (int) crc.getValue();
    }
}
