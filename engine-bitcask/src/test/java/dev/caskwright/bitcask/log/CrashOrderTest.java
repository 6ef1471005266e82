package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Follows every call to the disk and proves the order of steps that all crash arguments rest on. */
final class CrashOrderTest {
    private static final Path HOME = Path.of("store");

    @Test
    void nothingIsReliedOnBeforeItIsDurable() throws IOException {
        Order total = new Order(new CrashableIoManager());
        for (long seed = 0; seed < 30; seed++) {
            CrashableIoManager disk = new CrashableIoManager();
            Order order = new Order(disk);
            disk.observer(order::before);
            order.context = "seed=" + seed;
            live(disk, order, seed);
            total.add(order);
        }
        assertThat(total.listings).as("files listed").isGreaterThan(100);
        assertThat(total.deletions).as("data files deleted").isGreaterThan(100);
        assertThat(total.acknowledgements).as("SYNC writes").isGreaterThan(100);
    }

    private static void live(CrashableIoManager disk, Order order, long seed) throws IOException {
        ManualClock clock = new ManualClock();
        RandomHistory history =
                new RandomHistory(seed, new StoreModel(Durability.WRITE, clock), clock).values(100, false);
        BitcaskEngine engine = open(disk, clock);
        for (int i = 0; i < 150; i++) {
            history.step(engine);
            if (i % 10 == 0) {
                engine.put(KeyValues.key(99), new byte[i], WriteOptions.SYNC);
                order.acknowledgedSync();
                engine.delete(KeyValues.key(99), WriteOptions.NONE);
            }
            if (i % 40 == 39) {
                history.forgetSnapshots();
                engine.close();
                order.acknowledgedSync();
                engine = open(disk, clock);
            }
        }
        engine.close();
        order.acknowledgedSync();
    }

    private static BitcaskEngine open(CrashableIoManager disk, ManualClock clock) throws IOException {
        SplittableRandom random = new SplittableRandom(42);
        return BitcaskEngine.builder(HOME)
                .io(disk.factory())
                .clock(clock)
                .random(random::nextLong)
                .executor(Runnable::run)
                .autoMerge(false)
                .maxFileBytes(400)
                .open();
    }

    /** What is durable, by the calls so far. */
    private static final class Order {
        private final CrashableIoManager disk;
        private final Set<String> dirty = new HashSet<>(); // written and not forced
        private final Set<String> unsynced = new HashSet<>(); // named and the directory not synced
        private final Map<String, Long> listed = new HashMap<>(); // by the manifest on disk
        private boolean isListForced = true; // what else is in the manifest, like sums of hint files, need not be
        private Set<String> dirtyBefore = Set.of();
        private Set<String> unsyncedBefore = Set.of();
        private IoCall last = new IoCall(-1, IoOperation.SYNC_DIRECTORY, "", "", 0, 0);
        private String context = "";
        private int listings;
        private int deletions;
        private int acknowledgements;

        Order(CrashableIoManager disk) {
            this.disk = disk;
        }

        void add(Order other) {
            listings += other.listings;
            deletions += other.deletions;
            acknowledgements += other.acknowledgements;
        }

        void before(IoCall call) {
            try {
                checkListing();
                checkCall(call);
            } catch (IOException e) {
                throw new AssertionError(context + ", " + call, e);
            }
            dirtyBefore = Set.copyOf(dirty);
            unsyncedBefore = Set.copyOf(unsynced);
            last = call;
            String file = call.file();
            switch (call.operation()) {
                case CREATE -> unsynced.add(file);
                case WRITE -> dirty.add(file); // space held ready, and given back, is nobody's promise
                case FORCE -> {
                    dirty.remove(file);
                    isListForced |= file.equals(FileNames.MANIFEST);
                }
                case RENAME -> {
                    unsynced.remove(file);
                    unsynced.add(call.target());
                    dirty.remove(call.target());
                    if (dirty.remove(file)) {
                        dirty.add(call.target());
                    }
                }
                case DELETE -> {
                    dirty.remove(file);
                    unsynced.remove(file);
                }
                case SYNC_DIRECTORY -> unsynced.clear();
                default -> {}
            }
        }

        /** What the manifest lists since the last call was durable before it: bytes and name. */
        private void checkListing() throws IOException {
            boolean isManifest =
                    last.file().equals(FileNames.MANIFEST) || last.target().equals(FileNames.MANIFEST);
            if (!isManifest) {
                return;
            }
            Manifest manifest = Manifest.read(disk);
            Map<String, Long> now = new HashMap<>();
            if (manifest != null) {
                manifest.files().forEach(file -> now.put(file.name(), file.length()));
            }
            for (String name : now.keySet()) {
                if (listed.containsKey(name)) {
                    continue;
                }
                listings++;
                assertThat(dirtyBefore)
                        .as("%s: %s listed before it is forced, %s", context, name, last)
                        .doesNotContain(name);
                assertThat(unsyncedBefore)
                        .as("%s: %s listed before its name is synced, %s", context, name, last)
                        .doesNotContain(name);
            }
            if (!now.equals(listed)) {
                isListForced = !dirty.contains(FileNames.MANIFEST);
            }
            listed.clear();
            listed.putAll(now);
        }

        private void checkCall(IoCall call) {
            String file = call.file();
            boolean isData = file.endsWith(".data") || file.endsWith(".merged");
            switch (call.operation()) {
                case DELETE -> {
                    if (isData) {
                        deletions++;
                        assertThat(listed)
                                .as("%s: %s deleted while it is listed", context, call)
                                .doesNotContainKey(file);
                        assertThat(isListForced)
                                .as("%s: %s before the manifest is forced", context, call)
                                .isTrue();
                        assertThat(unsynced)
                                .as("%s: %s before the manifest has its name", context, call)
                                .doesNotContain(FileNames.MANIFEST);
                    }
                }
                case RENAME ->
                    assertThat(dirty)
                            .as("%s: %s before it is forced", context, call)
                            .doesNotContain(file);
                default -> {}
            }
        }

        /** Everything written so far is durable, and found by a durable name. */
        void acknowledgedSync() {
            acknowledgements++;
            assertThat(dirty)
                    .as("%s: written and not forced when a SYNC write returned", context)
                    .noneMatch(name -> name.endsWith(".data"));
            assertThat(unsynced)
                    .as("%s: named and not synced when a SYNC write returned", context)
                    .noneMatch(name -> name.endsWith(".data"));
        }
    }
}
