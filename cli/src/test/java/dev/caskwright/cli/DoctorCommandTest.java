package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.ClockStats;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.OpeningStats;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.owner.OwnerReport;
import dev.caskwright.owner.OwnerSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code doctor} says of stores and machines that are well, and of others. */
final class DoctorCommandTest {
    private static final long GIB = 1L << 30;

    @TempDir
    private Path temporary;

    private final Cli cli = new Cli();
    private Path directory;
    private Path root;

    @BeforeEach
    void make() throws IOException {
        cli.stores = new EngineStores();
        directory = temporary.resolve("store");
        root = temporary.resolve("machine");
        cli.run("put", "--dir", directory.toString(), "k", "v");
        write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
        write("proc/meminfo", "MemTotal: 16777216 kB\nSwapTotal: 1048576 kB\nSwapFree: 1048576 kB\n");
        write("proc/self/limits", "Max open files            1024                 524288               files\n");
        write("proc/7/limits", "Max open files            10                   524288               files\n");
        for (int i = 0; i < 9; i++) {
            write("proc/7/fd/" + i, "");
        }
    }

    private void write(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text);
    }

    private static EngineStats stats(SpaceStats space, long jumps) {
        return EngineStats.of(1, 1, 0)
                .with(space)
                .with(new MemoryStats(GIB, 0, 0, 0))
                .with(new OpeningStats(20_000, false, 5, 3))
                .with(new ClockStats(jumps));
    }

    private static final SpaceStats WELL = new SpaceStats(1, 300 << 20, 250 << 20, 50 << 20, 0);

    private static OwnerReport owner(long heapUsed, String failure, List<String> retries) {
        return new OwnerReport(
                7, 0, 1_000, heapUsed, GIB + GIB / 4, "engine=x", failure, retries, List.of(), 1, stats(WELL, 0));
    }

    private List<String> examine(EngineStats stats, @Nullable OwnerReport owner, Diagnosis.Verdict verdict)
            throws IOException {
        return new Examination(directory, new Figures(stats, owner), new Machine(root))
                .all().stream()
                        .filter(each -> each.verdict() == verdict)
                        .map(each -> each.about() + ": " + each.what())
                        .toList();
    }

    private List<String> changes(EngineStats stats, @Nullable OwnerReport owner) throws IOException {
        return examine(stats, owner, Diagnosis.Verdict.CHANGE).stream()
                .filter(each -> !each.startsWith("file system")) // of the machine that the test runs on
                .toList();
    }

    @Test
    void aStoreThatIsWellHasNothingToChange() throws IOException {
        assertThat(changes(stats(WELL, 0), null)).isEmpty();
        Cli.Result result = cli.run("doctor", "--dir", directory.toString());
        assertThat(result.out()).contains("ok     owner", "nobody has the store open", "file system", "clock");
        assertThat(cli.run("doctor", "--dir", directory.toString(), "--json")
                        .out()
                        .lines())
                .allMatch(line -> line.startsWith("{\"verdict\":\""));
        assertThat(cli.run("doctor", "--dir", temporary.resolve("none").toString())
                        .exitCode())
                .isEqualTo(ExitCode.STORE_ERROR);
    }

    @Test
    void whatIsToBeChangedIsToldWithWhatToDo() throws IOException {
        assertThat(changes(stats(new SpaceStats(1, 3 * GIB, GIB / 2, 2 * GIB, 0), 0), null))
                .singleElement()
                .asString()
                .contains("6.00 times what is live", "caskwright merge");
        assertThat(changes(stats(new SpaceStats(1, 3 * GIB, GIB / 2, 0, 2 * GIB), 0), null))
                .singleElement()
                .asString()
                .contains("close old snapshots");
        assertThat(changes(stats(WELL, 2), null)).singleElement().asString().contains("jumped", "synchronised");
        assertThat(changes(stats(WELL, 0), owner(0, "disk failed", List.of("a merge"))))
                .anyMatch(each -> each.startsWith("owner: process 7 refuses writes since: disk failed"))
                .anyMatch(each -> each.startsWith("background: ") && each.endsWith("a merge"))
                .anyMatch(each -> each.startsWith("descriptors: 9 of 10 ") && each.contains("ulimit -n"));
        assertThat(changes(stats(WELL, 0), owner(GIB + GIB / 5, "", List.of())))
                .anyMatch(each -> each.startsWith("heap: ") && each.contains("-Xmx"));
        assertThat(examine(stats(WELL, 0), null, Diagnosis.Verdict.NOTE))
                .anyMatch(each -> each.contains("were cut from the end of the log"))
                .anyMatch(each -> each.contains("took 20,000 ms"));
    }

    @Test
    void theMachineIsLookedAt() throws IOException {
        write("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
        write("proc/meminfo", "MemTotal: 1048576 kB\nSwapTotal: 1048576 kB\nSwapFree: 8 kB\n");
        assertThat(examine(stats(WELL, 0), owner(0, "", List.of()), Diagnosis.Verdict.NOTE))
                .anyMatch(each -> each.startsWith("large pages: are off"));
        assertThat(changes(stats(WELL, 0), owner(0, "", List.of())))
                .anyMatch(each -> each.contains("page cache"))
                .anyMatch(each -> each.contains("swapped out"));
        root = temporary.resolve("unknown system");
        assertThat(changes(stats(WELL, 0), owner(0, "", List.of()))).isEmpty();
    }

    @Test
    void theDirectoryIsLookedAt() throws IOException {
        Files.writeString(directory.resolve("letter.txt"), "mine");
        Files.writeString(directory.resolve("MANIFEST.new"), "");
        Files.createDirectory(temporary.resolve("store.checking-1-2"));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        Files.setLastModifiedTime(
                directory.resolve("letter.txt"), FileTime.from(Instant.now().plus(Duration.ofDays(2))));
        assertThat(changes(stats(WELL, 0), null))
                .anyMatch(each -> each.startsWith("access: ") && each.contains("chmod go-w"))
                .anyMatch(each -> each.contains("store.checking-1-2"))
                .anyMatch(each -> each.startsWith("clock: ") && each.contains("ahead"))
                .hasSize(3);
        assertThat(examine(stats(WELL, 0), null, Diagnosis.Verdict.NOTE))
                .anyMatch(each -> each.startsWith("leftovers: MANIFEST.new"))
                .anyMatch(each -> each.startsWith("files: letter.txt"));
    }

    @Test
    void theOwnerOfAnOpenStoreIsAsked() throws IOException {
        try (StorageEngine store = new EngineStores().open(directory, new BackendOptions(), Access.WRITE);
                OwnerSocket socket = OwnerSocket.open(store, directory)) {
            store.put("a".getBytes(UTF_8), "b".getBytes(UTF_8));
            assertThat(socket.trouble()).isNull();
            assertThat(cli.run("doctor", "--dir", directory.toString()).out())
                    .contains("process " + ProcessHandle.current().pid(), "are used, garbage included");
        }
    }
}
