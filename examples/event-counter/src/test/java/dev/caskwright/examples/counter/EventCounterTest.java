package dev.caskwright.examples.counter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EventCounterTest {
    private static final int THREADS = 4;
    private static final int EVENTS = 1_000;
    private static final LocalDate DAY = LocalDate.parse("2026-11-30");

    @TempDir
    private Path directory;

    private Instant now = Instant.parse("2026-11-30T23:30:00Z");

    private StorageEngine open() throws IOException {
        return BitcaskEngine.builder(directory)
                .index(BTreeKeyIndex::new)
                .clock(() -> now)
                .open();
    }

    @Test
    void threadsCountTogetherAndARestartLosesNothing() throws Exception {
        try (StorageEngine store = open()) {
            EventCounter counter = new EventCounter(store, Duration.ofDays(90));
            ExecutorService threads = Executors.newFixedThreadPool(THREADS);
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                running.add(threads.submit(() -> {
                    for (int event = 0; event < EVENTS; event++) {
                        counter.count("login", now.minus(Duration.ofHours(event % 3)));
                    }
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
            threads.shutdown();
        }
        try (StorageEngine store = open()) {
            EventCounter counter = new EventCounter(store, Duration.ofDays(90));
            assertEquals(THREADS * EVENTS, counter.total("login", DAY));
            assertEquals(0, counter.total("log", DAY));
        }
    }

    @Test
    void daysAndEventsAreToldApartAndOldHoursAreForgotten() throws IOException {
        try (StorageEngine store = open()) {
            EventCounter counter = new EventCounter(store, Duration.ofDays(90));
            assertEquals(1, counter.count("login", now));
            assertEquals(2, counter.count("login", now));
            assertEquals(1, counter.count("login", now.plus(Duration.ofHours(1))));
            assertEquals(1, counter.count("logout", now));
            assertEquals(2, counter.total("login", DAY));
            assertEquals(1, counter.total("login", DAY.plusDays(1)));
            now = now.plus(Duration.ofDays(90));
            assertEquals(0, counter.total("login", DAY));
        }
    }
}
