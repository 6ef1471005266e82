package dev.caskwright.server.infinispan;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The keys of the cluster, as the runner needs them: nothing waits. Values have the bytes of {@link CacheValue}. Futures complete in
 * threads that must not be held up. Safe for any number of threads.
 */
interface Keys {
    /** Returns the value of a key, or null. */
    CompletableFuture<byte @Nullable []> get(byte[] key);

    /** Stores a value, whatever is there. */
    CompletableFuture<Boolean> put(byte[] key, byte[] value, long lifespanMillis);

    /** Stores a value if {@code expected} is there, or nothing if that is null; completes with whether it was. */
    CompletableFuture<Boolean> replace(byte[] key, byte @Nullable [] expected, byte[] value, long lifespanMillis);

    /** Removes a key if {@code expected} is there; completes with whether it was. */
    CompletableFuture<Boolean> remove(byte[] key, byte[] expected);

    /** Removes a key, whatever is there. */
    CompletableFuture<Boolean> remove(byte[] key);

    /** Returns a number that changes whenever owners do. */
    int topology();
}
