package dev.caskwright.bitcask;

import static dev.caskwright.testkit.KeyValues.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Entry;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.log.ClockNotes;
import dev.caskwright.bitcask.store.StoreClock;
import dev.caskwright.bitcask.store.ToldExpiries;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clocks that jump, both ways, near and far. */
final class ClockTest {
    private static final Instant FAR = Instant.parse("2099-01-01T00:00:00Z");
    private static final WriteOptions OPTIONS = WriteOptions.DEFAULT;

    /** How somebody learns that an entry is absent. */
    enum Telling {
        GET {
            @Override
            void tell(BitcaskEngine engine, String key) throws IOException {
                assertThat(engine.get(bytes(key))).isNull();
            }
        },
        CONTAINS {
            @Override
            void tell(BitcaskEngine engine, String key) throws IOException {
                assertThat(engine.contains(bytes(key))).isFalse();
            }
        },
        DELETE {
            @Override
            void tell(BitcaskEngine engine, String key) throws IOException {
                assertThat(engine.delete(bytes(key))).isFalse();
            }
        },
        VISIT {
            @Override
            void tell(BitcaskEngine engine, String key) throws IOException {
                engine.visit(entry -> {
                    assertThat(entry.key()).isNotEqualTo(bytes(key));
                    return true;
                });
            }
        },
        SNAPSHOT {
            @Override
            void tell(BitcaskEngine engine, String key) throws IOException {
                try (Snapshot snapshot = engine.snapshot()) {
                    assertThat(snapshot.get(bytes(key))).isNull();
                }
            }
        },
        SNAPSHOT_VISIT {
            @Override
            void tell(BitcaskEngine engine, String key) throws IOException {
                try (Snapshot snapshot = engine.snapshot()) {
                    snapshot.visit(entry -> {
                        assertThat(entry.key()).isNotEqualTo(bytes(key));
                        return true;
                    });
                }
            }
        };

        abstract void tell(BitcaskEngine engine, String key) throws IOException;
    }

    private final ManualClock clock = new ManualClock();
    private CrashableIoManager disk = new CrashableIoManager();

    private BitcaskEngine open() throws IOException {
        return CrashFixture.open(disk, clock);
    }

    private void assertAbsent(BitcaskEngine engine, String key) throws IOException {
        assertThat(engine.get(bytes(key))).as(key).isNull();
        for (Telling each : Telling.values()) {
            each.tell(engine, key);
        }
    }

    private static boolean isThere(BitcaskEngine engine, String key) throws IOException {
        boolean isThere = engine.get(bytes(key)) != null;
        assertThat(CrashFixture.content(engine).containsKey(bytes(key))).isEqualTo(isThere);
        try (Snapshot snapshot = engine.snapshot()) {
            assertThat(snapshot.contains(bytes(key))).isEqualTo(isThere);
        }
        return isThere;
    }

    @ParameterizedTest
    @EnumSource
    void whoeverWasToldTheKeyStaysAbsent(Telling telling) throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("k"), bytes("v"), OPTIONS.timeToLive(Duration.ofSeconds(1)));
        clock.advance(Duration.ofSeconds(2));
        telling.tell(engine, "k");
        clock.advance(Duration.ofSeconds(-2));
        assertAbsent(engine, "k");
        BitcaskEngine killed = CrashFixture.open(disk.peekKill(), clock);
        assertAbsent(killed, "k");
        killed.close();
        engine.close();
        engine = open();
        assertAbsent(engine, "k");
        engine.merge();
        assertAbsent(engine, "k");
        engine.close();
    }

    @Test
    void aSnapshotFromBeforeStillShowsIt() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(bytes("k"), bytes("v"), OPTIONS.timeToLive(Duration.ofSeconds(1)));
            try (Snapshot snapshot = engine.snapshot()) {
                clock.advance(Duration.ofSeconds(2));
                assertThat(engine.get(bytes("k"))).isNull();
                clock.advance(Duration.ofSeconds(-2));
                assertThat(snapshot.get(bytes("k"))).isNotNull();
                assertAbsent(engine, "k");
            }
        }
    }

    /** One reading in 2099 tells of one entry; all others keep their time, in both directions, through restarts and copies. */
    @Test
    void oneWrongReadingTakesTimeFromNoOther() throws IOException {
        Instant real = clock.instant();
        BitcaskEngine engine = open();
        engine.put(bytes("days"), bytes("1"), OPTIONS.timeToLive(Duration.ofDays(2)));
        engine.put(bytes("month"), bytes("1"), OPTIONS.timeToLive(Duration.ofDays(30)));
        engine.put(bytes("licence"), bytes("1"), OPTIONS.expiresAt(Instant.parse("2030-01-01T00:00:00Z")));
        clock.set(FAR);
        assertThat(engine.get(bytes("month"))).isNull();
        engine.merge(); // must not remove for good what a wrong clock says
        clock.set(real.plusSeconds(60));
        List<BitcaskEngine> all = new ArrayList<>(List.of(CrashFixture.open(disk.peekKill(), clock)));
        engine.backup(CrashFixture.BACKUP);
        assertOthersKeepTheirTime(engine);
        engine.close();
        all.add(open());
        all.add(CrashFixture.builder(CrashFixture.BACKUP, disk.factory(CrashFixture.HOME), clock)
                .open());
        Path salvaged = Path.of("salvaged");
        all.get(1).close();
        BitcaskEngine.salvage(CrashFixture.HOME, salvaged, disk.factory(CrashFixture.HOME));
        all.set(
                1,
                CrashFixture.builder(salvaged, disk.factory(CrashFixture.HOME), clock)
                        .open());
        for (BitcaskEngine each : all) {
            assertThat(each.stats().clock().jumps()).as("reported").isPositive();
            assertOthersKeepTheirTime(each);
            each.close();
        }
    }

    private void assertOthersKeepTheirTime(BitcaskEngine engine) throws IOException {
        Instant now = clock.instant();
        assertAbsent(engine, "month");
        assertThat(isThere(engine, "days")).isTrue();
        assertThat(isThere(engine, "licence")).isTrue();
        engine.put(bytes("new"), bytes("x"), OPTIONS.expiresAt(now.plus(Duration.ofHours(1))));
        engine.put(bytes("ttl"), bytes("x"), OPTIONS.timeToLive(Duration.ofMinutes(1)));
        Entry entry = Objects.requireNonNull(engine.entry(bytes("ttl")));
        assertThat(entry.expiresAtMillis()).isEqualTo(clock.millis() + 60_000);
        assertThat(isThere(engine, "new")).isTrue();
        clock.advance(Duration.ofMinutes(2));
        assertAbsent(engine, "ttl");
        assertThat(isThere(engine, "new")).isTrue();
        clock.advance(Duration.ofHours(1));
        assertAbsent(engine, "new");
        assertThat(isThere(engine, "days")).isTrue();
        clock.set(now);
    }

    /** The same if the clock is wrong when the store is opened. */
    @Test
    void aStoreThatIsOpenedWithAWrongClockLosesNothingElse() throws IOException {
        Instant real = clock.instant();
        BitcaskEngine engine = open();
        engine.put(bytes("days"), bytes("1"), OPTIONS.timeToLive(Duration.ofDays(2)));
        engine.put(bytes("month"), bytes("1"), OPTIONS.timeToLive(Duration.ofDays(30)));
        engine.put(bytes("licence"), bytes("1"), OPTIONS.expiresAt(Instant.parse("2030-01-01T00:00:00Z")));
        engine.close();
        clock.set(FAR);
        engine = open();
        assertThat(engine.get(bytes("month"))).isNull();
        engine.merge();
        engine.close();
        clock.set(real.plusSeconds(60));
        engine = open();
        assertOthersKeepTheirTime(engine);
        engine.close();
    }

    /** Wrong readings at random, beside a model that knows what was told. */
    @Test
    void noJumpBringsBackWhatWasToldNorTakesTimeFromOthers() throws IOException {
        for (long seed = 0; seed < 60; seed++) {
            disk = new CrashableIoManager();
            new Jumps(seed).run();
        }
    }

    private final class Jumps {
        private final String run;
        private final SplittableRandom random;
        private final TreeMap<String, Long> expiries = new TreeMap<>();
        private final TreeSet<String> told = new TreeSet<>();
        private long right = ManualClock.START_MILLIS;
        private boolean wasOpenedWrong;
        private int puts;

        Jumps(long seed) {
            this.run = "seed=" + seed;
            this.random = new SplittableRandom(seed);
        }

        void run() throws IOException {
            clock.set(Instant.ofEpochMilli(right));
            BitcaskEngine engine = open();
            for (int step = 0; step < 80; step++) {
                String key = "k" + random.nextInt(12);
                switch (random.nextInt(8)) {
                    case 0, 1 -> put(engine, key);
                    case 2 -> right += random.nextLong(Duration.ofHours(12).toMillis());
                    case 3 -> engine.merge();
                    case 4 -> {
                        disk = random.nextBoolean() ? disk.peekKill() : disk;
                        engine.close();
                        // Two wrong openings in a row would be believed.
                        clock.set(Instant.ofEpochMilli(wasOpenedWrong ? right : clock.millis()));
                        wasOpenedWrong = clock.millis() != right;
                        engine = open();
                    }
                    default -> check(engine, key, step);
                }
                boolean isWrong = random.nextInt(3) == 0;
                long days = random.nextLong(60) - 10;
                clock.set(Instant.ofEpochMilli(
                        isWrong ? right + Duration.ofDays(days).toMillis() : right));
            }
            engine.close();
        }

        private void put(BitcaskEngine engine, String key) throws IOException {
            if (puts++ < ToldExpiries.MAX_NAMED) {
                long expiry = right + Duration.ofDays(2).toMillis() + random.nextLong(1L << 32);
                engine.put(bytes(key), bytes("v"), OPTIONS.expiresAt(Instant.ofEpochMilli(expiry)));
                expiries.put(key, expiry);
                told.remove(key);
            }
        }

        private void check(BitcaskEngine engine, String key, int step) throws IOException {
            Long expiry = expiries.get(key);
            boolean isThere = engine.get(bytes(key)) != null;
            String what = run + ", step=" + step + ", key=" + key + ", expiry=" + expiry + ", right=" + right + ", now="
                    + clock.millis();
            if (expiry == null || expiry <= clock.millis() || told.contains(key)) {
                assertThat(isThere).as(what).isFalse();
            } else if (expiry > right + Duration.ofDays(1).toMillis()) { // a merge may remove others
                assertThat(isThere).as(what).isTrue();
            }
            if (!isThere) {
                told.add(key);
            }
        }
    }

    /** A jump that lasts was none: then merges remove what has expired by it. */
    @Test
    void aClockThatStaysAheadIsBelieved() throws IOException {
        long[] nanos = {1};
        ClockNotes notes = (ClockNotes) Proxy.newProxyInstance(
                ClockNotes.class.getClassLoader(),
                new Class<?>[] {ClockNotes.class},
                (proxy, method, arguments) -> method.getName().equals("clockNote") ? new long[0] : null);
        StoreClock storeClock = new StoreClock(clock, () -> nanos[0], notes, false);
        long start = clock.millis();
        clock.advance(Duration.ofDays(365));
        long day = Duration.ofDays(1).toMillis();
        assertThat(storeClock.hasPassed(start + 2 * day, 1)).as("read as it is").isTrue();
        assertThat(storeClock.removableMillis()).isEqualTo(start + day);
        assertThat(storeClock.jumps()).isEqualTo(1);
        nanos[0] += Duration.ofMinutes(9).toNanos();
        assertThat(storeClock.removableMillis())
                .isEqualTo(start + day + Duration.ofMinutes(9).toMillis());
        nanos[0] += Duration.ofMinutes(2).toNanos();
        assertThat(storeClock.removableMillis()).isEqualTo(clock.millis());
        clock.advance(Duration.ofDays(-365));
        assertThat(storeClock.removableMillis()).isEqualTo(clock.millis());
        assertThat(storeClock.hasPassed(start + 2 * day, 1)).as("told").isTrue();
        assertThat(storeClock.hasPassed(start + 2 * day, 2)).as("written since").isFalse();
        assertThat(storeClock.jumps()).isEqualTo(2);
    }

    /** After a restart nobody knows how long the store was closed; many expiries then take no time from others. */
    @Test
    void manyExpiriesAfterARestartTakeNoTimeFromOthers() throws IOException {
        Instant minute = Instant.ofEpochMilli(clock.millis() / 60_000 * 60_000);
        clock.set(minute);
        BitcaskEngine engine = open();
        int sessions = 2 * ToldExpiries.MAX_NAMED;
        for (int i = 0; i < sessions; i++) {
            engine.put(bytes("s" + i), bytes("v"), OPTIONS.timeToLive(Duration.ofMillis(121_000 + i)));
        }
        engine.put(bytes("later"), bytes("v"), OPTIONS.timeToLive(Duration.ofSeconds(150)));
        engine.close();
        clock.set(minute.plusSeconds(125));
        engine = open();
        for (int i = 0; i < sessions; i++) {
            assertAbsent(engine, "s" + i);
        }
        assertThat(isThere(engine, "later")).isTrue();
        clock.set(minute);
        for (int i = 0; i < sessions; i++) {
            assertAbsent(engine, "s" + i);
        }
        clock.set(minute.plusSeconds(149));
        assertThat(isThere(engine, "later")).isTrue();
        engine.close();
    }

    /** A store that is opened for a moment each day, as by a command, gives back what has expired. */
    @Test
    void aStoreThatIsNeverOpenForLongRemovesWhatHasExpired() throws IOException {
        Instant start = clock.instant();
        for (int day = 0; day < 12; day++) {
            clock.set(start.plus(Duration.ofDays(day)));
            BitcaskEngine engine = open();
            engine.put(bytes("k" + day), new byte[1000], OPTIONS.timeToLive(Duration.ofHours(12)));
            engine.merge();
            assertThat(engine.size()).as("day " + day).isLessThan(5);
            engine.close();
        }
    }

    /** A clock that is wrong while the store is opened is not believed by the next opening, nor if it stands still. */
    @Test
    void aClockThatIsWrongInOneOpeningIsNotBelievedInTheNext() throws IOException {
        Instant real = clock.instant();
        BitcaskEngine engine = open();
        engine.put(bytes("licence"), bytes("1"), OPTIONS.expiresAt(Instant.parse("2030-01-01T00:00:00Z")));
        engine.close();
        for (int i = 0; i < 3; i++) {
            clock.set(FAR);
            engine = open();
            engine.merge();
            engine.close();
        }
        clock.set(real.plus(Duration.ofHours(1)));
        engine = open();
        engine.merge();
        assertThat(isThere(engine, "licence")).isTrue();
        engine.close();
        clock.set(FAR.plus(Duration.ofDays(1)));
        engine = open();
        engine.merge();
        engine.close();
        clock.set(real.plus(Duration.ofHours(2)));
        engine = open();
        assertThat(isThere(engine, "licence")).isTrue();
        engine.close();
    }

    @Test
    void theWayBackForgetsWhatWasTold() throws IOException {
        Instant real = clock.instant();
        BitcaskEngine engine = open();
        engine.put(bytes("month"), bytes("1"), OPTIONS.timeToLive(Duration.ofDays(30)));
        clock.set(FAR);
        assertThat(engine.get(bytes("month"))).isNull();
        clock.set(real);
        engine.close();
        engine = CrashFixture.builder(disk.factory(CrashFixture.HOME), clock)
                .forgetToldExpiries(true)
                .open();
        assertThat(isThere(engine, "month")).isTrue();
        engine.close();
        engine = open();
        assertThat(isThere(engine, "month")).isTrue();
        engine.close();
    }

    /** Reads go on when the note cannot be written; what was told holds in memory. */
    @Test
    void aFullDiskKeepsNobodyFromReading() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(bytes("k"), bytes("v"), OPTIONS.timeToLive(Duration.ofSeconds(1)));
            clock.advance(Duration.ofSeconds(2));
            disk.capacity(0);
            assertThat(engine.get(bytes("k"))).isNull();
            clock.advance(Duration.ofSeconds(-2));
            assertAbsent(engine, "k");
            disk.capacity(Long.MAX_VALUE);
        }
    }
}
