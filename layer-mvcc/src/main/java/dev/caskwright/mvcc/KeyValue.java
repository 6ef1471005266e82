package dev.caskwright.mvcc;

/**
 * A key with its value as of some revision. The arrays belong to the store: do not change them.
 *
 * @param createRevision the revision that put the key when it was absent
 * @param modRevision the revision that put this value
 * @param version how often the key was put since it was created, from 1 on
 * @param lease the lease that the key goes with, or 0
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record KeyValue(byte[] key, long createRevision, long modRevision, long version, byte[] value, long lease) {}
