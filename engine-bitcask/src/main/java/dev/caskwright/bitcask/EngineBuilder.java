package dev.caskwright.bitcask;

import dev.caskwright.api.Durability;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.cache.ValueCacheFactory;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.engine.PluginCheck;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.bitcask.background.Background;
import dev.caskwright.bitcask.log.SegmentedLogFactory;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Configures a {@link BitcaskEngine}. Every option has a default; none is stored with the data, so a store may be opened
 * with other options each time, another index or IO manager included. For one thread; {@link #open} may be called again
 * after the engine was closed. An engine keeps the options that it was opened with, whatever becomes of the builder.
 */
public final class EngineBuilder {
    /** The default length at which writers go on to a new file. */
    public static final long DEFAULT_MAX_FILE_BYTES = 64L << 20;

    /** The default number of bytes of the log after which an image of the key index is saved. */
    public static final long DEFAULT_IMAGE_EVERY_BYTES = 256L << 20;

    static final long LEAST_MAX_FILE_BYTES = 256;
    static final long GREATEST_MAX_FILE_BYTES = 1L << 30;
    static final int MAX_REPLAY_THREADS = 1024;
    static final long MOST_EXPECTED_KEYS = 1L << 40;
    private static final Duration SHORTEST_PERIOD = Duration.ofMillis(1);
    private static final Duration LONGEST_PERIOD = Duration.ofMillis(Long.MAX_VALUE);

    final Path directory;
    KeyIndexFactory index = HashKeyIndex::new;
    RecordLogFactory recordLog = new SegmentedLogFactory();
    IoManagerFactory io = StandardIoManager::open;

    @Nullable IoManagerFactory startupIo;

    @Nullable ValueCacheFactory valueCache;

    @Nullable ValueCodec codec;

    boolean recodeOnMerge;

    @Nullable Encryption encryption;

    Durability durability = Durability.WRITE;
    long maxFileBytes = DEFAULT_MAX_FILE_BYTES;
    boolean readOnly;
    boolean createIfMissing = true;
    boolean createAmongOtherFiles;
    boolean autoMerge = true;
    double maxSpaceAmplification = 1.4;
    long mergeBytesPerSecond;
    long syncEveryBytes;
    Duration syncEvery = Duration.ZERO;
    long changesRetainedBytes;
    long imageEveryBytes = DEFAULT_IMAGE_EVERY_BYTES;
    int maxSnapshots = 1024;
    long expectedKeys;
    int expectedKeyLength;
    int replayThreads = Runtime.getRuntime().availableProcessors();
    /** A longer tail is replayed before the store is open: slower, but it needs no memory. */
    long mostReplayBytesLater = Runtime.getRuntime().maxMemory() / 8;

    InstantSource clock = InstantSource.system();
    boolean forgetToldExpiries;

    /** Nothing is drawn to open a store that is there: that alone would take a JVM that has just started 30 ms. */
    LongSupplier random = () -> new SecureRandom().nextLong();

    @Nullable Executor executor;

    /** Runs what is tried again, after a pause; for tests that want everything in one thread. */
    Background.@Nullable Timer retryTimer;

    EngineBuilder(Path directory) {
        this.directory = Objects.requireNonNull(directory, "directory");
    }

    /** Sets the key index; {@code HashKeyIndex::new} by default. */
    public EngineBuilder index(KeyIndexFactory factory) {
        index = Objects.requireNonNull(factory, "factory");
        return this;
    }

    /** Sets the record log; the segmented log of this engine by default. */
    public EngineBuilder recordLog(RecordLogFactory factory) {
        recordLog = Objects.requireNonNull(factory, "factory");
        return this;
    }

    /** Sets the IO manager; {@code StandardIoManager::open} by default. */
    public EngineBuilder io(IoManagerFactory factory) {
        io = Objects.requireNonNull(factory, "factory");
        return this;
    }

    /** Sets another IO manager to read the store with while it is opened; the one of {@link #io} by default. */
    public EngineBuilder startupIo(IoManagerFactory factory) {
        startupIo = Objects.requireNonNull(factory, "factory");
        return this;
    }

    /**
     * Sets a cache of values for reads of single keys; none by default. It pays where a read is a system call or a disk
     * access: over mapped memory, or where most of the store fits the page cache and values are small, leave it off.
     */
    public EngineBuilder valueCache(ValueCacheFactory factory) {
        valueCache = Objects.requireNonNull(factory, "factory");
        return this;
    }

    /**
     * Sets the codec that values are stored by, unless a write names another one ({@link
     * dev.caskwright.api.WriteOptions#codec}); none by default. Each value is stored with the number of its codec, or as it is
     * if a codec does not make it shorter by an eighth, or it is longer than 64 MiB. So any value can be read whatever codec
     * is set here, as long as that of the value is found: by its name on the class path or module path, or as the one set
     * here. A codec with a dictionary leaves a copy of it in the store; the same codec without one takes the latest there.
     */
    public EngineBuilder codec(ValueCodec valueCodec) {
        codec = PluginCheck.complete(Objects.requireNonNull(valueCodec, "valueCodec"));
        return this;
    }

    /**
     * Sets whether a merge stores the values that it copies as if they were written now: by the codec of {@link #codec}, or as
     * they are if none is set. Off by default: then they stay as they are stored, and a merge costs no more than without codecs.
     */
    public EngineBuilder recodeOnMerge(boolean recode) {
        recodeOnMerge = recode;
        return this;
    }

    /**
     * Encrypts keys and values of all that is written, and what derives from them, and gives the keys to read what is
     * encrypted; by default nothing is encrypted, and a store that is can not be opened. Files that are there stay as they are
     * until a merge writes them again, be it under another key, to encrypt them at all, or not any more. What can still be seen
     * of an encrypted store, as lengths and numbers of records, is told by the document on encryption.
     *
     * <p>{@link #open} fails with an {@link dev.caskwright.api.EncryptionException} that names the key if one is missing that
     * a file needs, or is another one, or if the key to write with is missing; nothing was changed then.
     */
    public EngineBuilder encryption(Encryption keys) {
        encryption = Objects.requireNonNull(keys, "keys");
        return this;
    }

    /** Sets the durability of writes that do not name one; {@link Durability#WRITE} by default. */
    public EngineBuilder durability(Durability level) {
        durability = Objects.requireNonNull(level, "level");
        return this;
    }

    /**
     * Sets the length in bytes at which writers go on to a new file, 256 to 1 GiB; {@value #DEFAULT_MAX_FILE_BYTES} by
     * default. A longer record or batch gets a file of its own. Smaller files make merges finer, larger ones fewer.
     */
    public EngineBuilder maxFileBytes(long bytes) {
        if (bytes < LEAST_MAX_FILE_BYTES || bytes > GREATEST_MAX_FILE_BYTES) {
            throw new IllegalArgumentException("maxFileBytes out of range: " + bytes + ", allowed="
                    + LEAST_MAX_FILE_BYTES + ".." + GREATEST_MAX_FILE_BYTES);
        }
        maxFileBytes = bytes;
        return this;
    }

    /** Opens the store for reading only, beside other readers; nothing on disk is changed. Off by default. */
    public EngineBuilder readOnly(boolean only) {
        readOnly = only;
        return this;
    }

    /** Sets whether a directory that is missing or empty becomes a store; on by default. */
    public EngineBuilder createIfMissing(boolean create) {
        createIfMissing = create;
        return this;
    }

    /**
     * Sets whether a directory that holds other files, and no store, becomes one as well; off by default, so that a wrong
     * path does not mix a store with something else. Without effect if {@link #createIfMissing} is off.
     */
    public EngineBuilder createAmongOtherFiles(boolean create) {
        createAmongOtherFiles = create;
        return this;
    }

    /**
     * Sets whether files are merged in the background when it is worth it; on by default. Then writers that are faster than
     * merges are slowed down, each write by 50 milliseconds at most.
     */
    public EngineBuilder autoMerge(boolean merge) {
        autoMerge = merge;
        return this;
    }

    /** Sets the ratio of disk bytes to live bytes above which the background merges. More than 1; the default is 1.4. */
    public EngineBuilder maxSpaceAmplification(double factor) {
        if (!(factor > 1) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("maxSpaceAmplification must be a number above 1: " + factor);
        }
        maxSpaceAmplification = factor;
        return this;
    }

    /**
     * Bounds how fast merges write, in bytes a second; 0, the default, is no bound. Writers that are faster than merges are
     * slowed down only without it: with it, they come first, and space grows.
     */
    public EngineBuilder mergeBytesPerSecond(long bytes) {
        mergeBytesPerSecond = notNegative("mergeBytesPerSecond", bytes);
        return this;
    }

    /** Syncs in the background after this many bytes were written without a sync; 0, the default, is never. */
    public EngineBuilder syncEveryBytes(long bytes) {
        syncEveryBytes = notNegative("syncEveryBytes", bytes);
        return this;
    }

    /**
     * Syncs in the background this often, to the millisecond; zero, the default, is never. A period that is longer than
     * milliseconds can count is as long as they can.
     */
    public EngineBuilder syncEvery(Duration period) {
        Objects.requireNonNull(period, "period");
        if (period.isNegative() || (!period.isZero() && period.compareTo(SHORTEST_PERIOD) < 0)) {
            throw new IllegalArgumentException("syncEvery must be zero or at least 1 ms: " + period);
        }
        syncEvery = period.compareTo(LONGEST_PERIOD) > 0 ? LONGEST_PERIOD : period;
        return this;
    }

    /** Keeps merges away from this many bytes of the newest writes, so that their changes can be read; 0 by default. */
    public EngineBuilder changesRetainedBytes(long bytes) {
        changesRetainedBytes = notNegative("changesRetainedBytes", bytes);
        return this;
    }

    /**
     * Sets how far the image of the key index may lag behind the log, in bytes of the log: 0 to {@link Long#MAX_VALUE},
     * {@value #DEFAULT_IMAGE_EVERY_BYTES} by default. An image lets the store open without replaying the log; it is saved
     * when the store is closed, and in the background once so many bytes are not covered by one, and at least as many
     * were written or merged since the last as the index takes in memory. A merge makes an image void. After a crash, what
     * is not covered is replayed. {@code Long.MAX_VALUE} saves an image at close only; 0 neither saves nor reads one.
     * Without effect for an index that has no images.
     */
    public EngineBuilder imageEveryBytes(long bytes) {
        imageEveryBytes = notNegative("imageEveryBytes", bytes);
        return this;
    }

    /** Sets how many snapshots users may have open at once, those of scans, backups and change feeds not counted; 1,024 by default. */
    public EngineBuilder maxSnapshots(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("maxSnapshots must be at least 1: " + count);
        }
        maxSnapshots = count;
        return this;
    }

    /**
     * Tells the index how many keys to make room for at once, up to 2<sup>40</sup>, and their usual length in bytes; 0 if not
     * known.
     */
    public EngineBuilder expectedKeys(long count, int keyLength) {
        if (count > MOST_EXPECTED_KEYS || keyLength > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException("expectedKeys out of range: count=" + count + ", keyLength=" + keyLength
                    + ", allowed=0.." + MOST_EXPECTED_KEYS + " keys of 0.." + StorageEngine.MAX_KEY_LENGTH + " bytes");
        }
        expectedKeys = notNegative("expectedKeys", count);
        expectedKeyLength = (int) notNegative("keyLength", keyLength);
        return this;
    }

    /** Sets how many threads replay the log when the store is opened, 1 to 1,024; the number of processors by default. */
    public EngineBuilder replayThreads(int count) {
        if (count < 1 || count > MAX_REPLAY_THREADS) {
            throw new IllegalArgumentException(
                    "replayThreads out of range: " + count + ", allowed=1.." + MAX_REPLAY_THREADS);
        }
        replayThreads = count;
        return this;
    }

    /**
     * Sets the clock that expiry goes by; the system's by default. It is believed as it is, whichever way it jumps, with
     * two exceptions. An entry that was told to be absent for its expiry stays absent, whatever the clock says later and
     * through restarts; others, and what is written later, go by the clock alone. And merges remove what has expired by
     * no more than a day beyond what has passed since the clock was last in step, until it has stayed there for ten
     * minutes. A jump of more than a minute is logged and counted in {@link dev.caskwright.api.ClockStats}.
     */
    public EngineBuilder clock(InstantSource source) {
        clock = Objects.requireNonNull(source, "source");
        return this;
    }

    /**
     * Sets whether opening forgets which entries were told to have expired, off by default: the way back after a clock
     * was wrong. Those that a merge has not removed are there again if the clock is before their expiry.
     */
    public EngineBuilder forgetToldExpiries(boolean forget) {
        forgetToldExpiries = forget;
        return this;
    }

    /**
     * Sets where random numbers come from (the ids of the store and of images of its index); a {@link SecureRandom} by
     * default.
     */
    public EngineBuilder random(LongSupplier source) {
        random = Objects.requireNonNull(source, "source");
        return this;
    }

    /**
     * Sets what runs background work: sealing, merges, images of the index, and syncs by bytes. By default threads do that
     * all stores of the process share, taking turns. Closing the store waits for the tasks that run, forgets those that
     * have not begun, and does not shut the executor down.
     *
     * <p>Any executor will do. It is called without locks, at the end of a call to the engine or of a task, and its tasks
     * never run within one another:
     *
     * <ul>
     *   <li>One that runs tasks in the caller ({@code Runnable::run}, a caller-runs policy) makes the call that asked for a
     *       task last as long as the task, a merge included; what the call did is done before.
     *   <li>One that refuses a task, or is shut down, fails no call. The task is tried again when it is asked for again, and
     *       after pauses that grow; {@link BitcaskEngine#retries} tells of it. Until then files are sealed by writers when
     *       too many wait, and no space is given back. Syncs that are refused run in a thread of the process.
     *   <li>One that drops a task is handed it again when it is asked for a minute later.
     *   <li>One with a single thread is enough; a long merge holds up sealing there.
     * </ul>
     *
     * <p>Syncs by time ({@link #syncEvery}) and the pauses before retries do not use it.
     */
    public EngineBuilder executor(Executor background) {
        executor = Objects.requireNonNull(background, "background");
        return this;
    }

    /**
     * Opens the store, and recovers it if it was not closed.
     *
     * @throws dev.caskwright.api.EngineLockedException if another engine has it open
     * @throws dev.caskwright.api.CorruptRecordException if files are damaged in a part that was durable; nothing is changed
     * @throws dev.caskwright.api.UnsupportedFormatException if a file is of another format version, or there is no store
     *     and none may be made
     * @throws IOException if the system refuses, with the file named
     */
    public BitcaskEngine open() throws IOException {
        EngineOptions frozen = new EngineOptions(
                directory,
                index,
                recordLog,
                io,
                startupIo,
                valueCache,
                codec,
                recodeOnMerge,
                encryption,
                durability,
                maxFileBytes,
                readOnly,
                createIfMissing,
                createAmongOtherFiles,
                autoMerge,
                maxSpaceAmplification,
                mergeBytesPerSecond,
                syncEveryBytes,
                syncEvery,
                changesRetainedBytes,
                imageEveryBytes,
                maxSnapshots,
                expectedKeys,
                expectedKeyLength,
                replayThreads,
                mostReplayBytesLater,
                clock,
                forgetToldExpiries,
                random,
                executor,
                retryTimer);
        return new Opening(frozen).run();
    }

    private static long notNegative(String option, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(option + " must not be negative: " + value);
        }
        return value;
    }
}
