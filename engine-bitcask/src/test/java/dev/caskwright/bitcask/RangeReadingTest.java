package dev.caskwright.bitcask;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges read records together, wherever they lie: all lengths, both directions, and damage in between. */
final class RangeReadingTest {
    private static final Path HOME = Path.of("store");
    private static final int KEYS = 400;
    private static final int LONG_VALUE = 9_000;

    private final ManualClock clock = new ManualClock();
    private final NavigableMap<String, byte[]> expected = new TreeMap<>();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rangesHaveAllEntriesInOrder(boolean isMerged) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (BitcaskEngine engine = open(disk)) {
            fill(engine, true);
            if (isMerged) {
                engine.merge();
            }
            for (int limit : new int[] {1, 2, 15, 64, 65, 200, KEYS}) {
                assertThat(keys(engine, Range.all().limit(limit)))
                        .isEqualTo(expected.keySet().stream().limit(limit).toList());
                assertThat(keys(engine, Range.all().descending(true).limit(limit)))
                        .isEqualTo(expected.descendingKeySet().stream()
                                .limit(limit)
                                .toList());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void damageIsMetAgainAndNothingBehindItIsLost(boolean isMerged) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (BitcaskEngine engine = open(disk)) {
            fill(engine, false);
            if (isMerged) {
                engine.merge();
            }
        }
        String victim = new ArrayList<>(expected.keySet()).get(KEYS / 3);
        damage(disk, victim);
        try (BitcaskEngine engine = open(disk);
                Cursor cursor = engine.require(OrderedView.class).range(Range.all())) {
            List<String> found = new ArrayList<>();
            CorruptRecordException met = null;
            while (met == null) {
                try {
                    Entry entry = cursor.next();
                    assertThat(entry)
                            .as("the end, without a word about the damage")
                            .isNotNull();
                    found.add(text(entry.key()));
                } catch (CorruptRecordException e) {
                    met = e;
                }
            }
            assertThat(expected.headMap(victim).keySet()).startsWith(found.toArray(new String[0]));
            for (Entry entry = read(cursor); entry != null; entry = read(cursor)) {
                found.add(text(entry.key()));
            }
            assertThat(found).isEqualTo(List.copyOf(expected.headMap(victim).keySet()));
            assertThatThrownBy(cursor::next).isInstanceOf(CorruptRecordException.class);
        }
    }

    private static String text(byte[] key) {
        return new String(key, UTF_8);
    }

    private static @Nullable Entry read(Cursor cursor) throws IOException {
        try {
            return cursor.next();
        } catch (CorruptRecordException e) {
            return null;
        }
    }

    private BitcaskEngine open(CrashableIoManager disk) throws IOException {
        return CrashFixture.builder(disk.factory(HOME), clock)
                .index(context -> new SmallOrderedIndex())
                .imageEveryBytes(0)
                .maxFileBytes(64 << 10)
                .open();
    }

    private void fill(BitcaskEngine engine, boolean hasLongValues) throws IOException {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < KEYS; i++) {
            order.add(i);
        }
        Random random = new Random(5);
        Collections.shuffle(order, random);
        for (int i : order) {
            String key = String.format(Locale.ROOT, "key %04d", i);
            byte[] value = new byte[hasLongValues && i % 50 == 0 ? LONG_VALUE : 30 + random.nextInt(90)];
            random.nextBytes(value);
            engine.put(KeyValues.bytes(key), value);
            expected.put(key, value);
        }
    }

    private List<String> keys(BitcaskEngine engine, Range range) throws IOException {
        List<String> keys = new ArrayList<>();
        try (Cursor cursor = engine.require(OrderedView.class).range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                String key = text(entry.key());
                assertThat(entry.value()).isEqualTo(expected.get(key));
                keys.add(key);
            }
        }
        return keys;
    }

    /** Flips a byte in the value of a key, wherever it lies. */
    private void damage(CrashableIoManager disk, String key) throws IOException {
        byte[] value = expected.get(key);
        for (String name : disk.factory(HOME).open(HOME, false).list()) {
            byte[] bytes = disk.content(name).clone();
            for (int at = 0; name.matches("\\d+\\.(data|merged)") && at + value.length <= bytes.length; at++) {
                if (Arrays.equals(bytes, at, at + value.length, value, 0, value.length)) {
                    bytes[at + 7] ^= 1;
                    disk.install(name, bytes);
                    return;
                }
            }
        }
        throw new AssertionError("no record of the key: " + key);
    }
}
