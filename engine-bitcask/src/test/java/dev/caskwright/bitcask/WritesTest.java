package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each kind of write does to the disk, the index and the figures, and what it is told if it fails. */
@Timeout(60)
final class WritesTest {
    private static final byte[] KEY = KeyValues.bytes("key");
    private static final byte[] OLD = KeyValues.bytes("old");
    private static final byte[] NEW = KeyValues.bytes("new");

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();
    private final Watched index = new Watched();

    /** Every way to write, to a key that has the old value. */
    private enum Write {
        PUT {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                engine.put(KEY, NEW, options);
            }
        },
        PUT_IF_ABSENT {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                assertThat(engine.putIfAbsent(KEY, NEW, options)).isFalse();
                assertThat(engine.putIfAbsent(KeyValues.bytes("other"), NEW, options))
                        .isTrue();
            }
        },
        REPLACE {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                assertThat(engine.replace(KEY, NEW, NEW, options)).isFalse();
                assertThat(engine.replace(KEY, OLD, NEW, options)).isTrue();
            }
        },
        REPLACE_VERSION {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                Entry entry = engine.entry(KEY);
                assertThat(entry).isNotNull();
                assertThat(engine.replaceVersion(KEY, entry.version() + 1, NEW, options))
                        .isFalse();
                assertThat(engine.replaceVersion(KEY, entry.version(), NEW, options))
                        .isTrue();
            }
        },
        EXPIRE {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                assertThat(engine.expire(KeyValues.bytes("none"), options)).isFalse();
                assertThat(engine.expire(KEY, options.timeToLive(Duration.ofDays(1))))
                        .isTrue();
            }
        },
        DELETE {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                assertThat(engine.delete(KEY, options)).isTrue();
            }
        },
        DELETE_IF {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                assertThat(engine.delete(KEY, NEW, options)).isFalse();
                assertThat(engine.delete(KEY, OLD, options)).isTrue();
            }
        },
        BATCH {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                engine.write(new WriteBatch().put(KEY, NEW).put(KeyValues.bytes("other"), NEW), options);
            }
        },
        TRANSACTION {
            @Override
            void make(BitcaskEngine engine, WriteOptions options) throws IOException {
                Transaction transaction = engine.transaction();
                assertThat(transaction.get(KEY)).isEqualTo(OLD);
                transaction.put(KEY, NEW);
                assertThat(transaction.commit(options)).isTrue();
            }
        };

        abstract void make(BitcaskEngine engine, WriteOptions options) throws IOException;
    }

    /** An index that tells what it was asked for, and fails when it is to. */
    private static final class Watched extends SmallImageIndex {
        final List<Integer> rooms = new ArrayList<>();
        final List<String> prefetched = new ArrayList<>();

        @Nullable IOException failsRoom;

        @Nullable IOException failsChange;

        Watched() {
            super(() -> {});
        }

        @Override
        public void ensureRoom(int keys) throws IOException {
            rooms.add(keys);
            if (failsRoom != null) {
                throw failsRoom;
            }
        }

        @Override
        public void prefetch(byte[] source, int[] offsets, int[] lengths, int count) {
            for (int i = 0; i < count; i++) {
                prefetched.add(new String(source, offsets[i], lengths[i], StandardCharsets.UTF_8));
            }
        }

        @Override
        public long put(byte[] key, int offset, int length, long locator) {
            if (failsChange != null) {
                throw new IllegalStateException(failsChange);
            }
            return super.put(key, offset, length, locator);
        }

        @Override
        public boolean remove(byte[] key, int offset, int length, long expected) {
            if (failsChange != null) {
                throw new IllegalStateException(failsChange);
            }
            return super.remove(key, offset, length, expected);
        }
    }

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), clock)
                .maxFileBytes(1 << 20)
                .imageEveryBytes(0)
                .index(context -> index);
    }

    private long forces() {
        return disk.log().stream()
                .filter(call -> call.operation() == IoOperation.FORCE)
                .count();
    }

    private static List<@Nullable Object> state(ReadView view) throws IOException {
        List<@Nullable Object> state = new ArrayList<>();
        for (byte[] key : List.of(KEY, KeyValues.bytes("other"))) {
            Entry entry = view.entry(key);
            state.add(
                    entry == null ? null : Arrays.toString(entry.value()) + entry.version() + entry.expiresAtMillis());
        }
        return state;
    }

    @ParameterizedTest
    @EnumSource
    void itIsDurableAtSyncAndOnlyThen(Write write) throws IOException {
        for (Durability store : Durability.values()) {
            for (WriteOptions options :
                    List.of(WriteOptions.DEFAULT, WriteOptions.NONE, WriteOptions.WRITE, WriteOptions.SYNC)) {
                WritesTest test = new WritesTest();
                test.check(write, store, options);
            }
        }
    }

    private void check(Write write, Durability store, WriteOptions options) throws IOException {
        boolean isSynced = options.durabilityOr(store) == Durability.SYNC;
        BitcaskEngine engine = builder().durability(store).open();
        engine.put(KEY, OLD, WriteOptions.SYNC);
        List<@Nullable Object> before = state(engine);
        Snapshot snapshot = engine.snapshot();
        long forces = forces();
        inOtherThread(() -> {
            write.make(engine, options);
            return null;
        });
        List<@Nullable Object> after = state(engine);
        assertThat(after).isNotEqualTo(before);
        assertThat(forces() > forces).as("%s, %s", store, options).isEqualTo(isSynced);
        try (BitcaskEngine lost = CrashFixture.open(disk.peekPowerLoss(0), clock)) {
            assertThat(state(lost)).as("%s, %s", store, options).isEqualTo(isSynced ? after : before);
        }
        assertThat(state(snapshot)).isEqualTo(before);
        engine.merge(); // nobody is left who reads
        assertThat(state(engine)).isEqualTo(after);
        assertThat(state(snapshot)).isEqualTo(before);
        snapshot.close();
        engine.close();
    }

    /** So that what it holds too long is held against this one. */
    private static void inOtherThread(Callable<@Nullable Void> call) {
        FutureTask<@Nullable Void> task = new FutureTask<>(call);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        assertThat(task).succeedsWithin(Duration.ofSeconds(30));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"DELETE", "DELETE_IF"}) // they need no room
    void whoIsRefusedHoldsNobodyUp(Write write) throws IOException {
        BitcaskEngine engine = builder().open();
        engine.put(KEY, OLD);
        index.failsRoom = new IOException("no room");
        inOtherThread(() -> {
            assertThatThrownBy(() -> write.make(engine, WriteOptions.DEFAULT)).isSameAs(index.failsRoom);
            return null;
        });
        index.failsRoom = null;
        inOtherThread(() -> {
            assertThat(engine.putIfAbsent(KEY, NEW, WriteOptions.DEFAULT)).isFalse();
            assertThat(engine.delete(KEY, NEW, WriteOptions.DEFAULT)).isFalse();
            Transaction late = engine.transaction();
            late.get(KEY);
            engine.put(KEY, OLD);
            late.put(KEY, NEW);
            assertThat(late.commit(WriteOptions.DEFAULT)).isFalse();
            return null;
        });
        engine.merge();
        write.make(engine, WriteOptions.DEFAULT);
        engine.close();
        assertThatThrownBy(() -> write.make(engine, WriteOptions.DEFAULT)).isInstanceOf(EngineClosedException.class);
    }

    /** What its answer rests on is forced once, and not again. */
    @Test
    void aConditionThatDoesNotHoldWritesNothing() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            engine.put(KEY, OLD, WriteOptions.WRITE);
            long forces = forces();
            assertThat(engine.delete(KEY, NEW, WriteOptions.SYNC)).isFalse();
            assertThat(forces()).isEqualTo(forces + 1);
            assertThat(engine.putIfAbsent(KEY, NEW, WriteOptions.SYNC)).isFalse();
            assertThat(forces()).isEqualTo(forces + 1);
            assertThat(engine.stats().lastVersion()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"DELETE", "DELETE_IF"}) // they need no room
    void roomIsMadeBeforeAnythingIsWritten(Write write) throws IOException {
        BitcaskEngine engine = builder().open();
        engine.put(KEY, OLD, WriteOptions.SYNC);
        index.rooms.clear();
        IOException planted = new IOException("no room");
        index.failsRoom = planted;
        long operations = disk.operations();
        List<@Nullable Object> before = state(engine);
        assertThatThrownBy(() -> write.make(engine, WriteOptions.SYNC)).isSameAs(planted);
        assertThat(index.rooms).containsExactly(write == Write.BATCH ? 2 : 1);
        assertThat(disk.operations()).isEqualTo(operations);
        assertThat(engine.health()).isNull();
        index.failsRoom = null;
        assertThat(state(engine)).isEqualTo(before);
        engine.merge();
        write.make(engine, WriteOptions.DEFAULT);
        engine.close();
    }

    @ParameterizedTest
    @EnumSource
    void anIndexThatFailsBehindTheLogFailsTheEngine(Write write) throws IOException {
        BitcaskEngine engine = builder().open();
        engine.put(KEY, OLD);
        IOException planted = new IOException("broken");
        index.failsChange = planted;
        assertThatThrownBy(() -> write.make(engine, WriteOptions.WRITE))
                .isInstanceOfSatisfying(EngineFailedException.class, e -> {
                    assertThat(e.outcome()).isEqualTo(Outcome.UNKNOWN);
                    assertThat(e).hasMessageContaining("the index failed").hasRootCause(planted);
                });
        assertThat(engine.health()).hasCause(planted);
        index.failsChange = null;
        assertThatThrownBy(() -> engine.put(KEY, NEW))
                .isInstanceOfSatisfying(
                        EngineFailedException.class,
                        e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
        engine.close();
    }

    @ParameterizedTest
    @EnumSource
    void aWriteThatEndsAbruptlyIsThatOfItsWriter(Write write) throws IOException {
        BitcaskEngine engine = builder().open();
        engine.put(KEY, OLD);
        IllegalStateException planted = new IllegalStateException("planted");
        disk.observer(call -> {
            if (call.operation() == IoOperation.WRITE) {
                throw planted;
            }
        });
        assertThatThrownBy(() -> write.make(engine, WriteOptions.WRITE))
                .isInstanceOfSatisfying(EngineException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
                    assertThat(e.outcome()).as("it could not be taken back").isEqualTo(Outcome.UNKNOWN);
                })
                .hasCause(planted);
        disk.observer(null);
        assertThat(engine.health()).isNull();
        assertThat(engine.get(KEY)).isEqualTo(OLD);
        engine.put(KEY, NEW);
        assertThat(engine.get(KEY)).isEqualTo(NEW);
        engine.close();
    }

    @Test
    void whatIsSupersededIsDead() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            engine.put(KEY, OLD);
            long live = engine.stats().space().liveBytes();
            assertThat(live).isPositive();
            assertThat(engine.stats().space().deadBytes()).isZero();
            engine.put(KEY, OLD);
            assertFigures(engine, live, live);
            engine.delete(KEY);
            long written = engine.stats().writes().writtenBytes();
            assertThat(engine.stats().space().liveBytes()).isZero();
            assertThat(engine.stats().space().deadBytes()).isBetween(2 * live + 1, written);
            engine.delete(KEY);
            assertThat(engine.stats().writes().writtenBytes())
                    .as("nothing to delete")
                    .isEqualTo(written);
            WriteBatch batch = new WriteBatch();
            for (int i = 0; i < 100; i++) {
                batch.put(KeyValues.key(i % 50), OLD);
            }
            engine.write(batch.delete(KeyValues.key(7)), WriteOptions.DEFAULT);
            EngineStats stats = engine.stats();
            assertThat(stats.keys()).isEqualTo(49);
            assertThat(stats.lastVersion()).as("the last change to each key").isEqualTo(3 + 50);
            engine.merge();
            assertThat(engine.stats().space().liveBytes())
                    .isEqualTo(stats.space().liveBytes());
            assertThat(engine.stats().space().deadBytes()).isZero();
        }
    }

    private static void assertFigures(BitcaskEngine engine, long live, long dead) {
        assertThat(engine.stats().space().liveBytes()).isEqualTo(live);
        assertThat(engine.stats().space().deadBytes()).isEqualTo(dead);
    }

    /** So that an index can overlap its waits for memory. */
    @Test
    void theKeysOfABatchAreAnnouncedBeforeTheyArePut() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            for (int count : new int[] {1, 31, 32, 33, 65}) {
                WriteBatch batch = new WriteBatch();
                List<String> keys = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    keys.add("key " + count + " " + i);
                    batch.put(KeyValues.bytes(keys.get(i)), KeyValues.bytes("value " + i));
                }
                index.prefetched.clear();
                engine.write(batch, WriteOptions.DEFAULT);
                assertThat(index.prefetched).isEqualTo(keys);
                for (int i = 0; i < count; i++) {
                    assertThat(engine.get(KeyValues.bytes(keys.get(i)))).isEqualTo(KeyValues.bytes("value " + i));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 65_536})
    void keysOfOtherLengthsAreRefused(int length) throws IOException {
        byte[] key = new byte[length];
        WriteOptions options = WriteOptions.DEFAULT;
        try (BitcaskEngine engine = builder().open()) {
            List<ThrowingCallable> writes = List.of(
                    () -> engine.put(key, NEW),
                    () -> engine.putIfAbsent(key, NEW, options),
                    () -> engine.replace(key, OLD, NEW, options),
                    () -> engine.replaceVersion(key, 1, NEW, options),
                    () -> engine.expire(key, options),
                    () -> engine.delete(key),
                    () -> engine.delete(key, OLD, options),
                    () -> engine.write(new WriteBatch().put(KEY, NEW).put(key, NEW), options),
                    () -> engine.write(new WriteBatch().put(KEY, NEW).delete(key), options));
            for (ThrowingCallable write : writes) {
                assertThatThrownBy(write).isInstanceOf(IllegalArgumentException.class);
            }
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().writes().writtenBytes()).isZero();
            engine.put(new byte[65_535], NEW);
            assertThat(engine.get(new byte[65_535])).isEqualTo(NEW);
        }
    }

    @Test
    void anEntryThatHasExpiredIsNotThereForAnyWrite() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            WriteOptions brief = WriteOptions.DEFAULT.timeToLive(Duration.ofMillis(5));
            engine.put(KEY, OLD, brief);
            clock.advance(Duration.ofMillis(4));
            assertThat(engine.putIfAbsent(KEY, NEW, WriteOptions.DEFAULT)).isFalse();
            clock.advance(Duration.ofMillis(1));
            assertThat(engine.delete(KEY)).isFalse();
            assertThat(engine.delete(KEY, OLD, WriteOptions.DEFAULT)).isFalse();
            assertThat(engine.replace(KEY, OLD, NEW, WriteOptions.DEFAULT)).isFalse();
            assertThat(engine.replaceVersion(KEY, 1, NEW, WriteOptions.DEFAULT)).isFalse();
            assertThat(engine.expire(KEY, WriteOptions.DEFAULT)).isFalse();
            assertThat(engine.stats().lastVersion()).isEqualTo(1);
            assertThat(engine.putIfAbsent(KEY, NEW, brief)).isTrue();
            Entry entry = engine.entry(KEY);
            assertThat(entry).isNotNull();
            assertThat(entry.expiresAtMillis()).isEqualTo(clock.millis() + 5);
            engine.put(KEY, NEW, WriteOptions.DEFAULT.expiresAt(clock.instant().plusMillis(9)));
            assertThat(engine.entry(KEY))
                    .isNotNull()
                    .satisfies(at -> assertThat(at.expiresAtMillis()).isEqualTo(clock.millis() + 9));
        }
    }
}
