package dev.caskwright.mvcc;

import dev.caskwright.api.spi.Causes;
import dev.caskwright.bolt.BoltBuilder;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.BatchedBackend;
import dev.caskwright.mvcc.backend.BoltStore;
import dev.caskwright.mvcc.backend.CommitTimer;
import dev.caskwright.mvcc.backend.OrderedStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Says how a store is opened. For one thread. */
public final class MvccBuilder {
    private static final int DEFAULT_REQUEST_BYTES = 3 << 19; // 1.5 MiB
    private static final int DEFAULT_OPERATIONS = 128;
    private static final long DEFAULT_QUOTA_BYTES = 2L << 30;
    private static final int DEFAULT_SLICE = 200;
    private static final Duration DEFAULT_PAUSE = Duration.ofMillis(2);

    private final StoreSource source;
    private BackendOptions commits = BackendOptions.DEFAULT;
    private int maxRequestBytes = DEFAULT_REQUEST_BYTES;
    private int maxOperations = DEFAULT_OPERATIONS;
    private long quotaBytes = DEFAULT_QUOTA_BYTES;
    private int compactionSlice = DEFAULT_SLICE;
    private Duration compactionPause = DEFAULT_PAUSE;
    private boolean isReadOnly;
    private InstantSource clock = monotonicClock();
    private @Nullable CommitTimer timer;

    /** Opens what the store is kept in. */
    @FunctionalInterface
    interface StoreSource {
        OrderedStore open(boolean readOnly) throws IOException;
    }

    /** What a store was opened with. */
    record Options(
            BackendOptions commits,
            int maxRequestBytes,
            int maxOperations,
            long quotaBytes,
            int compactionSlice,
            Duration compactionPause,
            boolean isReadOnly) {}

    private MvccBuilder(StoreSource source) {
        this.source = source;
    }

    static MvccBuilder of(Path file, UnaryOperator<BoltBuilder> how) {
        Objects.requireNonNull(file, "file");
        return new MvccBuilder(readOnly -> new BoltStore(
                how.apply(BoltDatabase.builder(file)).readOnly(readOnly).open()));
    }

    static MvccBuilder of(OrderedStore store) {
        Objects.requireNonNull(store, "store");
        return new MvccBuilder(readOnly -> store);
    }

    private static InstantSource monotonicClock() {
        long start = System.nanoTime();
        return () -> Instant.ofEpochSecond(0, System.nanoTime() - start);
    }

    private static void check(boolean holds, String rule, long found) {
        if (!holds) {
            throw new IllegalArgumentException(rule + ": " + found);
        }
    }

    /** Sets when writes are committed; {@link BackendOptions#DEFAULT} by default. */
    public MvccBuilder commits(BackendOptions when) {
        commits = when;
        return this;
    }

    /**
     * Sets how long keys and values of a request may be together, and how many operations each side of a transaction may have; 1.5 MiB
     * and 128 by default, as in etcd.
     */
    public MvccBuilder limits(int requestBytes, int operations) {
        check(requestBytes > 0, "a request has at least a byte", requestBytes);
        check(operations > 0, "a transaction has at least one operation", operations);
        maxRequestBytes = requestBytes;
        maxOperations = operations;
        return this;
    }

    /**
     * Sets how many bytes may be in use before puts are refused; 2 GiB by default. Deletes and compactions work on, and {@link
     * MvccStore#disarmSpaceAlarm} lets puts be made again.
     */
    public MvccBuilder quotaBytes(long bytes) {
        check(bytes > 0, "a quota is at least a byte", bytes);
        quotaBytes = bytes;
        return this;
    }

    /** Sets how many revisions a compaction looks at in one step, and how long it rests then; 200 and 2 ms by default. */
    public MvccBuilder compaction(int revisions, Duration pause) {
        check(revisions > 0, "a step of a compaction looks at least at one revision", revisions);
        check(!pause.isNegative(), "a pause is not negative", pause.toMillis());
        compactionSlice = revisions;
        compactionPause = pause;
        return this;
    }

    /** Opens the store for reading alone: no lease ends, and no compaction goes on. */
    public MvccBuilder readOnly(boolean readOnly) {
        isReadOnly = readOnly;
        return this;
    }

    /** Sets the clock by which leases end; by default one that is never set. Only the time between two readings counts. */
    public MvccBuilder clock(InstantSource source) {
        clock = Objects.requireNonNull(source, "source");
        return this;
    }

    /** Sets what runs commits, the end of leases and resumed compactions; a thread of the store's own by default. */
    public MvccBuilder timer(CommitTimer runner) {
        timer = Objects.requireNonNull(runner, "runner");
        return this;
    }

    /**
     * Opens the store, and makes the index in memory from all revisions.
     *
     * @throws MvccException with {@link MvccException.Reason#NEWER_FORMAT} or {@link MvccException.Reason#CORRUPT}
     */
    public MvccStore open() throws IOException {
        Options options = new Options(
                commits, maxRequestBytes, maxOperations, quotaBytes, compactionSlice, compactionPause, isReadOnly);
        OrderedStore store = source.open(isReadOnly);
        CommitTimer runner = timer;
        BatchedBackend backend = new BatchedBackend(
                store, Schema.BUCKETS, commits, runner != null ? runner : CommitTimer.daemon("caskwright-mvcc"));
        try {
            return new MvccStore(backend, options, clock);
        } catch (Throwable e) {
            Causes.closeAfter(e, backend::close);
            throw e;
        }
    }
}
