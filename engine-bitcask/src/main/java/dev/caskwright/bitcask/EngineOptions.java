package dev.caskwright.bitcask;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.cache.ValueCacheFactory;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.bitcask.background.Background;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The options of an {@link EngineBuilder} as they were when it opened an engine, which goes by these and no others. */
record EngineOptions(
        Path directory,
        KeyIndexFactory index,
        RecordLogFactory recordLog,
        IoManagerFactory io,
        @Nullable IoManagerFactory startupIo,
        @Nullable ValueCacheFactory valueCache,
        @Nullable ValueCodec codec,
        boolean recodeOnMerge,
        @Nullable Encryption encryption,
        Durability durability,
        long maxFileBytes,
        boolean readOnly,
        boolean createIfMissing,
        boolean createAmongOtherFiles,
        boolean autoMerge,
        double maxSpaceAmplification,
        long mergeBytesPerSecond,
        long syncEveryBytes,
        Duration syncEvery,
        long changesRetainedBytes,
        long imageEveryBytes,
        int maxSnapshots,
        long expectedKeys,
        int expectedKeyLength,
        int replayThreads,
        long mostReplayBytesLater,
        InstantSource clock,
        boolean forgetToldExpiries,
        LongSupplier random,
        @Nullable Executor executor,
        Background.@Nullable Timer retryTimer) {}
