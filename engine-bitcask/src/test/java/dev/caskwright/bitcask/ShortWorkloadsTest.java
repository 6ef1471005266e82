package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every workload of up to three operations, on every kind of store: the disk is lost at every call of the last operation
 * and after it. (Those before it are the last ones of shorter workloads.) Unlike {@link CrashTest}, this leaves nothing to
 * chance but a part of what the disk makes of a loss. Each build runs those of up to two operations on one kind of store
 * each. {@code -Dcaskwright.short.operations} sets how many operations the campaign goes to.
 */
final class ShortWorkloadsTest {
    private static final byte[] ONE = KeyValues.key(1);
    private static final byte[] OTHER = KeyValues.key(2);
    private static final int EXTREMES = 5; // the seeds that stand for the extreme losses
    private static final int CHANCES = 2;
    private static final int RECOVERY_EVERY = 40;

    /** One operation of a workload. */
    private enum Operation {
        PUT,
        PUT_SYNC,
        PUT_NONE,
        PUT_OTHER,
        PUT_EXPIRING,
        DELETE,
        DELETE_SYNC,
        BATCH,
        BATCH_SYNC,
        SYNC,
        MERGE,
        REOPEN,
        BACKUP
    }

    /**
     * A kind of store.
     *
     * @param isMapped whether files grow by chunks of zeros
     * @param isRolling whether each record gets a file of its own
     * @param isOld whether there is something in it already, and images of the index are made
     */
    private record Kind(boolean isMapped, boolean isRolling, boolean isOld) {
        static List<Kind> all() {
            List<Kind> all = new ArrayList<>();
            for (int bits = 0; bits < 8; bits++) {
                all.add(new Kind((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0));
            }
            return all;
        }
    }

    @Test
    void everyWorkloadOfUpToTwoOperationsSurvivesEveryCrash() throws IOException {
        long states = 0;
        int number = 0;
        for (int length = 0; length <= 2; length++) {
            for (List<Operation> workload : workloads(length)) {
                Kind kind = Kind.all()
                        .get((number + number / Kind.all().size()) % Kind.all().size());
                states += new Life(kind, workload, number++).live();
            }
        }
        assertThat(states).isGreaterThan(5_000);
    }

    @Test
    @Tag("campaign")
    void everyShortWorkloadSurvivesEveryCrash() throws IOException {
        int operations = Integer.getInteger("caskwright.short.operations", 3);
        long states = 0;
        int number = 0;
        for (int length = 0; length <= operations; length++) {
            for (List<Operation> workload : workloads(length)) {
                for (Kind kind : Kind.all()) {
                    states += new Life(kind, workload, number++).live();
                }
                if (number % 800 == 0) {
                    System.out.println("short workloads: lives=" + number + ", states judged=" + states);
                }
            }
        }
        System.out.println("short workloads: all of up to " + operations + " operations on every kind of store, lives="
                + number + ", states judged=" + states);
    }

    private static List<List<Operation>> workloads(int length) {
        if (length == 0) {
            return List.of(List.of());
        }
        List<List<Operation>> all = new ArrayList<>();
        for (List<Operation> shorter : workloads(length - 1)) {
            for (Operation operation : Operation.values()) {
                List<Operation> longer = new ArrayList<>(shorter);
                longer.add(operation);
                all.add(longer);
            }
        }
        return all;
    }

    /** One workload on one store; without any operation, the opening and closing of the store. */
    private static final class Life {
        private final Kind kind;
        private final List<Operation> workload;
        private final int number;
        private final ManualClock clock = new ManualClock();
        private final StoreModel model = new StoreModel(Durability.WRITE, clock);
        private final CrashableIoManager disk;
        private final CrashJudge judge;
        private int values;

        Life(Kind kind, List<Operation> workload, int number) {
            this.kind = kind;
            this.workload = workload;
            this.number = number;
            this.disk = new CrashableIoManager().mapped(kind.isMapped()).logging(false);
            this.judge = new CrashJudge(disk, model, clock, new Random(number), RECOVERY_EVERY, this::builder);
        }

        private EngineBuilder builder(CrashableIoManager onto) {
            return CrashFixture.builder(HOME, onto.factory(HOME), clock)
                    .index(context -> new SmallImageIndex(() -> {}))
                    .imageEveryBytes(kind.isOld() ? 1 : Long.MAX_VALUE)
                    .maxFileBytes(kind.isRolling() ? 256 : 4_096);
        }

        long live() throws IOException {
            if (workload.isEmpty()) {
                disk.observer(this::crashBefore);
            }
            BitcaskEngine engine = builder(disk).open();
            if (kind.isOld()) {
                put(engine, ONE, WriteOptions.SYNC);
                put(engine, OTHER, WriteOptions.WRITE);
                engine.close();
                engine = reopened();
            }
            for (int i = 0; i < workload.size(); i++) {
                if (i == workload.size() - 1) {
                    disk.observer(this::crashBefore);
                }
                engine = run(workload.get(i), engine);
            }
            crashBefore(null);
            model.assertCurrent(CrashFixture.content(engine));
            if (workload.isEmpty()) {
                engine.close();
                crashBefore(null);
            }
            return judge.states();
        }

        private BitcaskEngine reopened() throws IOException {
            BitcaskEngine engine = builder(disk).open();
            model.reopened(CrashFixture.content(engine));
            return engine;
        }

        private BitcaskEngine run(Operation operation, BitcaskEngine engine) throws IOException {
            switch (operation) {
                case PUT -> put(engine, ONE, WriteOptions.WRITE);
                case PUT_SYNC -> put(engine, ONE, WriteOptions.SYNC);
                case PUT_NONE -> put(engine, ONE, WriteOptions.NONE);
                case PUT_OTHER -> put(engine, OTHER, WriteOptions.WRITE);
                case PUT_EXPIRING -> {
                    put(engine, ONE, WriteOptions.WRITE.timeToLive(Duration.ofMillis(10)));
                    clock.advance(Duration.ofMillis(7)); // so that the next one sees it expire
                }
                case DELETE -> delete(engine, WriteOptions.WRITE);
                case DELETE_SYNC -> delete(engine, WriteOptions.SYNC);
                case BATCH -> batch(engine, WriteOptions.WRITE);
                case BATCH_SYNC -> batch(engine, WriteOptions.SYNC);
                case SYNC -> {
                    engine.sync();
                    model.synced();
                }
                case MERGE -> engine.merge();
                case REOPEN -> {
                    engine.close();
                    return reopened();
                }
                case BACKUP -> judge.backup(engine);
            }
            return engine;
        }

        private void put(BitcaskEngine engine, byte[] key, WriteOptions options) throws IOException {
            byte[] value = value();
            StoreModel.Write write = model.beginPut(key, value, options);
            engine.put(key, value, options);
            write.acknowledge();
        }

        private void delete(BitcaskEngine engine, WriteOptions options) throws IOException {
            if (model.get(ONE) == null) {
                engine.delete(ONE, options);
                return;
            }
            StoreModel.Write write = model.beginDelete(ONE, options);
            engine.delete(ONE, options);
            write.acknowledge();
        }

        private void batch(BitcaskEngine engine, WriteOptions options) throws IOException {
            WriteBatch batch = new WriteBatch().delete(ONE).put(OTHER, value());
            StoreModel.Write write = model.begin(batch, options);
            engine.write(batch, options);
            write.acknowledge();
        }

        private byte[] value() {
            values++;
            return KeyValues.bytes("value " + values + " ".repeat(90 + 10 * values));
        }

        private void crashBefore(IoCall call) {
            String place = kind + ", " + workload + ", number=" + number + ", before " + call;
            try {
                for (long image = 0; image < EXTREMES + CHANCES; image++) {
                    long seed = image < EXTREMES ? image : 1_000L * number + image;
                    judge.judgePowerLoss(place + ", image=" + seed, seed);
                }
                judge.judgeKill(place + ", killed");
            } catch (IOException | RuntimeException e) {
                throw new AssertionError(place, e);
            }
        }
    }
}
