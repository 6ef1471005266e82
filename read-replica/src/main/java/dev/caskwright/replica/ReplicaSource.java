package dev.caskwright.replica;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.owner.AskedStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * Where a replica finds the store that it follows. The store must hold {@link dev.caskwright.api.ChangeFeed} and {@link
 * dev.caskwright.api.Backups}. A source is of one replica; it is called by one thread at a time.
 */
public interface ReplicaSource {
    /** What a replica does with the store while it looks at it. */
    @FunctionalInterface
    interface Look {
        /** Looks at the store, which stays open for as long. */
        void at(StorageEngine store) throws IOException;
    }

    /** Opens a store to be read. */
    @FunctionalInterface
    interface Opening {
        /** Opens the store; the caller closes it. */
        StorageEngine open() throws IOException;
    }

    /**
     * Lets a replica look at the store.
     *
     * @throws IOException if the store cannot be reached now; the replica tries again later
     */
    void look(Look look) throws IOException;

    /** Returns a text that changes whenever the store may have changed; an empty one if that cannot be told without a look. */
    default String fingerprint() throws IOException {
        return "";
    }

    /** Returns a store that is open in this process, and stays the caller's to close. */
    static ReplicaSource of(StorageEngine store) {
        Objects.requireNonNull(store, "store");
        return look -> look.at(store);
    }

    /**
     * Returns the store of a directory. If a process has it open, that one is asked, over its {@link
     * dev.caskwright.owner.OwnerSocket}; if nobody has, it is opened to be read only, for a moment, whenever its files have changed.
     */
    static ReplicaSource at(Path directory) {
        return at(directory, () -> {
            Optional<AskedStore> asked = AskedStore.of(directory);
            return asked.isPresent()
                    ? asked.get()
                    : BitcaskEngine.builder(directory)
                            .readOnly(true)
                            .createIfMissing(false)
                            .open();
        });
    }

    /** As {@link #at(Path)}, opened as the caller says: for a store that is encrypted, say. */
    static ReplicaSource at(Path directory, Opening opening) {
        return new DirectorySource(directory, opening);
    }
}
