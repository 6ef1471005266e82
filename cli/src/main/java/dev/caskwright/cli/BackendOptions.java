package dev.caskwright.cli;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.Backends;
import dev.caskwright.api.spi.IoManagerProvider;
import dev.caskwright.api.spi.KeyIndexProvider;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a store is opened. Files do not depend on it: each command may choose anew. */
final class BackendOptions {
    private static final String DEFAULT_INDEX = "hashmap";
    private static final String DEFAULT_IO = "standard";

    @Option(
            names = "--index",
            paramLabel = "NAME",
            description = "The key index: hashmap (the default), btree (ordered), offheap or compact.")
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
            names = "--durability",
            paramLabel = "LEVEL",
            description =
                    "What a write survives: none (nothing for certain), write (kill -9; the default) or sync (power"
                            + " loss). Commands that only read ignore it.")
    private Durability durability = Durability.WRITE;

    /** Makes {@code name} the index if the user chose none. */
    void preferIndex(String name) {
        if (index == null) {
            index = name;
        }
    }

    KeyIndexProvider index() {
        return find(Backends::keyIndex, index == null ? DEFAULT_INDEX : index);
    }

    IoManagerProvider io() {
        return find(Backends::ioManager, ioName());
    }

    IoManagerProvider startupIo() {
        return find(Backends::ioManager, startupIo == null ? ioName() : startupIo);
    }

    Durability durability() {
        return durability;
    }

    private String ioName() {
        return io == null ? DEFAULT_IO : io;
    }

    private static <P> P find(Function<String, P> finder, String name) {
        try {
            return finder.apply(name);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
