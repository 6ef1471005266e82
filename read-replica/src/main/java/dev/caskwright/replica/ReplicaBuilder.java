package dev.caskwright.replica;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Sets up a {@link ReadReplica}. For one thread. */
public final class ReplicaBuilder {
    final Path directory;
    final ReplicaSource source;
    StoreOpening store =
            copy -> BitcaskEngine.builder(copy).createIfMissing(false).open();

    @Nullable Duration interval; // null: looks at the source when it is told to

    Duration longestPause = Duration.ofSeconds(30);

    /** How much is written at once, in bytes: whole batches of the source, as many as it takes. */
    long batchBytes = 1 << 20;

    /** Is told each step of taking a copy before it is done; tests crash there. */
    Consumer<String> steps = step -> {};

    ReplicaBuilder(Path directory, ReplicaSource source) {
        this.directory = Objects.requireNonNull(directory, "directory");
        this.source = Objects.requireNonNull(source, "source");
    }

    /** Opens the replica's store. */
    @FunctionalInterface
    public interface StoreOpening {
        /** Opens the store in a directory, which is a copy of the source, for writing. The replica closes it. */
        StorageEngine open(Path copy) throws IOException;
    }

    /**
     * Sets how the replica's own store is opened; a Bitcask with the defaults, by default. Its index, IO manager and so on need not be
     * the source's: {@code copy -> BitcaskEngine.builder(copy).index(BTreeKeyIndex::new).open()}. The engine must be the source's; a
     * source that is encrypted needs its keys here, too.
     */
    public ReplicaBuilder store(StoreOpening opening) {
        store = Objects.requireNonNull(opening, "opening");
        return this;
    }

    /**
     * Follows the source in the background, by a look every so often, at least 1 ms. Without this the source is looked at by {@link
     * ReadReplica#catchUp} only.
     */
    public ReplicaBuilder follow(Duration every) {
        interval = atLeastOneMilli("follow", every);
        return this;
    }

    /**
     * Sets the longest pause between two tries while the source cannot be reached, or the replica's disk is full: 30 s by default. The
     * first is as long as the time between two looks, and each that follows is twice as long.
     */
    public ReplicaBuilder longestPause(Duration pause) {
        longestPause = atLeastOneMilli("longestPause", pause);
        return this;
    }

    private static Duration atLeastOneMilli(String name, Duration time) {
        if (time.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException(name + " must be at least 1 ms: " + time);
        }
        return time;
    }

    /**
     * Opens the replica. If it has a store, that is open when this returns, whether the source can be reached or not. If it has none
     * yet, a copy is made first, which takes as long as a backup; one that was cut short is gone on with.
     *
     * @throws dev.caskwright.api.UnsupportedFormatException if the directory is not empty, and not that of a replica; nothing there
     *     was changed
     * @throws dev.caskwright.api.EngineLockedException if another replica has the directory, or the source is a store that is to be
     *     copied now, and another process has it open without an {@link dev.caskwright.owner.OwnerSocket}
     * @throws dev.caskwright.api.MissingFacetException if the source has no change feed or makes no backups
     * @throws IOException if there is no store yet, and the copy fails
     */
    public ReadReplica open() throws IOException {
        return ReadReplica.open(this);
    }
}
