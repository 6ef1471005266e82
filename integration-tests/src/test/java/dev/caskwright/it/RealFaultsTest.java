package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Faults of the real system, where it lets us: a file system that is full, limits of a process, and a file system that is
 * shut down as by a power cut. What needs root or a tool that is not there is skipped, and the report says so.
 */
@EnabledOnOs(OS.LINUX)
final class RealFaultsTest {
    /** Of ext4 and xfs: nothing that is not on the disk gets there any more, the journal included. */
    private static final String SHUT_DOWN =
            "open(my $d, '<', $ARGV[0]) or die $!; my $f = pack('L', 2); ioctl($d, 0x8004587D, $f) or die $!";

    @TempDir
    private Path temporary;

    private final Deque<Path> mounted = new ArrayDeque<>();

    @AfterEach
    void unmount() throws Exception {
        while (!mounted.isEmpty()) {
            run("umount", mounted.pop().toString());
        }
    }

    private static boolean run(String... command) throws Exception {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0;
        } catch (IOException e) {
            return false; // no such tool
        }
    }

    private Path mount(String... options) throws Exception {
        Path point = Files.createDirectories(temporary.resolve("mounted" + mounted.size()));
        List<String> command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(options));
        command.add(point.toString());
        assumeTrue(run(command.toArray(new String[0])), "not allowed to mount a file system here: skipped");
        mounted.push(point);
        return point;
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    void aFullFileSystemRefusesWritesAndNothingElse(String io) throws Exception {
        Path root = mount("-t", "tmpfs", "-o", "size=6m", "tmpfs");
        Path filler = Files.write(root.resolve("filler"), new byte[2 << 20]);
        Path directory = root.resolve("store");
        int written = 0;
        try (StorageEngine engine = new Combination("hashmap", io, io)
                .builder(directory)
                .maxFileBytes(1 << 20)
                .autoMerge(false)
                .open()) {
            OutOfSpaceException refused = null;
            while (refused == null) {
                try {
                    engine.put(KeyValues.key(written), new byte[3_000]);
                    written++;
                } catch (OutOfSpaceException e) {
                    refused = e;
                }
            }
            assertThat(written).isGreaterThan(100);
            assertThat(engine.health()).isNull();
            assertThatThrownBy(() -> engine.put(KeyValues.bytes("more"), new byte[100_000]))
                    .isInstanceOf(OutOfSpaceException.class);
            for (int i = 0; i < written; i++) {
                assertThat(engine.get(KeyValues.key(i))).hasSize(3_000);
            }
            Files.delete(filler);
            engine.put(KeyValues.bytes("room"), new byte[3_000], WriteOptions.SYNC);
            assertThat(engine.health()).isNull();
        }
        assertThat(BitcaskEngine.verify(directory, Backends.ioManager(io)).damages())
                .isEmpty();
        try (StorageEngine engine =
                new Combination("hashmap", io, io).builder(directory).open()) {
            assertThat(engine.size()).isEqualTo(written + 1);
        }
    }

    @ParameterizedTest
    @CsvSource({"-f 8,standard", "-n 80,standard", "-n 80,mmap"})
    void limitsOfTheProcessLoseNothingAcknowledged(String limit, String io) throws Exception {
        for (boolean isMerging : new boolean[] {false, true}) {
            Path store = temporary.resolve(Boolean.toString(isMerging));
            Process process = start(store, io, limit, isMerging);
            long last = follow(process, 5_000, before -> {});
            assertThat(last).as("last write acknowledged").isPositive();
            assertHolds(store, io, last, last);
        }
    }

    /** A disk that has room for its files but not for their content: writes go well, and forces fail. */
    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    void aForceThatFailsIsNeverFollowedByAnAcknowledgement(String io) throws Exception {
        assumeTrue(run("mkfs.ext4", "-V"), "needs mkfs.ext4: skipped");
        Path thin = mount("-t", "tmpfs", "-o", "size=32m", "tmpfs");
        Path image = thin.resolve("image");
        assertThat(run("truncate", "-s", "128M", image.toString())).isTrue();
        // The journal has its blocks from the start, so that it is the content that finds no place.
        assertThat(run("mkfs.ext4", "-q", "-F", "-J", "size=4", "-E", "lazy_journal_init=0", image.toString()))
                .isTrue();
        Path store = mount("-o", "loop", image.toString()).resolve("store");
        StorageEngine engine = new Combination("hashmap", io, io)
                .builder(store)
                .autoMerge(false)
                .open();
        int acknowledged = writeUntilAForceFails(engine, thin);
        try {
            engine.close();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("Read-only file system"); // what ext4 may have made of it
        }
        unmountNow();
        store = mount("-o", "loop", image.toString()).resolve("store");
        try (StorageEngine next =
                new Combination("hashmap", io, io).builder(store).open()) {
            for (int i = 0; i < acknowledged; i++) {
                assertThat(next.get(KeyValues.key(i))).as("key %s", i).hasSize(10_000);
            }
            assertThat(next.size()).isBetween((long) acknowledged, acknowledged + 1L);
            next.put(KeyValues.bytes("more"), new byte[10_000], WriteOptions.SYNC);
        }
    }

    /** Returns how many keys were written and acknowledged before the first failure. */
    private static int writeUntilAForceFails(StorageEngine engine, Path thin) throws IOException {
        int acknowledged = 0;
        for (; acknowledged < 50; acknowledged++) {
            engine.put(KeyValues.key(acknowledged), new byte[10_000], WriteOptions.SYNC);
        }
        Path filler = fill(thin);
        EngineFailedException failed = null;
        while (failed == null && acknowledged < 5_000) {
            try {
                engine.put(KeyValues.key(acknowledged), new byte[10_000], WriteOptions.SYNC);
                acknowledged++;
            } catch (EngineFailedException e) {
                failed = e;
            }
        }
        assertThat(failed).as("a force failed within 50 MB").isNotNull();
        assertThat(failed.outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(engine.health()).isNotNull();
        Files.delete(filler);
        // Now there is room, and still nothing is promised that the failed force may have lost.
        assertThatThrownBy(() -> engine.put(KeyValues.bytes("more"), new byte[1], WriteOptions.SYNC))
                .isInstanceOf(EngineFailedException.class);
        assertThatThrownBy(engine::sync).isInstanceOf(EngineFailedException.class);
        for (int i = 0; i < acknowledged; i++) {
            assertThat(engine.get(KeyValues.key(i))).hasSize(10_000);
        }
        return acknowledged;
    }

    /** Takes all the room that a file system has left; returns the file that takes it. */
    private static Path fill(Path root) throws IOException {
        Path filler = root.resolve("filler");
        try (OutputStream out = Files.newOutputStream(filler)) {
            byte[] page = new byte[4096];
            while (root.toFile().getUsableSpace() > 0) {
                out.write(page);
            }
        }
        return filler;
    }

    @ParameterizedTest
    @CsvSource({"ext4,standard", "ext4,mmap", "xfs,standard", "xfs,mmap"})
    void aPowerCutLosesNothingSynced(String fileSystem, String io) throws Exception {
        String make = "mkfs." + fileSystem;
        assumeTrue(run("perl", "-e", "1") && run(make, "-V"), "needs perl and " + make + ": skipped");
        Path image = temporary.resolve("image");
        assertThat(run("truncate", "-s", "320M", image.toString())).isTrue(); // sparse; xfs wants that much
        assertThat(run(make, "-q", fileSystem.equals("xfs") ? "-f" : "-F", image.toString()))
                .isTrue();
        int cuts = Integer.getInteger("caskwright.cut.cycles", 3);
        for (int cut = 0; cut < cuts; cut++) {
            Path root = mount("-o", "loop", image.toString());
            Path store = root.resolve("store" + cut);
            Process process = start(store, io, "-c 0", cut % 2 == 1);
            // Only what was acknowledged before the cut: of a force that it meets, the system may say that it went
            // well.
            AtomicLong synced = new AtomicLong();
            long last = follow(process, 100 + 137 * (cut % 10), before -> {
                synced.set(before - before % 16);
                boolean isCut = run("perl", "-e", SHUT_DOWN, root.toString());
                if (!isCut) {
                    process.destroyForcibly();
                }
                assumeTrue(isCut, "the file system cannot be shut down: skipped");
            });
            unmountNow();
            mount("-o", "loop", image.toString());
            assertHolds(store, io, synced.get(), last);
            assertThat(run("rm", "-r", store.toString())).isTrue();
            unmountNow();
            if (cut % 50 == 49) {
                System.out.println("cut campaign: " + fileSystem + ", io=" + io + ", power cuts=" + (cut + 1));
            }
        }
    }

    private void unmountNow() throws Exception {
        assertThat(run("umount", mounted.pop().toString())).isTrue();
    }

    private interface Action {
        /** Told the number of the last write that was acknowledged by then. */
        void run(long before) throws Exception;
    }

    private static Process start(Path store, String io, String limit, boolean isMerging) throws IOException {
        return new ProcessBuilder(
                        "bash",
                        "-c",
                        "ulimit " + limit + " && exec \"$@\"",
                        "bash",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledWriter.class.getName(),
                        store.toString(),
                        io,
                        "0",
                        Boolean.toString(isMerging))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Acts once that many writes were acknowledged, and kills the writer if it goes on; returns the last one's number. */
    private static long follow(Process process, int count, Action action) throws Exception {
        long last = -1;
        boolean hasActed = false;
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.length() >= Long.toString(last + 1).length()) {
                    assertThat(Long.parseLong(line)).isEqualTo(++last);
                }
                if (last >= count && !hasActed) {
                    hasActed = true;
                    action.run(last);
                }
                if (last >= 2L * count) {
                    process.toHandle().destroyForcibly();
                }
            }
        }
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return last;
    }

    /** The store is what the writes up to one of {@code from} to {@code last}, or to the one under way, made of it. */
    private static void assertHolds(Path store, String io, long from, long last) throws IOException {
        NavigableMap<byte[], Entry> found;
        try (StorageEngine engine =
                new Combination("hashmap", io, io).builder(store).open()) {
            found = KeyValues.entries(engine);
        }
        Map<byte[], byte[]> state = KilledWriter.newState();
        long lastSame = -1;
        for (long next = 0; next <= last + 1; next++) {
            KilledWriter.apply(state, next);
            lastSame = KilledWriter.isSame(state, found) ? next : lastSame;
        }
        if (lastSame >= from) {
            return;
        }
        throw new AssertionError("io=" + io + ": the store is not what any of the first " + from + " to " + (last + 1)
                + " writes made of it, but of the first " + lastSame + ", keys=" + found.size());
    }
}
