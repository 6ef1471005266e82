package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.api.Entry;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.TimeUnit;
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

    private Path mounted;

    @AfterEach
    void unmount() throws Exception {
        if (mounted != null) {
            run("umount", mounted.toString());
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
        Path point = Files.createDirectories(temporary.resolve("mounted"));
        List<String> command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(options));
        command.add(point.toString());
        assumeTrue(run(command.toArray(new String[0])), "not allowed to mount a file system here: skipped");
        mounted = point;
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
    @CsvSource({"-f 2,standard", "-n 80,standard", "-n 80,mmap"})
    void limitsOfTheProcessLoseNothingAcknowledged(String limit, String io) throws Exception {
        for (boolean isMerging : new boolean[] {false, true}) {
            Path store = temporary.resolve(Boolean.toString(isMerging));
            Process process = start(store, io, limit, isMerging);
            long last = follow(process, 5_000, () -> {});
            assertThat(last).as("last write acknowledged").isPositive();
            assertHolds(store, io, last, last);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    void aPowerCutLosesNothingSynced(String io) throws Exception {
        assumeTrue(run("perl", "-e", "1") && run("mkfs.ext4", "-V"), "needs perl and mkfs.ext4: skipped");
        Path image = temporary.resolve("image");
        assertThat(run("truncate", "-s", "64M", image.toString())).isTrue();
        assertThat(run("mkfs.ext4", "-q", "-F", image.toString())).isTrue();
        int cuts = Integer.getInteger("caskwright.cut.cycles", 3);
        for (int cut = 0; cut < cuts; cut++) {
            Path root = mount("-o", "loop", image.toString());
            Path store = root.resolve("store" + cut);
            Process process = start(store, io, "-c 0", cut % 2 == 1);
            long last = follow(process, 100 + 137 * (cut % 10), () -> {
                boolean isCut = run("perl", "-e", SHUT_DOWN, root.toString());
                if (!isCut) {
                    process.destroyForcibly();
                }
                assumeTrue(isCut, "the file system cannot be shut down: skipped");
            });
            unmountNow();
            mount("-o", "loop", image.toString());
            assertHolds(store, io, last - last % 16, last);
            assertThat(run("rm", "-r", store.toString())).isTrue();
            unmountNow();
            if (cut % 50 == 49) {
                System.out.println("cut campaign: io=" + io + ", power cuts=" + (cut + 1));
            }
        }
    }

    private void unmountNow() throws Exception {
        assertThat(run("umount", mounted.toString())).isTrue();
        mounted = null;
    }

    private interface Action {
        void run() throws Exception;
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
                    action.run();
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
