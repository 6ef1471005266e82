package dev.caskwright.replica;

/**
 * Figures of a replica, among those of its {@linkplain ReadReplica#store() store}.
 *
 * @param sourceVersion the version of the source up to which its writes are here
 * @param lagVersions how many versions the source was ahead when it was looked at last
 * @param lagMillis for how long writes of the source may have been missing here, in milliseconds: the time since the last look after
 *     which all were here had begun, or since the replica was opened. While the source is away it grows
 * @param copies how many copies were made since the replica was opened; more than one a long time means that the source's merges drop
 *     changes before they are read
 * @param changes how many changes were applied since then
 */
public record ReplicaStats(long sourceVersion, long lagVersions, long lagMillis, long copies, long changes) {}
