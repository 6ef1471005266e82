package dev.caskwright.bitcask;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.Encryption;
import dev.caskwright.api.spi.IoManagerFactory;
import dev.caskwright.api.spi.KeyIndexFactory;
import dev.caskwright.api.spi.RecordLogFactory;
import dev.caskwright.api.spi.ValueCacheFactory;
import dev.caskwright.api.spi.ValueCodec;
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
