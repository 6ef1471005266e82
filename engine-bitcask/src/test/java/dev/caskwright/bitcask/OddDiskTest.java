package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.OddDisk;
import dev.caskwright.testkit.OddDisk.Quirk;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.SlowCopy;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Stores on disks with odd habits: such that break no promise change no answer, and such that lie cost what they lied
 * about, and never invent a value.
 */
final class OddDiskTest {
    private static final int KEYS = 20;

    private final ManualClock clock = new ManualClock();

    @ParameterizedTest
    @EnumSource(names = {"LISTS_IN_ANY_ORDER", "LISTS_WHAT_IS_GONE", "REFUSES_TO_DELETE_OPEN_FILES", "FOLDS_CASE"})
    void habitsThatBreakNoPromiseChangeNoAnswer(Quirk quirk) throws IOException {
        for (long seed = 0; seed < 6; seed++) {
            OddDisk odd = new OddDisk(seed, quirk);
            CrashableIoManager disk =
                    new CrashableIoManager().mapped(seed % 2 == 0).logging(false);
            ManualClock time = new ManualClock();
            StoreModel model = new StoreModel(Durability.WRITE, time);
            RandomHistory history =
                    new RandomHistory(seed, model, time).keys(KEYS).values(100, false);
            Random random = new Random(seed);
            BitcaskEngine engine = builder(odd, disk, time).open();
            for (int step = 0; step < 300; step++) {
                history.step(engine);
                if (random.nextInt(30) == 0) {
                    engine.close();
                    history.forgetSnapshots();
                    engine = builder(odd, disk, time).open();
                    model.reopened(KeyValues.entries(engine));
                }
            }
            assertThat(engine.health()).as("%s, seed=%s", quirk, seed).isNull();
            model.assertCurrent(KeyValues.entries(engine));
            engine.close();
            // An engine that closes before it deletes, and writes names in one way, never meets the other two.
            boolean isListing = quirk == Quirk.LISTS_IN_ANY_ORDER || quirk == Quirk.LISTS_WHAT_IS_GONE;
            assertThat(odd.oddities() > 0).isEqualTo(isListing);
            assertThat(BitcaskEngine.verify(HOME, disk.factory(HOME)).isSound()).isTrue();
        }
    }

    private static EngineBuilder builder(OddDisk odd, CrashableIoManager disk, ManualClock clock) {
        return CrashFixture.builder(odd.wrap(disk.factory(HOME)), clock);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void foreignBytesAreAnErrorAndNeverAValue(boolean isMapped) throws IOException {
        for (long seed = 0; seed < 10; seed++) {
            CrashableIoManager disk = new CrashableIoManager().mapped(isMapped).logging(false);
            OddDisk odd = new OddDisk(seed, Quirk.RETURNS_FOREIGN_BYTES).oneIn(4);
            odd.stop();
            BitcaskEngine engine = builder(odd, disk, clock).open();
            for (int i = 0; i < 200; i++) {
                engine.put(KeyValues.key(i % KEYS), value(i));
            }
            odd.start();
            int right = 0;
            int errors = 0;
            for (int i = 0; i < 400; i++) {
                int key = i % KEYS;
                try {
                    assertThat(engine.get(KeyValues.key(key)))
                            .as("seed=%s", seed)
                            .isEqualTo(value(200 - KEYS + key));
                    right++;
                } catch (IOException e) {
                    errors++;
                }
                try {
                    for (Entry entry : KeyValues.entries(engine).values()) {
                        assertWritten(entry, 200, seed);
                    }
                } catch (IOException e) {
                    errors++;
                }
            }
            assertThat(right).isPositive();
            assertThat(errors).isPositive();
            odd.stop();
            for (int key = 0; key < KEYS; key++) {
                assertThat(engine.get(KeyValues.key(key))).isEqualTo(value(200 - KEYS + key));
            }
            engine.put(KeyValues.key(0), value(0)); // a read that went wrong stops no write
            engine.close();
        }
    }

    private static byte[] value(int number) {
        return KeyValues.bytes("value " + number + " ".repeat(number % 50));
    }

    private static void assertWritten(Entry entry, int count, long seed) {
        for (int i = 0; i < count; i++) {
            if (Arrays.equals(KeyValues.key(i % KEYS), entry.key()) && Arrays.equals(value(i), entry.value())) {
                return;
            }
        }
        throw new AssertionError("nobody wrote " + KeyValues.describe(entry.key()) + "="
                + KeyValues.describe(entry.value()) + ", seed=" + seed);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void aDiskThatLiesAboutForcesLosesWritesAndInventsNone(int oneIn) throws IOException {
        int opened = 0;
        for (long seed = 0; seed < 40; seed++) {
            CrashableIoManager disk =
                    new CrashableIoManager().mapped(seed % 2 == 0).logging(false);
            OddDisk odd = new OddDisk(seed, Quirk.LIES_ABOUT_FORCES).oneIn(oneIn);
            BitcaskEngine engine = builder(odd, disk, clock).open();
            for (int i = 0; i < 100; i++) {
                engine.put(KeyValues.key(i % KEYS), value(i), i % 3 == 0 ? WriteOptions.SYNC : WriteOptions.WRITE);
                if (i == 60) {
                    engine.merge();
                }
            }
            opened += readWhatIsLeft(disk.powerLoss(seed), 100, seed) ? 1 : 0;
        }
        assertThat(opened).isPositive();
    }

    /** Opens a store that something may be wrong with; returns whether that could be done. */
    private boolean readWhatIsLeft(CrashableIoManager disk, int written, long seed) throws IOException {
        try (BitcaskEngine engine = CrashFixture.open(disk, clock)) {
            for (Entry entry : KeyValues.entries(engine).values()) {
                assertWritten(entry, written, seed);
            }
            return true;
        } catch (IOException e) {
            assertThat(e.getMessage()).as("seed=%s", seed).isNotBlank();
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void aDiskThatRefusesOverwritesLosesNothingAcknowledged(int oneIn) throws IOException {
        for (long seed = 0; seed < 20; seed++) {
            CrashableIoManager disk =
                    new CrashableIoManager().mapped(seed % 2 == 0).logging(false);
            OddDisk odd = new OddDisk(seed, Quirk.REFUSES_OVERWRITES).oneIn(oneIn);
            assertLosesNothing(disk, odd, seed);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 7, 20})
    void aDiskWithoutSpaceWhereItHadSomeLosesNothingAcknowledged(int oneIn) throws IOException {
        for (long seed = 0; seed < 20; seed++) {
            CrashableIoManager disk =
                    new CrashableIoManager().mapped(seed % 2 == 0).logging(false);
            OddDisk odd = new OddDisk(seed, Quirk.HAS_NO_SPACE_WHERE_IT_HAD).oneIn(oneIn);
            assertLosesNothing(disk, odd, seed);
        }
    }

    private void assertLosesNothing(CrashableIoManager disk, OddDisk odd, long seed) throws IOException {
        Random random = new Random(seed);
        byte[][] acknowledged = new byte[KEYS][];
        BitcaskEngine engine = builder(odd, disk, clock).open();
        CrashableIoManager current = disk;
        for (int i = 0; i < 150; i++) {
            int key = random.nextInt(KEYS);
            try {
                engine.put(KeyValues.key(key), value(i), WriteOptions.SYNC);
                acknowledged[key] = value(i);
            } catch (IOException e) {
                odd.stop();
                current = random.nextBoolean() ? current.kill() : current.powerLoss(random.nextInt(100));
                engine = builder(odd, current, clock).open();
                byte[] found = engine.get(KeyValues.key(key));
                assertThat(Arrays.equals(found, acknowledged[key]) || Arrays.equals(found, value(i)))
                        .as("seed=%s, write=%s: %s", seed, i, KeyValues.describe(found))
                        .isTrue();
                acknowledged[key] = found;
                odd.start();
            }
            for (int each = 0; each < KEYS; each++) {
                assertThat(engine.get(KeyValues.key(each)))
                        .as("seed=%s, write=%s, key=%s", seed, i, each)
                        .isEqualTo(acknowledged[each]);
            }
        }
    }

    /** A copy is taken for one of the whole only if it opens; then it shows nothing that was not written. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCopyTakenWhileTheStoreGoesOnShowsWhatWasWrittenOrSaysThatItIsDamaged(boolean isMapped) throws IOException {
        Set<Boolean> seen = new HashSet<>();
        for (long seed = 0; seed < 60; seed++) {
            CrashableIoManager disk = new CrashableIoManager().mapped(isMapped).logging(false);
            BitcaskEngine engine =
                    CrashFixture.builder(disk.factory(HOME), clock).open();
            Random random = new Random(seed);
            IoManager files = disk.factory(HOME).open(HOME, false);
            int start = random.nextInt(200);
            SlowCopy copy = null;
            for (int i = 0; i < 300; i++) {
                engine.put(KeyValues.key(i % KEYS), value(i));
                if (random.nextInt(50) == 0) {
                    engine.merge();
                }
                if (i == start) {
                    copy = new SlowCopy(files, seed);
                } else if (copy != null && random.nextBoolean()) {
                    copy.step();
                }
            }
            CrashableIoManager copied = Objects.requireNonNull(copy).finish();
            seen.add(readWhatIsLeft(copied, 300, seed));
            engine.close();
        }
        assertThat(seen).contains(true);
    }
}
