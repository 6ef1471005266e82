package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Damages each record of a store, some that count and many that do not: scans fail only for those that count, and merges
 * lose nothing.
 */
final class DeadDamageTest {
    private static final int KEYS = 12;
    private static final String EXPIRING = "it expires";
    private static final byte[] OLD_KEY = KeyValues.key(1);

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager whole = new CrashableIoManager().logging(false);
    private boolean isOrdered;
    private int broken;
    private int sound;

    @BeforeEach
    void write() throws IOException {
        try (BitcaskEngine engine = CrashFixture.open(whole, clock)) {
            putAll(engine, "first", 1);
            engine.merge();
            putAll(engine, "second", 2);
            WriteOptions expiring =
                    WriteOptions.DEFAULT.expiresAt(clock.instant().plusSeconds(1));
            engine.put(KeyValues.key(2), KeyValues.bytes(EXPIRING), expiring);
            engine.delete(KeyValues.key(3));
            engine.delete(KeyValues.key(4));
            WriteBatch batch = new WriteBatch();
            for (int i = 5; i < 9; i++) {
                batch.put(KeyValues.key(i), KeyValues.bytes("in a batch"));
            }
            engine.write(batch, WriteOptions.DEFAULT);
            putAll(engine, "third", 3);
            engine.delete(KeyValues.key(6));
            engine.put(KeyValues.key(7), KeyValues.bytes("fourth"));
        }
        clock.advance(Duration.ofSeconds(5));
    }

    private static void putAll(BitcaskEngine engine, String value, int step) throws IOException {
        for (int i = 0; i < KEYS; i += step) {
            engine.put(KeyValues.key(i), KeyValues.bytes(value + " value of " + i));
        }
    }

    private BitcaskEngine open(CrashableIoManager disk) throws IOException {
        return CrashFixture.builder(disk.factory(HOME), clock)
                .index(isOrdered ? context -> new SmallOrderedIndex() : HashKeyIndex::new)
                .open();
    }

    /** Lets a test go over all damages. */
    @FunctionalInterface
    private interface Attack {
        void on(CrashableIoManager disk, BitcaskEngine engine) throws IOException;
    }

    private void damageEach(Attack attack) throws IOException {
        for (String name : whole.factory(HOME).open(HOME, false).list()) {
            if (name.endsWith(".data") || name.endsWith(".merged")) {
                byte[] content = whole.content(name);
                // The index refers to an expired record until a merge, so damage to it may be an error or not.
                int expired = new String(content, StandardCharsets.ISO_8859_1).indexOf(EXPIRING);
                for (int at = 64; at < content.length; at += 5) {
                    if (expired >= 0 && at > expired - 48 && at < expired + 24) {
                        continue;
                    }
                    byte[] damaged = content.clone();
                    damaged[at] ^= 0x10;
                    CrashableIoManager disk = whole.peekKill();
                    disk.install(name, damaged);
                    try (BitcaskEngine engine = open(disk)) {
                        attack.on(disk, engine);
                    } catch (IOException | RuntimeException | AssertionError e) {
                        throw new AssertionError("file=" + name + ", offset=" + at + ": " + e, e);
                    }
                }
            }
        }
        assertThat(broken).isPositive();
        assertThat(sound).isPositive();
    }

    /** Returns what single reads find, and puts the keys of those that fail into a set. */
    private static NavigableMap<byte[], Entry> read(ReadView view, Set<byte[]> failing) throws IOException {
        NavigableMap<byte[], Entry> found = KeyValues.newMap();
        for (int i = 0; i < KEYS; i++) {
            byte[] key = KeyValues.key(i);
            try {
                Entry entry = view.entry(key);
                if (entry != null) {
                    found.put(key, entry);
                }
            } catch (CorruptRecordException e) {
                failing.add(key);
            }
        }
        return found;
    }

    private void judgeScan(ReadView view) throws IOException {
        Set<byte[]> failing = new TreeSet<>(Arrays::compareUnsigned);
        NavigableMap<byte[], Entry> expected = read(view, failing);
        if (failing.isEmpty()) {
            sound++;
            assertThat(CrashFixture.isSame(KeyValues.entries(view), expected)).isTrue();
        } else {
            broken++;
            assertThatThrownBy(() -> KeyValues.entries(view))
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageMatching("(?s).*file=\\d{8}\\.(data|merged), offset=\\d+.*");
        }
    }

    @Test
    void aVisitFailsOnlyForWhatItWouldReturn() throws IOException {
        damageEach((disk, engine) -> judgeScan(engine));
    }

    @Test
    void aSnapshotsVisitFailsOnlyForWhatItWouldReturn() throws IOException {
        damageEach((disk, engine) -> {
            try (Snapshot snapshot = engine.snapshot()) {
                for (int i = 0; i < KEYS; i += 2) {
                    engine.put(KeyValues.key(i), KeyValues.bytes("written after it"));
                }
                engine.delete(OLD_KEY);
                judgeScan(snapshot);
                try (Snapshot later = engine.snapshot()) {
                    judgeScan(later);
                }
            }
        });
    }

    /** The key of a damaged record changes while the scan is under way: the record still was its entry. */
    @Test
    void aVisitMissesNoDamagedEntryThatIsOverwrittenMeanwhile() throws IOException {
        damageEach((disk, engine) -> {
            Set<byte[]> failing = new TreeSet<>(Arrays::compareUnsigned);
            NavigableMap<byte[], Entry> expected = read(engine, failing);
            NavigableMap<byte[], Entry> visited = KeyValues.newMap();
            try {
                engine.visit(entry -> {
                    for (int i = 0; visited.isEmpty() && i < KEYS; i++) {
                        engine.put(KeyValues.key(i), KeyValues.bytes("written meanwhile"));
                    }
                    visited.put(entry.key(), entry);
                    return true;
                });
            } catch (CorruptRecordException e) {
                assertThat(failing).isNotEmpty();
                broken++;
                return;
            }
            // What was overwritten before the scan came to it may have been damaged; it is told or an error.
            assertThat(failing).isEmpty();
            sound++;
            assertThat(CrashFixture.isSame(visited, expected)).isTrue();
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aMergeLosesNothingAndEndsNoWriting(boolean ordered) throws IOException {
        isOrdered = ordered;
        damageEach((disk, engine) -> {
            Set<byte[]> failing = new TreeSet<>(Arrays::compareUnsigned);
            NavigableMap<byte[], Entry> expected = read(engine, failing);
            try {
                engine.merge();
                assertThat(failing).isEmpty();
                sound++;
            } catch (CorruptRecordException e) {
                assertThat(failing).isNotEmpty();
                broken++;
            }
            assertSameAfterMerge(disk, engine, expected, failing);
        });
    }

    /** Merges that take some files only need the tombstones of those that stay. */
    @Test
    void aBackgroundMergeLosesNothingAndEndsNoWriting() throws IOException {
        damageEach((disk, engine) -> {
            Set<byte[]> failing = new TreeSet<>(Arrays::compareUnsigned);
            NavigableMap<byte[], Entry> expected = read(engine, failing);
            engine.mergeInBackground(new MergePolicy(0.2, 1));
            engine.mergeInBackground(new MergePolicy(0.2, 1));
            sound += failing.isEmpty() ? 1 : 0;
            broken += failing.isEmpty() ? 0 : 1;
            assertSameAfterMerge(disk, engine, expected, failing);
        });
    }

    private void assertSameAfterMerge(
            CrashableIoManager disk, BitcaskEngine engine, NavigableMap<byte[], Entry> expected, Set<byte[]> failing)
            throws IOException {
        byte[] more = KeyValues.bytes("one more");
        engine.put(more, more);
        assertThat(engine.health()).isNull();
        engine.delete(more);
        assertSame(engine, expected, failing);
        try (BitcaskEngine again = open(disk.peekKill())) {
            assertSame(again, expected, failing);
        } catch (CorruptRecordException e) {
            // A file that stays is read where it has no hint file; nothing was lost or brought back.
            assertThat(e.file()).matches("\\d{8}\\.(data|merged)");
        }
    }

    private static void assertSame(ReadView view, NavigableMap<byte[], Entry> expected, Set<byte[]> failing)
            throws IOException {
        Set<byte[]> stillFailing = new TreeSet<>(Arrays::compareUnsigned);
        NavigableMap<byte[], Entry> found = read(view, stillFailing);
        assertThat(CrashFixture.isSame(found, expected))
                .as("found=%s, expected=%s", found.values(), expected.values())
                .isTrue();
        assertThat(stillFailing).hasSameElementsAs(failing);
    }
}
