package dev.caskwright.bolt;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Facet;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import dev.caskwright.api.spi.engine.EngineSettings;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The bolt engine by its name, {@code bolt}. A store is a bucket of a file. */
public final class BoltProvider implements EngineProvider {
    static final String NAME = "bolt";

    private static final String BUCKET = "bucket";
    private static final String IO = "io";
    private static final String PAGE_SIZE = "page-size";
    private static final String MAX_SIZE = "max-size";
    private static final String FORCES = "forces";
    private static final String EACH_COMMIT = "each-commit";
    private static final String ON_SYNC = "on-sync";
    private static final String DEFAULT_BUCKET = "data";
    private static final Map<String, String> OPTIONS = Map.of(
            BUCKET, "the bucket, after those that it is in, with / between them; data by default",
            IO, "name of the IO manager; standard by default",
            PAGE_SIZE, "bytes of a page of a new file, a power of two from 512 to 65536; 4096 by default",
            MAX_SIZE, "the greatest length of the file in bytes; no limit by default",
            FORCES,
                    EACH_COMMIT + " forces every write, which is the default; " + ON_SYNC
                            + " only writes that ask for SYNC, and a power loss at another time may damage the whole"
                            + " file");

    /** Called by {@link java.util.ServiceLoader}. */
    public BoltProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public StorageEngine open(Path file, EngineSettings settings) throws IOException {
        settings.refuseUnknown(NAME, OPTIONS);
        EngineSettings.Access access = settings.access();
        List<byte[]> bucket = settings.parsed(BUCKET, BoltProvider::path, path(DEFAULT_BUCKET));
        BoltBuilder builder = BoltDatabase.builder(file)
                .io(io(settings))
                .readOnly(access == EngineSettings.Access.READ)
                .createIfMissing(access.creates());
        settings.parsed(PAGE_SIZE, bytes -> builder.pageSize(Integer.parseInt(bytes)), builder);
        settings.parsed(MAX_SIZE, bytes -> builder.maxSize(Long.parseLong(bytes)), builder);
        settings.parsed(FORCES, when -> builder.forcesCommits(forcesEachCommit(when)), builder);
        BoltDatabase database = builder.open();
        try {
            Durability durability = Objects.requireNonNullElse(settings.durability(), Durability.WRITE);
            return BoltEngine.over(database, bucket, access.creates(), durability);
        } catch (Throwable e) {
            try (database) {
                throw e;
            }
        }
    }

    @Override
    public StoreAtRest atRest(Path file, EngineSettings settings) {
        settings.refuseUnknown(NAME, OPTIONS);
        return new BoltAtRest(file, io(settings));
    }

    @Override
    public Optional<String> offers(Class<? extends Facet> facet) {
        return facet.isAssignableFrom(BoltEngine.class) || facet.isAssignableFrom(BoltAtRest.class)
                ? Optional.of("")
                : Optional.empty();
    }

    @Override
    public Map<String, String> options() {
        return OPTIONS;
    }

    private static IoManagerFactory io(EngineSettings settings) {
        return settings.parsed(IO, BoltProvider::io, StandardIoManager::open);
    }

    private static IoManagerFactory io(String name) {
        return Backends.ioManager(name);
    }

    private static boolean forcesEachCommit(String when) {
        if (!when.equals(EACH_COMMIT) && !when.equals(ON_SYNC)) {
            throw new IllegalArgumentException("commits are forced " + EACH_COMMIT + " or " + ON_SYNC + ": " + when);
        }
        return when.equals(EACH_COMMIT);
    }

    private static List<byte[]> path(String names) {
        List<byte[]> path = new ArrayList<>();
        for (String name : names.split("/", -1)) {
            if (name.isEmpty()) {
                throw new IllegalArgumentException("a bucket has a name");
            }
            path.add(name.getBytes(StandardCharsets.UTF_8));
        }
        return path;
    }
}
