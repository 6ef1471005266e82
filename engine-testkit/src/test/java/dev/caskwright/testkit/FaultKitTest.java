package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class FaultKitTest {
    private final CrashableIoManager disk = new CrashableIoManager();
    private final List<String> done = new ArrayList<>();

    @Test
    void aHookSeesEveryCallBeforeItIsMade() throws IOException {
        List<String> seen = new ArrayList<>();
        IoHook hook = call -> seen.add(call.toString().substring(3) + " " + disk.list());
        IoManager io = hook.wrap(disk);
        WritableFile file = io.createSequential("a", 5);
        file.write(0, new byte[7], 0, 7);
        file.endAccess();
        file.force();
        io.rename("a", "b");
        assertThat(seen)
                .containsExactly(
                        "CREATE a offset=0, length=5 []",
                        "WRITE a offset=0, length=7 [a]",
                        "END_ACCESS a [a]",
                        "FORCE a [a]",
                        "RENAME a -> b [a]");
    }

    @Test
    void whatAHookThrowsComesOutOfTheCallWhichIsNotMade() {
        IoManager io = ((IoHook) call -> {
                    throw new OutOfMemoryError("planned");
                })
                .wrap(disk);
        assertThatThrownBy(() -> io.create("a", 0)).isInstanceOf(OutOfMemoryError.class);
        assertThat(disk.log()).isEmpty();
    }

    @Test
    void aForceTakesAsLongAsTheGateIsShut() throws Exception {
        Gate gate = new Gate(call -> call.operation() == IoOperation.FORCE);
        WritableFile file = gate.wrap(disk).create("a", 0);
        file.write(0, new byte[] {7}, 0, 1);
        disk.syncDirectory();
        gate.shut();
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Future<?> force = executor.submit(() -> {
                file.force();
                return null;
            });
            gate.awaitWaiting(1);
            assertThat(disk.peekPowerLoss(0).content("a")).isEmpty();
            file.write(1, new byte[] {8}, 0, 1);
            assertThat(force.isDone()).isFalse();
            gate.open();
            force.get();
            assertThat(disk.peekPowerLoss(0).content("a")).containsExactly(7, 8);

            gate.shut();
            Future<?> interrupted = executor.submit(() -> {
                assertThatThrownBy(file::force).isInstanceOf(InterruptedIOException.class);
                return null;
            });
            gate.awaitWaiting(1);
            executor.shutdownNow();
            interrupted.get();
            assertThat(gate.waiting()).isZero();
        } finally {
            gate.open();
            executor.shutdownNow();
        }
    }

    @Test
    void anExecutorRunsTasksInTheCallerOrLater() {
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.IN_CALLER);
        executor.execute(() -> {
            executor.execute(() -> done.add("inner"));
            done.add("outer");
        });
        executor.mode(TestExecutor.Mode.LATER);
        executor.execute(() -> executor.execute(() -> done.add("last")));
        assertThat(done).containsExactly("inner", "outer");
        executor.runAll();
        assertThat(done).containsExactly("inner", "outer", "last");
        assertThat(executor.runNext()).isFalse();
        assertThat(executor.taken()).isEqualTo(4);
    }

    @Test
    void anExecutorNestsTasksThatWaited() {
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.NESTED);
        executor.execute(() -> done.add("first"));
        executor.execute(() -> {
            executor.execute(() -> done.add("third"));
            done.add("second");
        });
        assertThat(done).containsExactly("first");
        executor.execute(() -> done.add("fourth"));
        assertThat(done).containsExactly("first", "second", "third");
        executor.runAll();
        assertThat(done).containsExactly("first", "second", "third", "fourth");
    }

    @Test
    void anExecutorRefusesForgetsAndIsShutDown() {
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.REFUSED);
        assertThatThrownBy(() -> executor.execute(() -> done.add("refused")))
                .isInstanceOf(RejectedExecutionException.class);
        executor.mode(TestExecutor.Mode.DROPPED);
        executor.execute(() -> done.add("dropped"));
        executor.mode(TestExecutor.Mode.LATER);
        executor.execute(() -> done.add("forgotten"));
        assertThat(executor.waiting()).isOne();
        executor.shutDown();
        executor.runAll();
        assertThatThrownBy(() -> executor.execute(() -> done.add("late")))
                .isInstanceOf(RejectedExecutionException.class);
        assertThat(done).isEmpty();
        assertThat(executor.refused()).isEqualTo(2);
    }

    @Test
    void aMixedExecutorDoesAllOfItAndLosesNoTask() {
        TestExecutor executor = TestExecutor.mixed(5);
        int refused = 0;
        for (int i = 0; i < 1_000; i++) {
            try {
                executor.execute(() -> done.add("task"));
            } catch (RejectedExecutionException e) {
                refused++;
            }
        }
        executor.runAll();
        assertThat(refused).isBetween(150, 350);
        assertThat(done).hasSize(1_000 - refused);
    }

    @Test
    void memoryIsShortBeforeOrAfterTheEffect() {
        IoManager before = FaultPlan.failing(0).with(Fault.OUT_OF_MEMORY).wrap(disk);
        assertThatThrownBy(() -> before.create("a", 0)).isInstanceOf(OutOfMemoryError.class);
        IoManager after =
                FaultPlan.failing(0).with(Fault.OUT_OF_MEMORY_AFTER_EFFECT).wrap(disk);
        assertThatThrownBy(() -> after.create("b", 0)).isInstanceOf(OutOfMemoryError.class);
        IoManager unchecked = FaultPlan.failing(0).with(Fault.UNCHECKED).wrap(disk);
        assertThatThrownBy(() -> unchecked.create("c", 0)).isInstanceOf(IllegalStateException.class);
        assertThat(disk.log()).extracting(IoCall::file).containsExactly("b");
    }

    @Test
    void anyPlugInMayThrowAtAnyCall() {
        List<String> target = new ArrayList<>();
        List<String> list = ThrowingPlan.failing(1).only("add").wrap(target);
        list.add("a");
        assertThat(list.size()).isOne();
        assertThatThrownBy(() -> list.add("b")).isInstanceOf(OutOfMemoryError.class);
        list.add("c");
        assertThat(target).containsExactly("a", "c");

        ThrowingPlan plan = ThrowingPlan.failing(0).afterEffect().with(() -> new IllegalStateException("bug"));
        List<String> other = plan.wrap(target);
        assertThatThrownBy(() -> other.add("d")).hasMessage("bug");
        assertThat(target).containsExactly("a", "c", "d");
        assertThat(plan.toString()).isEqualTo("#0 add");
        assertThat(plan.hasFired()).isTrue();
    }

    @Test
    void aClockJumpsBothWaysAndIsTheSameForTheSameSeed() {
        JumpingClock clock = new JumpingClock(3, 5, Duration.ofDays(100));
        JumpingClock same = new JumpingClock(3, 5, Duration.ofDays(100));
        int back = 0;
        int forth = 0;
        long last = clock.millis();
        assertThat(same.millis()).isEqualTo(last);
        for (int i = 0; i < 1_000; i++) {
            long now = clock.millis();
            assertThat(same.millis()).isEqualTo(now);
            back += now < last ? 1 : 0;
            forth += now > last + 1 ? 1 : 0;
            last = now;
        }
        assertThat(back).isGreaterThan(50);
        assertThat(forth).isGreaterThan(50);
    }

    @Test
    void aSlowCopyIsOfManyMoments() throws IOException {
        Set<Integer> lengths = new TreeSet<>();
        for (int seed = 0; seed < 20; seed++) {
            CrashableIoManager source = new CrashableIoManager();
            WritableFile one = source.create("a", 0);
            WritableFile two = source.create("b", 0);
            one.write(0, new byte[5_000], 0, 5_000);
            SlowCopy copy = new SlowCopy(source, seed);
            assertThat(copy.step()).isTrue();
            two.write(0, new byte[] {1, 2, 3}, 0, 3);
            source.create("c", 0).close();
            CrashableIoManager copied = copy.finish();
            assertThat(copied.list()).containsExactly("a", "b");
            assertThat(copied.content("a")).hasSize(5_000);
            lengths.add(copied.content("b").length);
        }
        assertThat(lengths).containsExactly(0, 3);
    }

    @Test
    void aFileWhoseAccessHasEndedIsOnlyForcedAndClosed() throws IOException {
        WritableFile file = disk.create("a", 0);
        file.write(0, new byte[] {1}, 0, 1);
        file.endAccess();
        assertThatThrownBy(() -> file.read(0, new byte[1], 0, 1)).hasMessageContaining("access has ended");
        assertThatThrownBy(() -> file.write(1, new byte[1], 0, 1)).hasMessageContaining("access has ended");
        assertThatThrownBy(() -> file.reserve(9)).hasMessageContaining("access has ended");
        assertThatThrownBy(() -> file.truncate(0)).hasMessageContaining("access has ended");
        file.force();
        assertThat(file.length()).isOne();
        file.close();
        assertThat(disk.content("a")).containsExactly(1);
    }
}
