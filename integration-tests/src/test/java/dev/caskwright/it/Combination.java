package dev.caskwright.it;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A key index, an IO manager, and the one used while a store is opened, by their names.
 *
 * @param startupIo the name of the IO manager for opening; the same as {@code io} if there is no special one
 */
record Combination(String index, String io, String startupIo) {
    static final List<String> INDEXES = List.of("hashmap", "btree", "sorted", "offheap", "compact");
    static final List<String> IO_MANAGERS = List.of("standard", "mmap");

    /** Returns every index with every IO manager, without and with another manager for opening. */
    static List<Combination> all() {
        List<Combination> all = new ArrayList<>();
        for (String index : INDEXES) {
            for (String io : IO_MANAGERS) {
                for (String startupIo : IO_MANAGERS) {
                    all.add(new Combination(index, io, startupIo));
                }
            }
        }
        return all;
    }

    boolean isOrdered() {
        return index.equals("btree") || index.equals("sorted");
    }

    EngineBuilder builder(Path directory) {
        EngineBuilder builder = BitcaskEngine.builder(directory)
                .index(Backends.keyIndex(index))
                .io(Backends.ioManager(io))
                .maxFileBytes(4096)
                .imageEveryBytes(8192);
        return startupIo.equals(io) ? builder : builder.startupIo(Backends.ioManager(startupIo));
    }

    @Override
    public String toString() {
        return index + " on " + io + (startupIo.equals(io) ? "" : ", opened by " + startupIo);
    }
}
