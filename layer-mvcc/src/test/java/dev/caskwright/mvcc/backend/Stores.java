package dev.caskwright.mvcc.backend;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bolt.BoltDatabase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/** The engines that the layer is tried over. */
public enum Stores {
    BOLT {
        @Override
        public OrderedStore open(Path directory, IoManagerFactory io, List<Bucket> buckets) throws IOException {
            return new BoltStore(BoltDatabase.builder(directory.resolve("db"))
                    .io(io)
                    .pageSize(1_024)
                    .open());
        }
    },

    BITCASK {
        @Override
        public OrderedStore open(Path directory, IoManagerFactory io, List<Bucket> buckets) throws IOException {
            return new EngineStore(
                    BitcaskEngine.builder(directory)
                            .index(Backends.keyIndex("btree"))
                            .io(io)
                            .maxFileBytes(1 << 20)
                            .executor(Runnable::run)
                            .open(),
                    buckets,
                    () -> Path.of(System.getProperty("java.io.tmpdir"), "copy" + UUID.randomUUID()));
        }
    };

    /** Opens a store, which is made if it is missing. */
    public abstract OrderedStore open(Path directory, IoManagerFactory io, List<Bucket> buckets) throws IOException;
}
