package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.get;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Facet;
import dev.caskwright.api.Merging;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every {@link StorageEngine} must do, over every key index and IO manager. An engine's test extends this class, and
 * implements the contract of each facet that the engine holds:
 *
 * <pre>{@code
 * final class BTreeStandardTest extends StorageEngineContract
 *         implements ConditionalWritesContract, VersionsContract, ExpiryContract, OrderedViewContract {
 *     public StorageEngine open(Path directory, InstantSource clock) throws IOException {
 *         return BitcaskEngine.builder(directory).index(...).io(...).clock(clock).maxFileBytes(4096).open();
 *     }
 * }
 * }</pre>
 *
 * <p>One that holds a facet and does not run its contract fails, and so does one that runs the contract of a facet that it does
 * not hold.
 *
 * <p>Random tests name their seed in the message of a failure; {@code -Dcaskwright.seed=N} runs them with that one only.
 */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
public abstract class StorageEngineContract extends EngineKeepingContract {
    /** The contract of each facet. An engine holds exactly those facets whose contracts its test implements. */
    static final Map<Class<? extends Facet>, Class<? extends EngineFixture>> CONTRACTS = Map.of(
            ConditionalWrites.class, ConditionalWritesContract.class,
            Versions.class, VersionsContract.class,
            Expiry.class, ExpiryContract.class,
            Transactions.class, TransactionsContract.class,
            OrderedView.class, OrderedViewContract.class,
            ChangeFeed.class, ChangeFeedContract.class,
            Merging.class, MergingContract.class,
            Backups.class, BackupsContract.class);

    private static final int SEEDS = 6;
    private static final int STEPS = 500;
    private static final int REOPEN_ONE_IN = 50;

    /** A fresh parent of directories for stores. */
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    protected Path temporary;

    /** The clock of every store that a test opens. */
    protected final ManualClock clock = new ManualClock();

    @Override
    public final Path temporary() {
        return temporary;
    }

    @Override
    public final ManualClock clock() {
        return clock;
    }

    @Test
    void reopeningKeepsEverything() throws Exception {
        Random random = new Random(1);
        Map<Integer, byte[]> expected = new TreeMap<>();
        for (int round = 0; round < 5; round++) {
            try (StorageEngine engine = open()) {
                assertThat(engine.size()).isEqualTo(expected.size());
                for (Map.Entry<Integer, byte[]> entry : expected.entrySet()) {
                    assertThat(engine.get(KeyValues.key(entry.getKey()))).isEqualTo(entry.getValue());
                }
                for (int i = 0; i < 200; i++) {
                    int key = random.nextInt(300);
                    if (random.nextInt(3) == 0) {
                        assertThat(engine.delete(KeyValues.key(key))).isEqualTo(expected.remove(key) != null);
                    } else {
                        byte[] value = KeyValues.value(random, 300);
                        engine.put(KeyValues.key(key), value);
                        expected.put(key, value);
                    }
                }
            }
        }
    }

    @Test
    void aStoreHasOneOwner() throws Exception {
        StorageEngine engine = open();
        engine.put(bytes("a"), bytes("1"));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(this::open).isInstanceOf(EngineLockedException.class);
        }
        engine.put(bytes("b"), bytes("2"));
        engine.close();
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1", "b=2");
            engine.close();
            assertThatThrownBy(this::open).isInstanceOf(EngineLockedException.class);
        }
    }

    @Test
    void aClosedEngineRefusesEverything() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        WriteOptions options = WriteOptions.DEFAULT;
        engine.put(key, bytes("1"));
        Snapshot snapshot = engine.snapshot();
        Cursor cursor = engine.cursor();
        engine.close();
        engine.close();

        assertClosed(() -> engine.get(key));
        assertClosed(() -> engine.get(key, ByteBuffer.allocate(1)));
        assertClosed(() -> engine.contains(key));
        assertClosed(() -> engine.entry(key));
        assertClosed(() -> engine.visit(entry -> true));
        assertClosed(engine::cursor);
        assertClosed(() -> engine.put(key, key));
        assertClosed(() -> engine.delete(key));
        assertClosed(() -> engine.write(new WriteBatch().put(key, key), options));
        assertClosed(engine::snapshot);
        assertClosed(engine::sync);
        assertClosed(() -> snapshot.get(key));
        assertClosed(() -> snapshot.visit(entry -> true));
        assertClosed(snapshot::cursor);
        assertClosed(cursor::next);
        snapshot.close();
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }

    @Test
    void closedViewsRefuse() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            Snapshot snapshot = engine.snapshot();
            Cursor ofSnapshot = snapshot.cursor();
            ofSnapshot.close();
            assertClosed(ofSnapshot::next);
            Cursor left = snapshot.cursor();
            snapshot.close();
            assertClosed(left::next);
            left.close();
            assertClosed(() -> snapshot.get(bytes("a")));
            assertClosed(() -> snapshot.visit(entry -> true));
            Cursor cursor = engine.cursor();
            cursor.close();
            cursor.close();
            assertClosed(cursor::next);
            assertThat(get(engine, "a")).isEqualTo("1");
        }
    }

    @Test
    void callsUnderWayEndWhenTheEngineCloses() throws Exception {
        for (int round = 0; round < 5; round++) {
            StorageEngine engine = open();
            inThreads(4, thread -> {
                if (thread == 0) {
                    engine.put(bytes("closer"), bytes("1"));
                    engine.close();
                    return;
                }
                try {
                    for (int i = 0; ; i++) {
                        if (thread == 1) {
                            engine.put(bytes(i % 20), bytes(i), WriteOptions.WRITE);
                        } else if (thread == 2) {
                            engine.get(bytes(i % 20));
                            KeyValues.entries(engine);
                        } else {
                            if (!merge(engine)) {
                                engine.sync();
                            }
                        }
                    }
                } catch (EngineClosedException e) {
                    assertThat(e.code()).isNotNull();
                }
            });
        }
        open().close();
    }

    @Test
    void anInterruptSpoilsAtMostItsOwnCall() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            inThreads(2, thread -> {
                for (int i = 0; i < 100; i++) {
                    byte[] key = bytes(thread + "/" + i);
                    boolean isAcknowledged = true;
                    if (thread == 0) {
                        Thread.currentThread().interrupt();
                        try {
                            engine.put(key, bytes(i), i % 2 == 0 ? WriteOptions.WRITE : WriteOptions.SYNC);
                            engine.get(bytes("a"));
                        } catch (IOException e) {
                            isAcknowledged = false;
                        }
                        Thread.interrupted();
                    } else {
                        engine.put(key, bytes(i), i % 2 == 0 ? WriteOptions.WRITE : WriteOptions.SYNC);
                    }
                    if (isAcknowledged) {
                        assertThat(text(engine.get(key))).isEqualTo("" + i);
                    }
                    assertThat(get(engine, "a")).isEqualTo("1");
                }
            });
            assertThat(engine.health()).isNull();
            engine.put(bytes("after"), bytes("1"));
        }
        try (StorageEngine engine = open()) {
            assertThat(get(engine, "after")).isEqualTo("1");
            assertThat(get(engine, "1/99")).isEqualTo("99");
        }
    }

    @Test
    void aDirectoryThatIsAFileIsRefused() throws Exception {
        Path file = Files.writeString(temporary.resolve("file"), "not a store");
        assertThatThrownBy(() -> open(file, clock)).isInstanceOf(IOException.class);
        assertThat(Files.readString(file)).isEqualTo("not a store");
    }

    @Test
    void randomHistoriesGiveTheAnswersOfTheModel() throws Exception {
        Long only = Long.getLong("caskwright.seed");
        for (long seed = 0; seed < SEEDS; seed++) {
            randomHistory(only == null ? seed : only);
        }
    }

    private void randomHistory(long seed) throws Exception {
        ManualClock time = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, time);
        RandomHistory history = new RandomHistory(seed, model, time);
        Random random = new Random(~seed);
        Path directory = temporary.resolve("random" + seed + "-" + random.nextInt());
        StorageEngine engine = open(directory, time);
        try {
            for (int i = 0; i < STEPS; i++) {
                history.step(engine);
                if (random.nextInt(REOPEN_ONE_IN) == 0) {
                    engine.close();
                    history.forgetSnapshots();
                    engine = open(directory, time);
                    model.reopened(KeyValues.entries(engine));
                }
            }
            model.assertCurrent(KeyValues.entries(engine));
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError(history + ": " + e.getMessage(), e);
        } finally {
            engine.close();
        }
    }

    @Test
    void theFacetsHeldAreThoseWhoseContractsAreRun() throws Exception {
        try (StorageEngine engine = open()) {
            CONTRACTS.forEach(
                    (facet, contract) -> assertThat(engine.facet(facet).isPresent())
                            .as("holds %s, runs %s", facet.getSimpleName(), contract.getSimpleName())
                            .isEqualTo(contract.isInstance(this)));
        }
    }

    @Test
    void aFacetThatIsMissingIsNamedBeforeDataIsTouched() throws Exception {
        try (StorageEngine engine = open()) {
            long version = engine.stats().lastVersion();
            assertThatThrownBy(() -> engine.require(NobodyHolds.class))
                    .isInstanceOf(MissingFacetException.class)
                    .hasMessageContaining("facet=NobodyHolds")
                    .hasMessageContaining(engine.describe())
                    .hasMessageContaining("offered by=");
            if (engine.facet(Expiry.class).isEmpty()) {
                WriteOptions expiring = WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1));
                assertThatThrownBy(() -> engine.put(bytes("a"), bytes("1"), expiring))
                        .isInstanceOf(MissingFacetException.class)
                        .hasMessageContaining("facet=Expiry");
                assertThatThrownBy(() -> engine.write(
                                new WriteBatch().put(bytes("a"), bytes("1")).put(bytes("b"), bytes("2"), expiring)))
                        .isInstanceOf(MissingFacetException.class)
                        .hasMessageContaining("facet=Expiry");
            }
            if (engine.facet(OrderedView.class).isEmpty()) {
                assertThatThrownBy(engine::ordered)
                        .isInstanceOf(MissingFacetException.class)
                        .hasMessageContaining("facet=OrderedView");
            }
            assertThat(engine.stats().lastVersion()).isEqualTo(version);
            assertThat(content(engine)).isEmpty();
        }
    }

    /** A facet that is no engine's. */
    private interface NobodyHolds extends Facet {}
}
