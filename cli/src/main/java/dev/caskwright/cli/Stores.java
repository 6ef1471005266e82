package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.owner.AskedStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Opens stores: all that the commands know of an engine's making. */
interface Stores {
    /** Opens the store at {@code path}; to be read only, by asking its owner if it has one. The caller closes it. */
    StorageEngine open(Path path, BackendOptions backends, Access access) throws IOException;

    /** Returns the store at {@code path}, without opening it. If it has an owner, that is asked, for what an owner does. */
    StoreAtRest atRest(Path path, BackendOptions backends);

    /** Returns the store at {@code path} as its owner shows it; empty if it has none that can be asked. */
    default Optional<AskedStore> owned(Path path) throws IOException {
        return AskedStore.of(path);
    }

    /** Is told of a store that a command reads without this: a program that wants to write to it comes first. */
    default void look(Path path) {}

    /** Returns the store as its owner shows it, or throws why it could not be opened. */
    default StorageEngine owner(Path path, IOException refusal) throws IOException {
        Optional<AskedStore> owned = owned(path);
        if (owned.isPresent()) {
            return owned.get();
        }
        throw refusal;
    }
}
