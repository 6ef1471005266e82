package dev.caskwright.cli;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Digests of keys with their values. For one thread. */
final class Digest {
    private final MessageDigest sha256;

    Digest() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Returns 32 bytes that differ, for all that is known, for any other key or value. */
    byte[] of(byte[] key, byte[] value) {
        // The length keeps a byte that moves from the value to the key from going unnoticed.
        sha256.update(ByteBuffer.allocate(Integer.BYTES).putInt(key.length).flip());
        sha256.update(key);
        return sha256.digest(value);
    }
}
