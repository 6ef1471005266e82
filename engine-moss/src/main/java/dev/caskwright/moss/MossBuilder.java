package dev.caskwright.moss;

import dev.caskwright.api.Durability;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Sets up a moss engine. For one thread; changing it later changes no engine that it opened. */
public final class MossBuilder {
    private static final long DEFAULT_TABLE_BYTES = 4L << 20;
    private static final long LEAST_MEMORY_BYTES = 1L << 16;
    private static final long LARGEST_TABLE_BYTES = 64L << 20;

    private @Nullable MergeOperator operator;
    private long maxMemoryBytes =
            Math.max(LEAST_MEMORY_BYTES, Runtime.getRuntime().maxMemory() / 4);
    private long tableBytes = DEFAULT_TABLE_BYTES;
    private Duration writeDeadline = Duration.ofSeconds(10);
    private boolean hasThreads = true;

    MossBuilder() {}

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
     * Sets how much memory layers that are not yet written below may take, at least 64 KiB; a quarter of the heap if not set. From
     * three quarters of it on, writes are slowed down; at the limit they wait, and fail after {@link #writeDeadline}. With nothing
     * below, it is how much the store may hold. A merge needs as much again as it joins.
     */
    public MossBuilder maxMemoryBytes(long bytes) {
        if (bytes < LEAST_MEMORY_BYTES) {
            throw new IllegalArgumentException("maxMemoryBytes must be at least " + LEAST_MEMORY_BYTES + ": " + bytes);
        }
        this.maxMemoryBytes = bytes;
        return this;
    }

    /**
     * Sets how large the memory table gets, about, before it is sealed, 4 KiB to 64 MiB; 4 MiB if not set. A smaller table takes
     * writes faster, because it fits the processor's caches, and gives the merger more to do.
     */
    public MossBuilder tableBytes(long bytes) {
        if (bytes < 1 << 12 || bytes > LARGEST_TABLE_BYTES) {
            throw new IllegalArgumentException("tableBytes must be 4096 to " + LARGEST_TABLE_BYTES + ": " + bytes);
        }
        this.tableBytes = bytes;
        return this;
    }

    /** Sets how long a write waits for memory before it fails and is not applied; 10 seconds if not set. */
    public MossBuilder writeDeadline(Duration deadline) {
        if (deadline.isNegative()) {
            throw new IllegalArgumentException("writeDeadline must not be negative: " + deadline);
        }
        this.writeDeadline = deadline;
        return this;
    }

    /** Leaves merging and persisting to the caller, for tests that decide when each happens. */
    MossBuilder withoutThreads() {
        hasThreads = false;
        return this;
    }

    /** Opens the engine. */
    public MossEngine open() throws IOException {
        Settings settings = new Settings(
                Durability.NONE,
                operator,
                Math.min(tableBytes, Math.max(1 << 12, maxMemoryBytes / 8)),
                maxMemoryBytes,
                0,
                Math.max(tableBytes, maxMemoryBytes / 4),
                0,
                writeDeadline.toMillis(),
                0,
                hasThreads);
        MossEngine engine = new MossEngine(new Store(settings, new Bottom.Nothing()));
        engine.start();
        return engine;
    }
}
