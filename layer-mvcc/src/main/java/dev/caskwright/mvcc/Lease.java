package dev.caskwright.mvcc;

import java.util.List;

/**
 * A lease. Keys that go with it are deleted when it ends.
 *
 * @param id its number, not 0
 * @param ttlSeconds for how long it was granted
 * @param remainingSeconds how long it lives from now on unless it is kept alive; 0 or less if it ends now
 * @param keys the keys that go with it, in order; not to be changed
 */
public record Lease(long id, long ttlSeconds, long remainingSeconds, List<byte[]> keys) {}
