package dev.caskwright.cli;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import dev.caskwright.api.spi.engine.EngineSettings;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a store is opened. But for the engine and the codec, files do not depend on it: each command may choose again. */
final class BackendOptions {
    static final String DEFAULT_ENGINE = "bitcask";

    private static final String INDEX = "index";

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            description = "The engine that the store is one of; bitcask by default.")
    private String engine = DEFAULT_ENGINE;

    @Option(
            names = "--index",
            paramLabel = "NAME",
            description = "The key index: hashmap (the default), sorted or btree (ordered), offheap or compact.")
    private @Nullable String index;

    @Option(
            names = "--io",
            paramLabel = "NAME",
            description = "How files are read and written: standard (the default) or mmap.")
    private @Nullable String io;

    @Option(
            names = "--startup-io",
            paramLabel = "NAME",
            description = "How files are read while the store is being opened. Default: as --io.")
    private @Nullable String startupIo;

    @Option(
            names = "--codec",
            paramLabel = "NAME",
            description = "What values are stored by that this command writes: lz4, zstd, snappy or none (the default)."
                    + " Any command reads them.")
    private @Nullable String codec;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description = "Another option of the engine; one that it does not know lists those that it does.")
    private Map<String, String> more = new LinkedHashMap<>();

    @Option(
            names = "--durability",
            paramLabel = "LEVEL",
            description =
                    "What a write survives: none (nothing for certain), write (kill -9; the default) or sync (power"
                            + " loss). Commands that only read ignore it.")
    private @Nullable Durability durability;

    private boolean mergesInBackground;
    private final Map<String, String> preferred = new LinkedHashMap<>();

    /** Has the engine merge in the background, as it does by itself: for a command that stays. */
    void mergeInBackground() {
        mergesInBackground = true;
    }

    /** Sets an option of the engine that the user has not set, if the engine knows it. */
    void prefer(String option, String value) {
        if (engine().options().containsKey(option)) {
            preferred.put(option, value);
        }
    }

    /** Returns options for a store that a command names beside its own. */
    static BackendOptions of(String engine, Map<String, String> options) {
        BackendOptions made = new BackendOptions();
        made.engine = engine;
        made.more = options;
        return made;
    }

    /** Makes {@code name} the index if the user chose none, and the engine has a choice. */
    void preferIndex(String name) {
        if (index == null && engine().options().containsKey(INDEX)) {
            index = name;
        }
    }

    /** Returns the engine. One that is not known is a mistake of the user, and the error lists the known ones. */
    EngineProvider engine() {
        try {
            return Backends.engine(engine);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    /** Returns the name of the index that the user chose, or null. */
    @Nullable String index() {
        return index;
    }

    /** Returns the name of the IO manager that the user chose, or null. */
    @Nullable String io() {
        return io;
    }

    /**
     * Returns the first of the options that the user has set and that mean nothing for a member of a group, whose store is opened
     * by its node; null if there is none. Writes are on the disks of a majority there, so that {@code --durability sync} is true.
     */
    @Nullable String meaninglessInGroups() {
        if (!engine.equals(DEFAULT_ENGINE)) {
            return "--engine " + engine;
        }
        if (durability != null && durability != Durability.SYNC) {
            return "--durability " + durability.name().toLowerCase(Locale.ROOT);
        }
        if (startupIo != null) {
            return "--startup-io " + startupIo;
        }
        if (codec != null) {
            return "--codec " + codec;
        }
        return more.isEmpty() ? null : "--set " + more.entrySet().iterator().next();
    }

    /** Returns the first of the options about a store that the user has set; null if there is none. */
    @Nullable String firstForStores() {
        if (index != null) {
            return "--index " + index;
        }
        if (io != null) {
            return "--io " + io;
        }
        return durability == null
                ? meaninglessInGroups()
                : "--durability " + durability.name().toLowerCase(Locale.ROOT);
    }

    EngineSettings settings(EngineSettings.Access access) {
        EngineSettings settings =
                EngineSettings.of(access).durability(durability == null ? Durability.WRITE : durability);
        // Commands come and go: one that merged in the background would be gone before it was done, or be waited for.
        if (!mergesInBackground && engine().options().containsKey("auto-merge")) {
            settings = settings.option("auto-merge", "false");
        }
        for (Map.Entry<String, String> option : preferred.entrySet()) {
            settings = settings.option(option.getKey(), option.getValue());
        }
        settings = with(settings, INDEX, index);
        settings = with(settings, "io", io);
        settings = with(settings, "startup-io", startupIo);
        settings = with(settings, "codec", codec);
        for (Map.Entry<String, String> option : more.entrySet()) {
            settings = settings.option(option.getKey(), option.getValue());
        }
        return settings;
    }

    private static EngineSettings with(EngineSettings settings, String name, @Nullable String value) {
        return value == null ? settings : settings.option(name, value);
    }
}
