package dev.caskwright.importer.rocksdb;

import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The directory of a store of RocksDB. The part is a column family. Values of {@code TtlDB}, which have the second at which they were
 * written after them, are read as such if it is told after how long entries expire. Comparators and merge operators that are not
 * RocksDB's own are not known, and what needs them is an error.
 */
public final class RocksDbFormat implements ForeignFormat {
    /** Called by {@link java.util.ServiceLoader}. */
    public RocksDbFormat() {}

    @Override
    public String name() {
        return "rocksdb";
    }

    @Override
    public String description() {
        return "the directory of a store of RocksDB";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        RocksDbReading.read(source, options, receiver);
    }
}
