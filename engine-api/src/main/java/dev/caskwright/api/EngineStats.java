package dev.caskwright.api;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Figures about a store, in groups. Immutable. An engine gives the groups that mean something for it; where it gives none,
 * the figures of the group are 0. A group is a record, and an engine may give others than those of this package, so that a
 * new figure changes no caller.
 */
public final class EngineStats {
    private final long keys;
    private final long lastVersion;
    private final int snapshots;
    private final List<Record> groups;

    private EngineStats(long keys, long lastVersion, int snapshots, List<Record> groups) {
        this.keys = keys;
        this.lastVersion = lastVersion;
        this.snapshots = snapshots;
        this.groups = groups;
    }

    /**
     * Returns figures without groups.
     *
     * @param keys keys in the store
     * @param lastVersion version of the last write
     * @param snapshots snapshots now open
     */
    public static EngineStats of(long keys, long lastVersion, int snapshots) {
        return new EngineStats(keys, lastVersion, snapshots, List.of());
    }

    /** Returns these figures with a group, in place of one of its class that may be there. */
    public EngineStats with(Record group) {
        List<Record> more = new ArrayList<>(groups);
        more.removeIf(each -> each.getClass() == group.getClass());
        more.add(group);
        return new EngineStats(keys, lastVersion, snapshots, List.copyOf(more));
    }

    /** Returns the number of keys. */
    public long keys() {
        return keys;
    }

    /** Returns the version of the last write; 0 if there was none. */
    public long lastVersion() {
        return lastVersion;
    }

    /** Returns the number of snapshots now open. */
    public int snapshots() {
        return snapshots;
    }

    /** Returns the figures of the space on disk. */
    public SpaceStats space() {
        return group(SpaceStats.class).orElse(SpaceStats.NONE);
    }

    /** Returns the figures of the memory that the store keeps. */
    public MemoryStats memory() {
        return group(MemoryStats.class).orElse(MemoryStats.NONE);
    }

    /** Returns the figures of writes. */
    public WriteStats writes() {
        return group(WriteStats.class).orElse(WriteStats.NONE);
    }

    /** Returns the figures of how the store was opened. */
    public OpeningStats opening() {
        return group(OpeningStats.class).orElse(OpeningStats.NONE);
    }

    /** Returns the figures of merges. */
    public MergeStats merging() {
        return group(MergeStats.class).orElse(MergeStats.NONE);
    }

    /** Returns the figures of the clock that expiry goes by. */
    public ClockStats clock() {
        return group(ClockStats.class).orElse(ClockStats.NONE);
    }

    /** Returns the figures of images of the key index. */
    public ImageStats images() {
        return group(ImageStats.class).orElse(ImageStats.NONE);
    }

    /** Returns the figures of the cache of values; all 0 if the store has none. */
    public CacheStats cache() {
        return group(CacheStats.class).orElse(CacheStats.NONE);
    }

    /** Returns the figures of encryption; empty if nothing is encrypted, neither what is there nor what is written. */
    public Optional<EncryptionStats> encryption() {
        return group(EncryptionStats.class);
    }

    /** Returns a group, or empty if the engine does not give it. */
    public <G extends Record> Optional<G> group(Class<G> kind) {
        for (Record each : groups) {
            if (kind.isInstance(each)) {
                return Optional.of(kind.cast(each));
            }
        }
        return Optional.empty();
    }

    /** Returns all groups that the engine gives, for whoever shows or exports every figure. */
    public Collection<Record> groups() {
        return groups;
    }

    @Override
    public String toString() {
        return "EngineStats[keys=" + keys + ", lastVersion=" + lastVersion + ", snapshots=" + snapshots + ", groups="
                + groups + "]";
    }
}
