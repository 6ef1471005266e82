package dev.caskwright.metrics.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.bitcask.BitcaskEngine;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoreMetricsTest {
    @TempDir
    private Path directory;

    private final MockClock clock = new MockClock();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock);

    private double gauge(String name) {
        return registry.get("caskwright." + name).tag("store", "orders").gauge().value();
    }

    private double counter(String name) {
        return registry.get("caskwright." + name)
                .tag("store", "orders")
                .functionCounter()
                .count();
    }

    @Test
    void figuresFollowTheStore() throws IOException {
        try (BitcaskEngine store = BitcaskEngine.builder(directory)
                        .executor(Runnable::run)
                        .autoMerge(false)
                        .open();
                StoreMetrics metrics = new StoreMetrics(store, "orders", Tag.of("zone", "a"))) {
            metrics.bindTo(registry);
            assertThat(gauge("keys")).isZero();
            for (int i = 0; i < 20; i++) {
                store.put(new byte[] {(byte) (i % 10)}, new byte[1_000]);
            }
            assertThat(gauge("keys")).as("figures of less than a second ago").isZero();
            clock.add(Duration.ofSeconds(1));
            assertThat(gauge("keys")).isEqualTo(10);
            assertThat(gauge("version")).isEqualTo(20);
            assertThat(gauge("disk")).isGreaterThan(20_000);
            assertThat(gauge("disk.live")).isBetween(10_000.0, 11_000.0);
            assertThat(gauge("memory.index")).isPositive();
            assertThat(gauge("healthy")).isEqualTo(1);
            assertThat(gauge("retries")).isZero();
            assertThat(counter("written")).isGreaterThan(20_000);
            assertThat(counter("merges")).isZero();
            store.merge();
            clock.add(Duration.ofSeconds(1));
            assertThat(counter("merges")).isEqualTo(1);
            assertThat(gauge("disk.amplification")).isBetween(1.0, 1.2);
        }
    }

    /** A new group of figures is to be bound, too. */
    @Test
    void everyFigureOfTheEngineHasAMeter() throws IOException {
        try (BitcaskEngine store = BitcaskEngine.open(directory);
                StoreMetrics metrics = new StoreMetrics(store, "orders")) {
            metrics.bindTo(registry);
            // Of the opening, only how long it took: the rest tells of the crash before.
            int figures = 3
                    + store.stats().groups().stream()
                            .mapToInt(group -> group.getClass().getRecordComponents().length)
                            .sum();
            int ofTheOpening = 4;
            int ofTheCache = 5;
            int more = 3; // amplification, health, retries
            assertThat(registry.getMeters()).hasSize(figures - ofTheOpening + 1 + ofTheCache + more);
        }
    }

    @Test
    void closingRemovesTheMeters() throws IOException {
        try (BitcaskEngine store = BitcaskEngine.open(directory)) {
            StoreMetrics metrics = new StoreMetrics(store, "orders");
            metrics.bindTo(registry);
            assertThatThrownBy(() -> metrics.bindTo(registry))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("orders");
            metrics.close();
            assertThat(registry.getMeters()).extracting(Meter::getId).isEmpty();
            metrics.close();
            metrics.bindTo(registry);
            assertThat(registry.getMeters()).isNotEmpty();
        }
    }

    @Test
    void aClosedStoreStillHasFigures() throws IOException {
        BitcaskEngine store = BitcaskEngine.open(directory);
        StoreMetrics metrics = new StoreMetrics(store, "orders");
        metrics.bindTo(registry);
        store.put(new byte[1], new byte[1]);
        store.close();
        clock.add(Duration.ofSeconds(2));
        assertThat(gauge("keys")).isZero();
        assertThat(gauge("version")).isEqualTo(1);
        metrics.close();
    }
}
