package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An open store has one handle of each file, and one that is closed, or did not open, has none. */
final class OpenHandlesTest {
    private final ManualClock clock = new ManualClock();
    private final TrackedIo tracked = new TrackedIo();
    private CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return builder(disk.factory(HOME));
    }

    private EngineBuilder builder(IoManagerFactory io) {
        return CrashFixture.builder(HOME, tracked.wrap(io), clock).index(context -> new SmallImageIndex(() -> {}));
    }

    private static byte[] key(int number) {
        return new byte[] {(byte) number, (byte) (number >> 8)};
    }

    private static void write(BitcaskEngine engine, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            engine.put(key(i), new byte[30]);
        }
    }

    private List<String> files() throws IOException {
        return disk.list().stream()
                .filter(name -> name.endsWith(".data") || name.endsWith(".merged") || name.equals("MANIFEST"))
                .sorted()
                .toList();
    }

    private void assertNothingIsOpen(String story) {
        assertThat(tracked.open()).as(story).isEmpty();
        assertThat(tracked.managers()).as(story).isZero();
    }

    /** Leaves a store with an image, merged files and others, and a tail of which a file in the middle is torn. */
    private void leaveEverythingThereIs() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine, 40);
            engine.merge();
            write(engine, 10);
        }
        assertNothingIsOpen("closed");
        BitcaskEngine engine = builder().executor(task -> {}).open();
        write(engine, 40);
        disk = disk.peekKill();
        engine.close();
        List<String> data =
                files().stream().filter(name -> name.endsWith(".data")).toList();
        String torn = data.get(data.size() - 3);
        byte[] content = disk.content(torn);
        content[content.length / 2] ^= 1;
        disk.install(torn, content);
        disk.delete(disk.list().stream()
                .filter(name -> name.endsWith(".hint"))
                .findFirst()
                .orElseThrow());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anOpenStoreHasOneHandleOfEachFile(boolean hasStartupIo) throws IOException {
        leaveEverythingThereIs();
        EngineBuilder builder = builder();
        if (hasStartupIo) {
            builder.startupIo(tracked.wrap(disk.factory(HOME)));
        }
        try (BitcaskEngine engine = builder.open()) {
            assertThat(engine.stats().opening().tornBytesCut()).isPositive();
            assertThat(tracked.open()).isEqualTo(files());
            write(engine, 40);
            assertThat(tracked.open()).as("written to").isEqualTo(files());
            engine.merge();
            assertThat(files()).isNotEmpty();
            assertThat(tracked.open()).as("merged").isEqualTo(files());
            write(engine, 3);
            engine.sync();
            assertThat(tracked.open()).as("written to again").isEqualTo(files());
        }
        assertNothingIsOpen("closed");
    }

    @Test
    void aReaderHasNoHandleOfTheManifest() throws IOException {
        leaveEverythingThereIs();
        try (BitcaskEngine engine = builder().readOnly(true).open()) {
            assertThat(CrashFixture.content(engine)).isNotEmpty();
            assertThat(tracked.open()).doesNotContain("MANIFEST").doesNotHaveDuplicates();
        }
        assertNothingIsOpen("closed");
        BitcaskEngine.verify(HOME, tracked.wrap(disk.factory(HOME)));
        assertNothingIsOpen("verified");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStoreThatDoesNotOpenHasNone(boolean isLostFile) throws IOException {
        leaveEverythingThereIs();
        if (isLostFile) {
            disk.delete(files().stream()
                    .filter(name -> name.endsWith(".merged"))
                    .findFirst()
                    .orElseThrow());
            assertThatThrownBy(() -> builder().open()).hasMessageContaining("data file is missing");
            assertNothingIsOpen("not opened");
            return;
        }
        int failures = 0;
        for (int n = 0; ; n++) {
            CrashableIoManager copy = disk.peekKill();
            FaultPlan plan = FaultPlan.failing(n).with(Fault.IO_ERROR);
            try {
                builder(plan.wrap(copy.factory(HOME))).open().close();
            } catch (IOException e) {
                failures++;
            }
            assertNothingIsOpen(plan.toString());
            if (!plan.hasFired()) {
                break;
            }
        }
        assertThat(failures).isGreaterThan(20);
    }

    @Test
    void aFailedBackupOrMergeLeavesNone() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine, 40);
            engine.backup(CrashFixture.BACKUP);
            assertThat(tracked.open()).isEqualTo(files());
            assertThat(tracked.managers()).as("its own, and its lock").isEqualTo(2);
            long used = 0;
            for (String name : disk.list()) {
                used += disk.content(name).length;
            }
            disk.capacity(used + 1_500);
            assertThatThrownBy(engine::merge).hasMessageContaining("space");
            assertThat(tracked.open()).isEqualTo(files());
            assertThat(files()).noneMatch(name -> name.endsWith(".merged"));
            disk.capacity(1 << 20);
        }
        assertNothingIsOpen("closed");
    }

    @Test
    void whatIsWrittenInOneGoIsCreatedSo() throws IOException {
        List<String> created = new ArrayList<>();
        disk.observer(call -> {
            if (call.operation() == IoOperation.CREATE) {
                created.add(call.file());
            }
        });
        try (BitcaskEngine engine = builder().open()) {
            write(engine, 40);
            engine.merge();
        }
        created.removeIf(name -> name.endsWith(".data") || name.startsWith("MANIFEST"));
        assertThat(created).isNotEmpty();
        assertThat(tracked.sequential).containsExactlyInAnyOrderElementsOf(created);
        assertThat(created).anyMatch(name -> name.endsWith(".merged"));
    }

    /** The others are closed all the same, and the store has lost nothing. */
    @Test
    void aHandleThatCannotBeClosedIsTold() throws IOException {
        for (String failing : Arrays.asList("00000001.data", "MANIFEST")) {
            disk = new CrashableIoManager();
            BitcaskEngine engine = builder().imageEveryBytes(0).open();
            write(engine, 20);
            tracked.failing.set(failing);
            assertThatThrownBy(engine::close).hasMessageContaining("planted: closing " + failing);
            tracked.failing.set(null);
            assertNothingIsOpen("closed");
            try (BitcaskEngine next = builder().open()) {
                assertThat(next.stats().keys()).isEqualTo(20);
            }
        }
    }
}
