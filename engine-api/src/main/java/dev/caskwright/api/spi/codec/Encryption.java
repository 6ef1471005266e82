package dev.caskwright.api.spi.codec;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Encryption at rest: which key new data is encrypted by, and where keys come from. Every file names its key by an id, so
 * data under several keys lies side by side, and another key may be chosen each time a store is opened.
 *
 * @param keyId the id of the key for what is written from now on: 1 to {@value #MAX_ID_LENGTH} printable characters of
 *     ASCII, without spaces. It is stored as it is. Null to write without encryption, and only read what is encrypted
 * @param keys finds keys by their ids
 */
public record Encryption(@Nullable String keyId, Keys keys) {
    /** The greatest length of the id of a key, in characters. */
    public static final int MAX_ID_LENGTH = 64;

    /** The least length of a key, in bytes. */
    public static final int MIN_KEY_LENGTH = 16;

    /** The greatest length of a key, in bytes. */
    public static final int MAX_KEY_LENGTH = 64;

    /**
     * @throws IllegalArgumentException if the id is none
     */
    public Encryption {
        Objects.requireNonNull(keys, "keys");
        if (keyId != null && !isId(keyId)) {
            throw new IllegalArgumentException("the id of a key must have 1 to " + MAX_ID_LENGTH
                    + " printable characters of ASCII and no spaces: length=" + keyId.length());
        }
    }

    /** Encrypts what is written by the key of this id, and reads by any key. */
    public static Encryption writing(String keyId, Keys keys) {
        return new Encryption(Objects.requireNonNull(keyId, "keyId"), keys);
    }

    /** Reads what is encrypted by any key, and writes without encryption. */
    public static Encryption reading(Keys keys) {
        return new Encryption(null, keys);
    }

    /** Returns whether a text can be the id of a key. */
    public static boolean isId(String text) {
        return text.matches("[\\x21-\\x7E]{1," + MAX_ID_LENGTH + "}");
    }

    /** Finds keys. They are asked while a store is opened, by any thread, and kept in memory until it is closed. */
    @FunctionalInterface
    public interface Keys {
        /**
         * Returns the key of an id, {@value Encryption#MIN_KEY_LENGTH} to {@value Encryption#MAX_KEY_LENGTH} bytes that
         * nobody can guess, or null if it is not known. The array is neither kept nor changed.
         *
         * @throws IOException if it cannot be told; what asked for it fails with that
         */
        byte @Nullable [] key(String id) throws IOException;
    }
}
