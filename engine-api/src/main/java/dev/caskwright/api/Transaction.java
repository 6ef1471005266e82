package dev.caskwright.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An optimistic transaction: it reads, collects changes, and commits them as one batch only if nothing that it read has
 * changed. It takes no lock and blocks nobody. For one thread; one that is not committed leaves no trace.
 *
 * <p>Reads show the store's latest state plus the transaction's own changes. A committed transaction is serializable with
 * respect to the keys that it read one by one, absent ones included: lost updates and write skew are prevented. Keys
 * found through ordered views or visits are not tracked: phantoms are not prevented. A key that was there when it was read
 * and has expired since has changed, and so has one that was written again with the same value; one that was absent and is
 * absent again has not.
 */
public interface Transaction {
    /** Reads a key, and makes the commit depend on it. */
    byte @Nullable [] get(byte[] key) throws IOException;

    /** Adds a put. */
    void put(byte[] key, byte[] value);

    /** Adds a put that expires as {@code expiry} says. */
    void put(byte[] key, byte[] value, WriteOptions expiry);

    /** Adds a delete. */
    void delete(byte[] key);

    /**
     * Applies the changes as one batch if no key that was read has changed since.
     *
     * @return whether the changes were applied; if not, a key changed: start again with a new transaction
     * @throws IllegalStateException if the transaction was committed before
     */
    boolean commit(WriteOptions options) throws IOException;
}
