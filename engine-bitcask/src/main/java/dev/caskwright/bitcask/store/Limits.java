package dev.caskwright.bitcask.store;

import dev.caskwright.api.StorageEngine;
import java.util.Objects;

/** Checks lengths before anything is written. */
public final class Limits {
    private Limits() {}

    public static void checkKey(byte[] key) {
        checkKeyLength(Objects.requireNonNull(key, "key").length);
    }

    public static void checkKeyLength(int length) {
        if (length == 0 || length > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "key length out of range: length=" + length + ", allowed=1.." + StorageEngine.MAX_KEY_LENGTH);
        }
    }

    public static void checkValue(byte[] value) {
        checkValueLength(Objects.requireNonNull(value, "value").length);
    }

    public static void checkValueLength(int length) {
        if (length > StorageEngine.MAX_VALUE_LENGTH) {
            throw new IllegalArgumentException("value is too long: length=" + length + ", allowed=0.."
                    + StorageEngine.MAX_VALUE_LENGTH + "; split it over several keys");
        }
    }
}
