package dev.caskwright.metrics.micrometer;

import dev.caskwright.api.EngineStats;
import dev.caskwright.api.StorageEngine;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Binds the figures of a store to a registry, with names that begin with {@code caskwright.} and a tag {@code store}. Figures
 * of one moment are gauges; sums since the store was opened are counters, and begin again when it is reopened. The figures are
 * taken once a second at most, however many meters are asked.
 *
 * <p>{@code caskwright.healthy} is 1, or 0 once the store refuses writes until it is reopened; {@code caskwright.retries} is how
 * much background work fails and is tried again. An alarm on those two finds what needs a person.
 *
 * <p><b>Threads.</b> Any. The store is not closed by this; {@link #close} removes the meters, which keep the store from being
 * collected until then.
 */
public final class StoreMetrics implements MeterBinder, AutoCloseable {
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final StorageEngine store;
    private final Tags tags;
    private final List<Meter> meters = new ArrayList<>(); // guarded by this
    private @Nullable MeterRegistry registry; // guarded by this

    /**
     * Makes a binder.
     *
     * @param store an open store
     * @param name what the tag {@code store} says
     * @param more further tags of each meter
     */
    public StoreMetrics(StorageEngine store, String name, Tag... more) {
        this.store = Objects.requireNonNull(store, "store");
        this.tags = Tags.of("store", Objects.requireNonNull(name, "name")).and(more);
    }

    /** @throws IllegalStateException if the store was bound by this already */
    @Override
    public synchronized void bindTo(MeterRegistry target) {
        if (registry != null) {
            throw new IllegalStateException("the store is bound already: " + tags + "; close this first");
        }
        registry = target;
        Figures figures = new Figures(store, target.config().clock());
        gauge(figures, "keys", "keys in the store", null, EngineStats::keys);
        gauge(figures, "version", "version of the last write", null, EngineStats::lastVersion);
        gauge(figures, "snapshots", "open snapshots", null, EngineStats::snapshots);
        gauge(figures, "files", "data files", null, stats -> stats.space().files());
        gauge(
                figures,
                "disk",
                "bytes of data files",
                "bytes",
                stats -> stats.space().diskBytes());
        gauge(
                figures,
                "disk.live",
                "bytes that the index refers to",
                "bytes",
                stats -> stats.space().liveBytes());
        gauge(
                figures,
                "disk.dead",
                "bytes that a merge would give back",
                "bytes",
                stats -> stats.space().deadBytes());
        gauge(
                figures,
                "disk.pinned",
                "bytes kept for open snapshots",
                "bytes",
                stats -> stats.space().pinnedBytes());
        gauge(
                figures,
                "disk.amplification",
                "disk bytes per live byte",
                null,
                stats -> stats.space().amplification());
        gauge(
                figures,
                "memory.index",
                "memory of the index",
                "bytes",
                stats -> stats.memory().indexBytes());
        gauge(
                figures,
                "memory.snapshots",
                "memory of open snapshots",
                "bytes",
                stats -> stats.memory().snapshotBytes());
        gauge(
                figures,
                "memory.buffers",
                "memory of idle buffers",
                "bytes",
                stats -> stats.memory().bufferBytes());
        gauge(
                figures,
                "memory.log",
                "memory of the log",
                "bytes",
                stats -> stats.memory().logBytes());
        gauge(
                figures,
                "cache.size",
                "cached values",
                null,
                stats -> stats.cache().entries());
        gauge(
                figures,
                "cache.memory",
                "memory of the cache",
                "bytes",
                stats -> stats.cache().bytes());
        gauge(
                figures,
                "opening",
                "how long the last opening took",
                "milliseconds",
                stats -> stats.opening().millis());
        counter(
                figures,
                "written",
                "bytes that writers have appended",
                "bytes",
                stats -> stats.writes().writtenBytes());
        counter(
                figures,
                "merges",
                "merges that took place",
                null,
                stats -> stats.merging().merges());
        counter(
                figures,
                "merged",
                "bytes that merges have written",
                "bytes",
                stats -> stats.merging().mergedBytes());
        counter(
                figures,
                "images",
                "images of the index that were saved",
                null,
                stats -> stats.images().saved());
        counter(
                figures,
                "clock.jumps",
                "jumps of the clock by more than a minute",
                null,
                stats -> stats.clock().jumps());
        counter(
                figures,
                "cache.hits",
                "reads answered from the cache",
                null,
                stats -> stats.cache().hits());
        counter(
                figures,
                "cache.misses",
                "reads not answered from the cache",
                null,
                stats -> stats.cache().misses());
        counter(
                figures,
                "cache.evictions",
                "values that others took the room of",
                null,
                stats -> stats.cache().evictions());
        state("healthy", "1, or 0 once writes are refused", each -> each.health() == null ? 1 : 0);
        state(
                "retries",
                "background work that fails and is tried again",
                each -> each.retries().size());
    }

    private void gauge(
            Figures figures,
            String name,
            String description,
            @Nullable String unit,
            ToDoubleFunction<EngineStats> value) {
        add(Gauge.builder("caskwright." + name, figures, all -> value.applyAsDouble(all.now()))
                .description(description)
                .baseUnit(unit)
                .tags(tags)
                .strongReference(true)
                .register(target()));
    }

    private void counter(
            Figures figures,
            String name,
            String description,
            @Nullable String unit,
            ToDoubleFunction<EngineStats> value) {
        add(FunctionCounter.builder("caskwright." + name, figures, all -> value.applyAsDouble(all.now()))
                .description(description)
                .baseUnit(unit)
                .tags(tags)
                .register(target()));
    }

    private void state(String name, String description, ToDoubleFunction<StorageEngine> value) {
        add(Gauge.builder("caskwright." + name, store, value)
                .description(description)
                .tags(tags)
                .strongReference(true)
                .register(target()));
    }

    private void add(Meter meter) {
        meters.add(meter);
    }

    private MeterRegistry target() {
        return Objects.requireNonNull(registry);
    }

    /** Removes the meters from the registry. Closing twice is fine. */
    @Override
    public synchronized void close() {
        MeterRegistry bound = registry;
        if (bound != null) {
            meters.forEach(bound::remove);
        }
        meters.clear();
        registry = null;
    }

    /** The figures of a moment that is not long ago. */
    private static final class Figures {
        private final StorageEngine store;
        private final Clock clock;
        private @Nullable EngineStats last; // guarded by this
        private long takenNanos;

        Figures(StorageEngine store, Clock clock) {
            this.store = store;
            this.clock = clock;
        }

        synchronized EngineStats now() {
            long nanos = clock.monotonicTime();
            EngineStats stats = last;
            if (stats == null || nanos - takenNanos >= FRESH_NANOS) {
                stats = store.stats();
                last = stats;
                takenNanos = nanos;
            }
            return stats;
        }
    }
}
