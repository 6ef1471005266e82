package dev.caskwright.moss;

import dev.caskwright.api.WriteOptions;
import java.io.IOException;

/**
 * A collection to read and to write. Writes are those of a batch of one, with the durability of the options or else of
 * the store; the first put or operand makes a collection that is missing. Keys are 1 to 65,535 bytes long.
 */
public interface MossCollection extends MossView {
    /** Stores a value. */
    void put(byte[] key, byte[] value, WriteOptions options) throws IOException;

    /** Stores a value with the store's durability. */
    default void put(byte[] key, byte[] value) throws IOException {
        put(key, value, WriteOptions.DEFAULT);
    }

    /** Removes a key without looking whether it is there. */
    void remove(byte[] key, WriteOptions options) throws IOException;

    /** Adds an operand for the store's {@link MergeOperator}. */
    void merge(byte[] key, byte[] operand, WriteOptions options) throws IOException;

    /**
     * Removes the keys from one on up to, not including, another one. The work does not depend on how many there are.
     */
    void deleteRange(byte[] from, byte[] to, WriteOptions options) throws IOException;

    @Override
    MossCollection child(String name);
}
