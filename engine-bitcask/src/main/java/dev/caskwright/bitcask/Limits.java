package dev.caskwright.bitcask;

import dev.caskwright.api.StorageEngine;

/** Checks lengths before anything is written. */
final class Limits {
    private Limits() {}

    static void checkKey(byte[] key) {
        if (key.length == 0 || key.length > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "key length out of range: length=" + key.length + ", allowed=1.." + StorageEngine.MAX_KEY_LENGTH);
        }
    }

    static void checkValue(byte[] value) {
        if (value.length > StorageEngine.MAX_VALUE_LENGTH) {
            throw new IllegalArgumentException("value is too long: length=" + value.length + ", allowed=0.."
                    + StorageEngine.MAX_VALUE_LENGTH + "; split it over several keys");
        }
    }
}
