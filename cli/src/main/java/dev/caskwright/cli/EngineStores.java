package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Opens stores with the engine that the options name. */
final class EngineStores implements Stores {
    private final Consumer<Path> looks;

    /** Makes stores that give way to nobody: for tests, which are not to end. */
    EngineStores() {
        this(path -> {});
    }

    /** @param looks is told of each store that is only read */
    EngineStores(Consumer<Path> looks) {
        this.looks = looks;
    }

    @Override
    public void look(Path path) {
        looks.accept(path);
    }

    @Override
    public StorageEngine open(Path path, BackendOptions backends, Access access) throws IOException {
        if (access == Access.READ) {
            look(path);
        }
        try {
            return backends.engine().open(path, backends.settings(access));
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            if (access != Access.READ) {
                throw e;
            }
            return owner(
                    path,
                    e); // of a store that is locked, or of a directory that has its store further down, as replicas
        }
    }

    @Override
    public StoreAtRest atRest(Path path, BackendOptions backends) {
        look(path);
        try {
            StoreAtRest store = backends.engine().atRest(path, backends.settings(Access.READ));
            return new StoreOrOwner(
                    store, path, this, copy -> backends.engine().atRest(copy, backends.settings(Access.READ)));
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
