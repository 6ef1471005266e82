package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.FailedForce;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A disk that dies or loses power before each of its calls, and one of whose calls fails: afterwards the file opens, is sound,
 * and has everything that was acknowledged, and of a commit all or nothing.
 */
final class BoltCrashTest {
    private static final Path FILE = Path.of("/simulated/crash.db");
    private static final byte[] BUCKET = "bucket".getBytes();
    private static final int COMMITS = 12;
    private static final int CALLS_TO_A_SECOND_DEATH = 40;
    private static final int MOST_LOSSES = 60; // by then two commits were built upon what was found

    /** What the database held after each commit; the first state is that of an empty file. */
    private final List<TreeMap<String, String>> states = new ArrayList<>();

    private int acknowledged;
    private int judged;

    @TempDir
    Path directory;

    private static BoltDatabase open(CrashableIoManager disk) throws IOException {
        return BoltDatabase.builder(FILE).pageSize(512).io(disk.factory()).open();
    }

    private static TreeMap<String, String> content(BoltDatabase database) throws IOException {
        TreeMap<String, String> content = new TreeMap<>();
        database.view(transaction -> {
            Bucket bucket = transaction.bucket(BUCKET);
            if (bucket != null) {
                bucket.forEach((key, value) -> content.put(new String(key), new String(value)));
            }
        });
        return content;
    }

    /** Commits changes that make pages split, join, move and come free, and notes each state before it is committed. */
    private void run(BoltDatabase database, long seed) throws IOException {
        Random random = new Random(seed);
        for (int commit = 0; commit < COMMITS; commit++) {
            TreeMap<String, String> state = new TreeMap<>(states.get(states.size() - 1));
            try (BoltTransaction transaction = database.beginWrite()) {
                Bucket bucket = transaction.createBucketIfNotExists(BUCKET);
                int changes = 1 + random.nextInt(30);
                for (int i = 0; i < changes; i++) {
                    String key = "key" + random.nextInt(60);
                    if (random.nextInt(3) == 0) {
                        bucket.delete(key.getBytes());
                        state.remove(key);
                    } else {
                        String value = "v".repeat(random.nextInt(random.nextInt(8) == 0 ? 1_500 : 60)) + commit;
                        bucket.put(key.getBytes(), value.getBytes());
                        state.put(key, value);
                    }
                }
                states.add(state);
                transaction.commit();
                acknowledged = states.size() - 1;
            }
            if (commit % 6 == 5) {
                database.compact(4);
            }
        }
    }

    /** Dies before each call of an opening that finds what a death left, and judges what that leaves. */
    private void judgeDeathsInRecovery(CrashableIoManager image, String where) {
        image.observer(call -> judge(image.peekPowerLoss(call.number()), where + ", then before " + call));
        try (BoltDatabase opened = open(image)) {
            assertThat(opened.health()).isNull();
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
        image.observer(null);
        judge(image, where);
    }

    private void judge(CrashableIoManager image, String where) {
        judged++;
        try (BoltDatabase database = open(image)) {
            assertThat(database.check().problems()).as(where).isEmpty();
            TreeMap<String, String> found = content(database);
            assertThat(states.subList(acknowledged, states.size())).as(where).contains(found);
            database.update(transaction ->
                    transaction.createBucketIfNotExists(BUCKET).put("after".getBytes(), "crash".getBytes()));
            assertThat(database.check().problems())
                    .as(where + ", after another commit")
                    .isEmpty();
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void aCrashBeforeAnyCallLosesNothingAcknowledged(long seed) throws IOException {
        crashBeforeEachCall(seed);
    }

    /** For {@code -Dcaskwright.bolt.seeds}. */
    @Test
    @Tag("campaign")
    void crashesOfLongerCampaignsLoseNothingAcknowledged() throws IOException {
        for (long seed : CampaignSeeds.get()) {
            states.clear();
            acknowledged = 0;
            crashBeforeEachCall(seed);
            System.out.println("bolt crashes: done up to seed=" + seed + ", states judged=" + judged);
        }
    }

    private void crashBeforeEachCall(long seed) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        states.add(new TreeMap<>());
        disk.observer(call -> {
            String where = "seed " + seed + ", before " + call;
            judge(disk.peekKill(), where + ", killed");
            for (int loss = 0; loss < 9; loss++) {
                judge(
                        disk.peekPowerLoss(loss < 5 ? loss : seed * 1_000_003 + call.number() * 31 + loss),
                        where + ", loss " + loss);
            }
            if (call.number() % CALLS_TO_A_SECOND_DEATH == seed % CALLS_TO_A_SECOND_DEATH) {
                judgeDeathsInRecovery(disk.peekPowerLoss(seed), where + ", lost");
            }
        });
        try (BoltDatabase database = open(disk)) {
            run(database, seed);
        }
        judge(disk.peekPowerLoss(seed), "seed " + seed + ", closed");
        assertThat(judged).isGreaterThan(COMMITS * 40);
    }

    /** Some of the states that crashes leave, judged by bbolt, which finds the second meta page of usual pages only. */
    @Test
    void whatCrashesLeaveIsSoundForBboltToo() throws Exception {
        BboltPeer peer = BboltPeer.build();
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        states.add(new TreeMap<>());
        List<byte[]> images = new ArrayList<>();
        disk.observer(call -> {
            if (acknowledged > 0 && call.number() % 6 == 0) {
                images.add(bytes(disk.peekPowerLoss(call.number())));
            }
        });
        try (BoltDatabase database =
                BoltDatabase.builder(FILE).io(disk.factory()).open()) {
            run(database, 9);
        }
        Path file = directory.resolve("image.db");
        for (int i = 0; i < images.size(); i++) {
            Files.write(file, images.get(i));
            peer.assertSound(file, "image " + i);
        }
        assertThat(images.size()).isGreaterThan(COMMITS / 2);
    }

    private static byte[] bytes(CrashableIoManager image) {
        try (ReadableFile file = image.open(FILE.getFileName().toString())) {
            byte[] bytes = new byte[(int) file.length()];
            file.read(0, bytes, 0, bytes.length);
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = "INTERRUPT", mode = Mode.EXCLUDE)
    void aFailedCallIsNeverAcknowledged(Fault fault) throws IOException {
        for (int n = 0; ; n++) {
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            states.clear();
            states.add(new TreeMap<>());
            acknowledged = 0;
            FaultPlan plan = FaultPlan.failing(n).with(fault);
            String where = plan + ", call " + n;
            try (BoltDatabase database = BoltDatabase.builder(FILE)
                    .pageSize(512)
                    .io(plan.wrap(disk.factory()))
                    .open()) {
                runToTheFault(database, plan, where);
            } catch (IOException | IllegalStateException | OutOfMemoryError e) {
                assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
            }
            judge(disk.peekKill(), where + ", killed");
            judge(disk.peekPowerLoss(n), where + ", loss");
            if (!plan.hasFired()) {
                return;
            }
        }
    }

    private void runToTheFault(BoltDatabase database, FaultPlan plan, String where) throws IOException {
        try {
            run(database, 7);
        } catch (IOException | IllegalStateException | OutOfMemoryError e) {
            assertThat(plan.hasFired()).as(where + ": " + e).isTrue();
            // Readers see what was acknowledged, and not the state of a commit that was told to have failed.
            assertThat(content(database)).as(where).isEqualTo(states.get(acknowledged));
            if (database.health() == null) {
                states.subList(acknowledged + 1, states.size()).clear();
                database.update(transaction ->
                        transaction.createBucketIfNotExists(BUCKET).put("goes".getBytes(), "on".getBytes()));
                TreeMap<String, String> state = new TreeMap<>(states.get(acknowledged));
                state.put("goes", "on");
                states.add(state);
                acknowledged++;
            } else if (e instanceof EngineException told && told.outcome() == Outcome.NOT_APPLIED) {
                states.subList(acknowledged + 1, states.size()).clear();
            }
        }
    }

    /**
     * After a force that failed the system may show a meta page that never reached the disk, and take it for written. What is
     * built on it must not be lost with it.
     */
    @Test
    void aMetaPageThatAFailedForceLeftInMemoryIsWrittenAgainBeforeItIsBuiltUpon() throws IOException {
        int judged = 0;
        for (int n = 0; ; n++) {
            CrashableIoManager disk =
                    new CrashableIoManager().logging(false).failedForce(FailedForce.PAGES_MARKED_CLEAN);
            states.clear();
            states.add(new TreeMap<>());
            acknowledged = 0;
            FaultPlan plan = FaultPlan.failing(n).only(IoOperation.FORCE).with(Fault.IO_ERROR);
            try (BoltDatabase database = BoltDatabase.builder(FILE)
                    .pageSize(512)
                    .io(plan.wrap(disk.factory()))
                    .open()) {
                run(database, 3);
            } catch (IOException e) {
                assertThat(plan.hasFired()).as("force " + n + ": " + e).isTrue();
            }
            if (!plan.hasFired()) {
                assertThat(judged).isPositive();
                return;
            }
            try (BoltDatabase database = open(disk)) {
                TreeMap<String, String> found = content(database);
                states.clear();
                states.add(found); // whoever opened the file has been shown it
                acknowledged = 0;
                String where = "force " + n + " failed";
                int[] losses = {0};
                disk.observer(call -> {
                    for (int loss = 0; loss < 4 && losses[0] < MOST_LOSSES; loss++) {
                        judge(disk.peekPowerLoss(loss), where + ", before " + call + ", loss " + loss);
                        losses[0]++;
                    }
                });
                run(database, 4);
                disk.observer(null);
                judged += losses[0];
            } catch (IOException e) {
                throw new AssertionError("force " + n, e);
            }
        }
    }

    @Test
    void aFullDiskRefusesACommitAndNothingElse() throws IOException {
        for (long capacity = 2_048; capacity < 60_000; capacity += 512) {
            CrashableIoManager disk = new CrashableIoManager().logging(false).capacity(capacity);
            states.clear();
            states.add(new TreeMap<>());
            acknowledged = 0;
            String where = "capacity " + capacity;
            try (BoltDatabase database = open(disk)) {
                try {
                    run(database, 5);
                } catch (IOException e) {
                    assertThat(database.health()).as(where).isNull();
                    states.subList(acknowledged + 1, states.size()).clear();
                    assertThat(content(database)).as(where).isEqualTo(states.get(acknowledged));
                    disk.capacity(Long.MAX_VALUE);
                    run(database, 6);
                }
            } catch (IOException e) {
                assertThat(acknowledged).as(where + ": " + e).isZero();
                disk.capacity(Long.MAX_VALUE);
            }
            judge(disk.peekPowerLoss(capacity), where);
        }
    }
}
