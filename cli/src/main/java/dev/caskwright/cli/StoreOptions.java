package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;

/** Which store a command works on, and how it is opened. */
final class StoreOptions {
    @Mixin
    private DirectoryOption directory = new DirectoryOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    Path path() {
        return directory.path();
    }

    BackendOptions backends() {
        return backends;
    }

    StorageEngine open(Shell shell, Access access) throws IOException {
        return shell.stores().open(path(), backends, access);
    }

    StoreAtRest atRest(Shell shell) {
        return shell.stores().atRest(path(), backends);
    }
}
