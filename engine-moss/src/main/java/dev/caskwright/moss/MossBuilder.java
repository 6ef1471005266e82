package dev.caskwright.moss;

import dev.caskwright.api.Durability;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Sets up a moss engine. For one thread; changing it later changes no engine that it opened. */
public final class MossBuilder {
    private static final long DEFAULT_TABLE_BYTES = 4L << 20;
    private static final long LEAST_MEMORY_BYTES = 1L << 16;
    private static final long LARGEST_TABLE_BYTES = 64L << 20;
    private static final long LARGEST_PERSIST_BYTES = 64L << 20;
    private static final long LARGEST_BATCH_BYTES =
            32L << 20; // for another engine, which may reserve room for long keys
    private static final int DEFAULT_CHECKPOINTS = 16;
    private static final int MOST_CHECKPOINTS = 1_000;

    private @Nullable MergeOperator operator;
    private long maxMemoryBytes =
            Math.max(LEAST_MEMORY_BYTES, Runtime.getRuntime().maxMemory() / 4);
    private long tableBytes = DEFAULT_TABLE_BYTES;
    private Duration writeDeadline = Duration.ofSeconds(10);
    private @Nullable ThreadFactory threads = Thread::new;

    private final @Nullable Path directory;
    private @Nullable Durability durability;
    private IoManagerFactory io = StandardIoManager::open;
    private InstantSource clock = InstantSource.system();
    private LongSupplier random = () -> new SecureRandom().nextLong();
    private long cleanBytes = -1;
    private long persistBytes = -1;
    private Duration persistAfter = Duration.ofSeconds(1);
    private int keptCheckpoints = DEFAULT_CHECKPOINTS;
    private Duration checkpointAge = Duration.ZERO;
    private boolean isReadOnly;
    private @Nullable StorageEngine lower;
    private long maxHeldKeyBytes = Runtime.getRuntime().maxMemory() / 4;
    private boolean createIfMissing = true;
    private boolean createAmongOtherFiles;

    /** Sets up an engine in memory. */
    MossBuilder() {
        directory = null;
    }

    MossBuilder(Path directory) {
        this.directory = directory;
    }

    /**
     * Sets the durability of writes whose options name none: {@code NONE} is in memory until it is written below,
     * {@code WRITE} is with the operating system, {@code SYNC} on stable storage. If not set, {@code WRITE} with a
     * directory and {@code NONE} without.
     */
    public MossBuilder durability(Durability level) {
        this.durability = Objects.requireNonNull(level);
        return this;
    }

    /** Sets what the directory is reached through; plain file IO if not set. */
    public MossBuilder io(IoManagerFactory factory) {
        this.io = Objects.requireNonNull(factory);
        return this;
    }

    /** Sets the clock that gives checkpoints their time. */
    public MossBuilder clock(InstantSource source) {
        this.clock = Objects.requireNonNull(source);
        return this;
    }

    /** Sets where the numbers of stores and the seeds of hashes come from; a {@link SecureRandom} if not set. */
    public MossBuilder random(LongSupplier source) {
        this.random = Objects.requireNonNull(source);
        return this;
    }

    /** Sets how many checkpoints are kept, 1 to 1,000; 16 if not set. Making another one drops the oldest. */
    public MossBuilder keptCheckpoints(int count) {
        if (count < 1 || count > MOST_CHECKPOINTS) {
            throw new IllegalArgumentException("keptCheckpoints must be 1 to " + MOST_CHECKPOINTS + ": " + count);
        }
        this.keptCheckpoints = count;
        return this;
    }

    /**
     * Sets how old checkpoints may be, by the clock of the system or the one that was {@linkplain #clock set}, at least a
     * millisecond; any age if not set. Older ones go, with the next opening or change of files or by themselves, but for
     * the newest, which stays whatever its age.
     */
    public MossBuilder checkpointAge(Duration age) {
        if (age.toMillis() < 1) {
            throw new IllegalArgumentException("checkpointAge must be at least a millisecond: " + age);
        }
        this.checkpointAge = age;
        return this;
    }

    /**
     * Sets how much memory layers may take that are written below and kept for reads; a quarter of {@link
     * #maxMemoryBytes} if not set.
     */
    public MossBuilder cleanBytes(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("cleanBytes must not be negative: " + bytes);
        }
        this.cleanBytes = bytes;
        return this;
    }

    /**
     * Sets how much waits, about, before it is written below, and how much is written at once; a quarter of {@link
     * #maxMemoryBytes}, at most 64 MiB, if not set. Over another engine it is also the longest layer that merges make, for
     * a layer is one batch there; if not set, at most 32 MiB and a sixty-fourth of the heap.
     */
    public MossBuilder persistBytes(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("persistBytes must be positive: " + bytes);
        }
        this.persistBytes = bytes;
        return this;
    }

    /** Sets after what time layers are written below however little they are; 1 second if not set, and never if 0. */
    public MossBuilder persistAfter(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("persistAfter must not be negative: " + time);
        }
        this.persistAfter = time;
        return this;
    }

    /** Opens a store that is there, without changing anything in its directory. Other readers may have it open too. */
    public MossBuilder readOnly() {
        this.isReadOnly = true;
        return this;
    }

    /** Sets the operator for operands. A store that has operands cannot be opened without the operator that it had. */
    public MossBuilder mergeOperator(MergeOperator mergeOperator) {
        int length = mergeOperator.name().getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > KeySpace.MAX_NAME_LENGTH) {
            throw new IllegalArgumentException("name of a merge operator must have 1 to " + KeySpace.MAX_NAME_LENGTH
                    + " bytes of UTF-8: length=" + length);
        }
        this.operator = mergeOperator;
        return this;
    }

    /**
     * Sets how much memory layers that are not yet written below may take, at least 64 KiB; a quarter of the heap if
     * not set. From three quarters of it on, writes are slowed down; at the limit they wait, and fail after {@link
     * #writeDeadline}. With nothing below, it is how much the store may hold. A merge needs as much again as it joins.
     */
    public MossBuilder maxMemoryBytes(long bytes) {
        if (bytes < LEAST_MEMORY_BYTES) {
            throw new IllegalArgumentException("maxMemoryBytes must be at least " + LEAST_MEMORY_BYTES + ": " + bytes);
        }
        this.maxMemoryBytes = bytes;
        return this;
    }

    /**
     * Sets how large the memory table gets, about, before it is sealed, 4 KiB to 64 MiB; 4 MiB if not set. A smaller
     * table takes writes faster, because it fits the processor's caches, and gives the merger more to do.
     */
    public MossBuilder tableBytes(long bytes) {
        if (bytes < 1 << 12 || bytes > LARGEST_TABLE_BYTES) {
            throw new IllegalArgumentException("tableBytes must be 4096 to " + LARGEST_TABLE_BYTES + ": " + bytes);
        }
        this.tableBytes = bytes;
        return this;
    }

    /**
     * Sets how long a write waits, for memory or until what was written before it at {@code NONE} is below, before it
     * fails and is not applied; 10 seconds if not set. {@link MossEngine#sync} fails once nothing was written below for
     * so long.
     */
    public MossBuilder writeDeadline(Duration deadline) {
        if (deadline.isNegative()) {
            throw new IllegalArgumentException("writeDeadline must not be negative: " + deadline);
        }
        this.writeDeadline = deadline;
        return this;
    }

    /** Leaves merging and persisting to the caller, for tests that decide when each happens. */
    MossBuilder withoutThreads() {
        threads = null;
        return this;
    }

    /** Sets what makes the threads, for tests. */
    MossBuilder threads(ThreadFactory factory) {
        threads = factory;
        return this;
    }

    /**
     * Sets the engine that layers are written to. It must be empty or have been this store's before, nobody else may
     * write to it, and the caller closes it after this engine. Keys there have 1 byte more, or 5 in child collections,
     * and values up to 10. Without a directory there is no log, and writes are durable once they are below.
     */
    public MossBuilder over(StorageEngine engine) {
        this.lower = Objects.requireNonNull(engine);
        return this;
    }

    /**
     * Sets how much memory the keys of a lower level without order may take, some 30 bytes and the key for each; a
     * quarter of the heap if not set. They are read when the store is opened.
     */
    public MossBuilder maxHeldKeyBytes(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("maxHeldKeyBytes must not be negative: " + bytes);
        }
        this.maxHeldKeyBytes = bytes;
        return this;
    }

    /** Sets whether a store is made where there is none; true if not set. */
    public MossBuilder createIfMissing(boolean isCreating) {
        this.createIfMissing = isCreating;
        return this;
    }

    /** Sets whether a store may be made in a directory that has other files; false if not set. */
    public MossBuilder createAmongOtherFiles(boolean isAllowed) {
        this.createAmongOtherFiles = isAllowed;
        return this;
    }

    /** Opens the engine. */
    public MossEngine open() throws IOException {
        long most = lower == null
                ? LARGEST_PERSIST_BYTES
                : Math.min(LARGEST_BATCH_BYTES, Runtime.getRuntime().maxMemory() / 64);
        long waiting = persistBytes > 0 ? persistBytes : Math.max(1, Math.min(most, maxMemoryBytes / 4));
        boolean hasLog = directory != null;
        Durability usual = durability != null ? durability : hasLog ? Durability.WRITE : Durability.NONE;
        Settings settings = new Settings(
                usual,
                operator,
                Math.min(tableBytes, Math.max(1 << 12, maxMemoryBytes / 8)),
                maxMemoryBytes,
                cleanBytes >= 0 ? cleanBytes : maxMemoryBytes / 4,
                waiting,
                persistAfter.toMillis(),
                writeDeadline.toMillis(),
                maxHeldKeyBytes,
                lower != null,
                threads,
                isReadOnly,
                new Retention(keptCheckpoints, checkpointAge.toMillis(), clock),
                random);
        if (directory != null) {
            Opening.Place place = new Opening.Place(directory, createIfMissing, createAmongOtherFiles);
            return Opening.open(place, io, settings, lower);
        }
        if (lower != null) {
            return Opening.open(lower, settings);
        }
        MossEngine engine =
                new MossEngine(new Store(settings, new OperatorResolver(operator), new Bottom.Nothing()), null);
        engine.start();
        return engine;
    }
}
