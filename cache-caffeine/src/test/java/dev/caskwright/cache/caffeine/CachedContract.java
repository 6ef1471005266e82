package dev.caskwright.cache.caffeine;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.testkit.BackupsContract;
import dev.caskwright.testkit.ChangeFeedContract;
import dev.caskwright.testkit.ConditionalWritesContract;
import dev.caskwright.testkit.ExpiryContract;
import dev.caskwright.testkit.MergingContract;
import dev.caskwright.testkit.StorageEngineContract;
import dev.caskwright.testkit.TransactionsContract;
import dev.caskwright.testkit.VersionsContract;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** The contract of an engine with a cache of values. */
abstract class CachedContract extends StorageEngineContract
        implements BackupsContract,
                ChangeFeedContract,
                ConditionalWritesContract,
                ExpiryContract,
                MergingContract,
                TransactionsContract,
                VersionsContract {
    /** Gives an engine its cache. */
    abstract EngineBuilder withCache(EngineBuilder builder);

    private EngineBuilder smallFiles(Path directory, InstantSource clock) {
        return withCache(BitcaskEngine.builder(directory).clock(clock).maxFileBytes(4096));
    }

    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return smallFiles(directory, clock).open();
    }

    @Override
    public StorageEngine openKeepingChanges(Path directory, InstantSource clock) throws IOException {
        return smallFiles(directory, clock).changesRetainedBytes(1 << 20).open();
    }
}
