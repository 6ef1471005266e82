package dev.caskwright.bitcask.log.keys;

import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * What the files of one opening are encrypted by: AES-256 keys that are derived, by HMAC-SHA-256, from the user's key and a
 * random salt. One is for records, another for the blocks of hint files and images.
 *
 * <p><b>Why no nonce comes twice.</b> GCM gives everything away if one key encrypts two different texts under one nonce. Each
 * opening that writes draws a salt of 256 bits of its own, keeps it in memory, and encrypts under no other: {@link #fresh} is
 * the only way to a key that encrypts records, one that is read from a file only decrypts. So whatever becomes of the files
 * - a tail that is cut and written again, a store that is put back from a backup or copied and goes on twice - what is
 * written after the next opening is under another key. Within the opening, nonces are counted by {@link #nextNonce}, which
 * never goes back: a record that is written again, because a write failed, takes a new number. The number is in its header,
 * so nothing has to be found out from places or versions, which do come again.
 *
 * <p>Blocks may be encrypted by an opening that came later than the key: a hint file is rewritten when it is lost. They
 * take a random nonce of 96 bits each, and have a key that no record has. A block is long, and there are few: even with 2^32
 * of them under one key, which would be the hints of some 10^12 records, two nonces are alike with less than 2^-32.
 *
 * <p>Safe for any thread.
 */
public final class FileKey {
    public static final int TAG_LENGTH = 16;
    public static final int NONCE_LENGTH = 12;

    /** By how much a block gets longer: its nonce, and the tag. */
    public static final int BLOCK_OVERHEAD = NONCE_LENGTH + TAG_LENGTH;

    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final SecureRandom RANDOM = new SecureRandom();

    private final KeyNote note;
    private final SecretKey records;
    private final SecretKey blocks;
    private final @Nullable AtomicLong nonces; // null if this key is not to encrypt records

    private FileKey(KeyNote note, byte[] key, @Nullable AtomicLong nonces) {
        this.note = note;
        this.records = new SecretKeySpec(derive(key, "records", note.salt()), "AES");
        this.blocks = new SecretKeySpec(derive(key, "blocks", note.salt()), "AES");
        this.nonces = nonces;
    }

    /** Returns what an opening encrypts by, which nothing was encrypted by before. */
    public static FileKey fresh(String keyId, byte[] key) {
        byte[] salt = new byte[KeyNote.SALT_LENGTH];
        RANDOM.nextBytes(salt);
        return new FileKey(new KeyNote(keyId, salt, check(key, salt)), key, new AtomicLong());
    }

    /** Returns what decrypts the files with a note, or null if it was made of another key. */
    public static @Nullable FileKey of(KeyNote note, byte[] key) {
        return check(key, note.salt()) == note.check() ? new FileKey(note, key, null) : null;
    }

    private static long check(byte[] key, byte[] salt) {
        return (long) RecordFormat.LONG.get(derive(key, "check", salt), 0);
    }

    private static byte[] derive(byte[] key, String use, byte[] salt) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update(("caskwright " + use + "\0").getBytes(StandardCharsets.US_ASCII));
            return mac.doFinal(salt);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no HmacSHA256", e);
        }
    }

    public KeyNote note() {
        return note;
    }

    public SecretKey records() {
        return records;
    }

    /** Returns a number that this method has not returned before, for the nonce of a record. */
    public long nextNonce() {
        AtomicLong counted = nonces;
        if (counted == null) {
            throw new IllegalStateException("a key of an earlier opening encrypts nothing: " + note);
        }
        return counted.incrementAndGet();
    }

    public static Cipher newCipher() {
        try {
            return Cipher.getInstance(CIPHER);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no " + CIPHER, e);
        }
    }

    public static GCMParameterSpec parameters(byte[] nonce) {
        return new GCMParameterSpec(TAG_LENGTH * Byte.SIZE, nonce);
    }

    /**
     * Encrypts the content of a block: writes a nonce, the encrypted bytes and a tag to the target, {@link #BLOCK_OVERHEAD}
     * bytes more than {@code length}.
     *
     * @param context what must be the same when it is decrypted
     */
    public void encryptBlock(byte[] source, int from, int length, byte[] target, int at, byte[] context) {
        byte[] nonce = new byte[NONCE_LENGTH];
        RANDOM.nextBytes(nonce);
        System.arraycopy(nonce, 0, target, at, NONCE_LENGTH);
        try {
            Cipher cipher = newCipher();
            cipher.init(Cipher.ENCRYPT_MODE, blocks, parameters(nonce));
            cipher.updateAAD(context);
            cipher.doFinal(source, from, length, target, at + NONCE_LENGTH);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a block was not encrypted", e);
        }
    }

    /**
     * Decrypts, in place, what {@link #encryptBlock} has written; returns whether it is what was encrypted in that context.
     *
     * @param length of all of it; {@link #BLOCK_OVERHEAD} bytes less are the content
     */
    public boolean decryptBlock(byte[] block, int at, int length, byte[] context) {
        if (length < BLOCK_OVERHEAD) {
            return false;
        }
        try {
            Cipher cipher = newCipher();
            cipher.init(Cipher.DECRYPT_MODE, blocks, parameters(Arrays.copyOfRange(block, at, at + NONCE_LENGTH)));
            cipher.updateAAD(context);
            byte[] content = cipher.doFinal(block, at + NONCE_LENGTH, length - NONCE_LENGTH);
            System.arraycopy(content, 0, block, at, content.length);
            return true;
        } catch (AEADBadTagException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a block was not decrypted", e);
        }
    }
}
