package dev.caskwright.moss;

import dev.caskwright.api.Facet;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import dev.caskwright.api.spi.engine.EngineSettings;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The moss engine with files of its own, by its name, {@code moss}. */
public final class MossProvider implements EngineProvider {
    static final String NAME = "moss";

    private static final String IO = "io";
    private static final String MAX_MEMORY_BYTES = "max-memory-bytes";
    private static final String TABLE_BYTES = "table-bytes";
    private static final Map<String, String> OPTIONS = Map.of(
            IO, "name of the IO manager; standard by default",
            MAX_MEMORY_BYTES, "most memory of what is not yet written, in bytes; a quarter of the heap by default",
            TABLE_BYTES, "size in bytes at which the memory table is sealed; 4194304 by default");

    /** Called by {@link java.util.ServiceLoader}. */
    public MossProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public StorageEngine open(Path directory, EngineSettings settings) throws IOException {
        settings.refuseUnknown(NAME, OPTIONS);
        MossBuilder builder = MossEngine.builder(directory).io(io(settings));
        settings.parsed(MAX_MEMORY_BYTES, bytes -> builder.maxMemoryBytes(Long.parseLong(bytes)), builder);
        settings.parsed(TABLE_BYTES, bytes -> builder.tableBytes(Long.parseLong(bytes)), builder);
        EngineSettings.Access access = settings.access();
        builder.createIfMissing(access.creates());
        builder.createAmongOtherFiles(access == EngineSettings.Access.CREATE_AMONG_OTHER_FILES);
        if (access == EngineSettings.Access.READ) {
            builder.readOnly();
        }
        if (settings.durability() != null) {
            builder.durability(settings.durability());
        }
        return builder.open();
    }

    @Override
    public StoreAtRest atRest(Path directory, EngineSettings settings) {
        settings.refuseUnknown(NAME, OPTIONS);
        return new MossFiles(directory, io(settings));
    }

    @Override
    public Optional<String> offers(Class<? extends Facet> facet) {
        return facet.isAssignableFrom(MossEngine.class) || facet.isAssignableFrom(MossFiles.class)
                ? Optional.of("")
                : Optional.empty();
    }

    @Override
    public Map<String, String> options() {
        return OPTIONS;
    }

    private static IoManagerFactory io(EngineSettings settings) {
        return settings.parsed(IO, MossProvider::io, StandardIoManager::open);
    }

    private static IoManagerFactory io(String name) {
        return Backends.ioManager(name);
    }
}
