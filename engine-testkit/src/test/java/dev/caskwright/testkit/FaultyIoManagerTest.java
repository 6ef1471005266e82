package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class FaultyIoManagerTest {
    private final CrashableIoManager disk = new CrashableIoManager();

    @Test
    void everyCallCanFail() throws IOException {
        int n = 0;
        for (; ; n++) {
            FaultPlan plan = FaultPlan.failing(n);
            try {
                script(plan.wrap(new CrashableIoManager().factory()));
                assertThat(plan.hasFired()).isFalse();
                break;
            } catch (IOException e) {
                assertThat(plan.hasFired()).as("n=%s: %s", n, e).isTrue();
                assertThat(plan.toString()).startsWith("IO_ERROR at #" + n + " ");
            }
        }
        assertThat(n).isEqualTo(14);
    }

    @Test
    void afterwardsEverythingWorksAgain() throws IOException {
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.CREATE);
        IoManager faulty = plan.wrap(disk);
        faulty.create("a", 0);
        assertThatThrownBy(() -> faulty.create("b", 0))
                .hasMessageContaining("CREATE")
                .hasMessageContaining("file=b");
        faulty.create("b", 0);

        assertThat(plan.calls()).isEqualTo(3);
        assertThat(plan.toString()).isEqualTo("IO_ERROR at #1 CREATE b");
        assertThat(disk.list()).containsExactly("a", "b");
    }

    @Test
    void faultsMayStayUntilStopped() throws IOException {
        FaultPlan plan = FaultPlan.failing(1)
                .only(IoOperation.CREATE, IoOperation.DELETE)
                .fromThenOn();
        IoManager faulty = plan.wrap(disk);
        faulty.create("a", 0);
        assertThatThrownBy(() -> faulty.delete("a")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> faulty.create("b", 0)).isInstanceOf(IOException.class);
        plan.stop();
        faulty.delete("a");
        assertThat(plan.toString()).isEqualTo("IO_ERROR at #1 DELETE a");
    }

    @Test
    void wantOfSpaceHasItsType() throws IOException {
        WritableFile file = disk.create("a", 0);
        file.write(0, new byte[] {1}, 0, 1);
        IoManager faulty =
                FaultPlan.failing(0).with(Fault.OUT_OF_SPACE).fromThenOn().wrap(disk);

        assertThatThrownBy(() -> faulty.create("b", 0)).isInstanceOf(OutOfSpaceException.class);
        assertThatThrownBy(() -> faulty.delete("a"))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(OutOfSpaceException.class);
        assertThatThrownBy(faulty::list).isNotInstanceOf(OutOfSpaceException.class);
        assertThat(disk.list()).containsExactly("a");
    }

    @Test
    void aShortWriteWritesHalf() throws IOException {
        for (Fault fault : new Fault[] {Fault.SHORT_WRITE, Fault.SHORT_WRITE_OUT_OF_SPACE}) {
            CrashableIoManager fresh = new CrashableIoManager();
            WritableFile file = FaultPlan.failing(0)
                    .only(IoOperation.WRITE)
                    .with(fault)
                    .wrap(fresh)
                    .create("a", 0);
            assertThatThrownBy(() -> file.write(0, new byte[] {1, 2, 3, 4}, 0, 4))
                    .isInstanceOf(fault == Fault.SHORT_WRITE ? IOException.class : OutOfSpaceException.class);
            assertThat(fresh.content("a")).containsExactly(1, 2);
        }
    }

    @Test
    void aFailedCallHasNoEffectUnlessItIsToHaveOne() throws IOException {
        disk.create("a", 0);
        assertThatThrownBy(() -> FaultPlan.failing(0).wrap(disk).rename("a", "b"));
        assertThat(disk.list()).containsExactly("a");
        assertThatThrownBy(() ->
                FaultPlan.failing(0).with(Fault.ERROR_AFTER_EFFECT).wrap(disk).rename("a", "b"));
        assertThat(disk.list()).containsExactly("b");
        assertThatThrownBy(() ->
                FaultPlan.failing(0).with(Fault.ERROR_AFTER_EFFECT).wrap(disk).create("c", 0));
        assertThat(disk.list()).containsExactly("b", "c");
    }

    @Test
    void aFailedForceMakesNothingDurable() throws IOException {
        FaultPlan plan = FaultPlan.failing(0).only(IoOperation.FORCE);
        WritableFile file = plan.wrap(disk).create("a", 0);
        disk.syncDirectory();
        file.write(0, new byte[] {1}, 0, 1);
        assertThatThrownBy(file::force).hasMessageContaining("FORCE");
        file.force();
        assertThat(disk.powerLoss(0).content("a")).as("skipped").containsExactly(0);
    }

    @Test
    void interruptsComeJustBeforeTheCall() throws IOException {
        FaultPlan plan = FaultPlan.failing(0).only(IoOperation.WRITE).with(Fault.INTERRUPT);
        WritableFile file = plan.wrap(disk).create("a", 0);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        file.write(0, new byte[] {1}, 0, 1);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(disk.content("a")).containsExactly(1);
    }

    @Test
    void countingFailsNothing() throws IOException {
        FaultPlan plan = FaultPlan.counting();
        script(plan.wrap(disk.factory()));
        assertThat(plan.calls()).isEqualTo(14);
        assertThat(plan.hasFired()).isFalse();
        assertThat(plan.toString()).isEqualTo("IO_ERROR (not fired)");
    }

    private static void script(IoManagerFactory factory) throws IOException {
        try (IoManager io = factory.open(Path.of("dir"), true)) {
            io.lock(true).close();
            io.list();
            try (WritableFile file = io.create("a", 0)) {
                file.write(0, new byte[] {1, 2}, 0, 2);
                file.reserve(10);
                file.force();
                file.truncate(1);
            }
            io.length("a");
            io.rename("a", "b");
            try (ReadableFile file = io.open("b")) {
                file.read(0, new byte[1], 0, 1);
            }
            io.openWritable("b").close();
            io.delete("b");
            io.syncDirectory();
        }
    }
}
