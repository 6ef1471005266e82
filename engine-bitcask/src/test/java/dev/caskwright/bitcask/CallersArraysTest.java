package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Entry;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A caller that changes an array during a call gets an odd write: the store stays as sound as it was. */
@Timeout(60)
final class CallersArraysTest {
    private static final byte[] OLD = KeyValues.bytes("old");
    private static final int LONG = 300_000;

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    /** Every way to write that takes the caller's key. */
    private enum Write {
        PUT {
            @Override
            void make(BitcaskEngine engine, byte[] key) throws IOException {
                engine.put(key, KeyValues.bytes("new"));
            }
        },
        PUT_IF_ABSENT {
            @Override
            void make(BitcaskEngine engine, byte[] key) throws IOException {
                engine.delete(key.clone());
                engine.putIfAbsent(key, KeyValues.bytes("new"), WriteOptions.DEFAULT);
            }
        },
        REPLACE {
            @Override
            void make(BitcaskEngine engine, byte[] key) throws IOException {
                engine.replace(key, OLD, KeyValues.bytes("new"), WriteOptions.DEFAULT);
            }
        },
        EXPIRE {
            @Override
            void make(BitcaskEngine engine, byte[] key) throws IOException {
                engine.expire(key, WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1)));
            }
        },
        DELETE {
            @Override
            void make(BitcaskEngine engine, byte[] key) throws IOException {
                engine.delete(key);
            }
        },
        DELETE_IF {
            @Override
            void make(BitcaskEngine engine, byte[] key) throws IOException {
                engine.delete(key, OLD, WriteOptions.DEFAULT);
            }
        },
        TRANSACTION {
            @Override
            void make(BitcaskEngine engine, byte[] key) throws IOException {
                Transaction transaction = engine.transaction();
                transaction.get(key);
                transaction.put(key, KeyValues.bytes("new"));
                transaction.commit(WriteOptions.DEFAULT);
            }
        };

        abstract void make(BitcaskEngine engine, byte[] key) throws IOException;
    }

    private BitcaskEngine open() throws IOException {
        return CrashFixture.builder(HOME, disk.factory(HOME), clock)
                .maxFileBytes(1 << 20)
                .imageEveryBytes(0)
                .open();
    }

    /** The log, read again, says the same as the index that was kept while it was written. */
    private void assertLogAndIndexAgree(BitcaskEngine engine) throws IOException {
        NavigableMap<byte[], Entry> before = CrashFixture.content(engine);
        assertThat(engine.health()).isNull();
        engine.close();
        assertThat(BitcaskEngine.verify(HOME, disk.factory(HOME)).damages()).isEmpty();
        try (BitcaskEngine reopened = open()) {
            assertThat(CrashFixture.isSame(before, CrashFixture.content(reopened)))
                    .as("visited before: %s, after reopening: %s", before, CrashFixture.content(reopened))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aKeyThatChangesWhileItsRecordIsWritten(Write write) throws IOException {
        BitcaskEngine engine = open();
        engine.put(KeyValues.bytes("key1"), OLD);
        engine.put(KeyValues.bytes("key2"), OLD);
        byte[] key = KeyValues.bytes("key1");
        disk.observer(call -> {
            if (call.operation() == IoOperation.WRITE) {
                key[3] = '2';
            }
        });
        write.make(engine, key);
        disk.observer(null);
        assertThat(engine.get(KeyValues.bytes("key2"))).isEqualTo(OLD);
        assertLogAndIndexAgree(engine);
    }

    @Test
    void aKeyThatChangesWhileASnapshotIsOpen() throws IOException {
        BitcaskEngine engine = open();
        engine.put(KeyValues.bytes("key1"), OLD);
        byte[] key = KeyValues.bytes("key1");
        try (var snapshot = engine.snapshot()) {
            disk.observer(call -> key[3] = '2');
            engine.put(key, KeyValues.bytes("new"));
            disk.observer(null);
            assertThat(snapshot.get(KeyValues.bytes("key1"))).isEqualTo(OLD);
            assertThat(snapshot.get(KeyValues.bytes("key2"))).isNull();
        }
        assertLogAndIndexAgree(engine);
    }

    /** Long values are written from the caller's array: a record with a wrong checksum would be damage for good. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100_000, LONG - 1})
    void aLongValueThatChangesWhileItIsWritten(int changed) throws IOException {
        BitcaskEngine engine = open();
        byte[] value = new byte[LONG];
        int[] writes = new int[1];
        disk.observer(call -> {
            if (call.operation() == IoOperation.WRITE) {
                value[changed] = (byte) ++writes[0];
            }
        });
        engine.put(KeyValues.bytes("long"), value);
        disk.observer(null);
        assertThat(engine.get(KeyValues.bytes("long"))).hasSize(LONG);
        engine.put(KeyValues.bytes("later"), OLD, WriteOptions.SYNC);
        assertThat(BitcaskEngine.verify(HOME, disk.peekKill().factory(HOME)).damages())
                .isEmpty();
        assertLogAndIndexAgree(engine);
    }

    @Test
    void longValuesOfEveryLengthOfTheLastPieceAreReadBack() throws IOException {
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        BitcaskEngine engine = open();
        for (int i = 0; i < 40; i++) {
            byte[] value = new byte[65_536 * (1 + i % 3) + i];
            random.nextBytes(value);
            engine.put(KeyValues.bytes("key" + i), value);
            assertThat(engine.get(KeyValues.bytes("key" + i)))
                    .as("seed=%d, i=%d", seed, i)
                    .isEqualTo(value);
        }
        assertLogAndIndexAgree(engine);
    }

    /** The arrays of a batch are copied when they are given to it: what a thread does to them meanwhile is not seen twice. */
    @Test
    void arraysThatAnotherThreadChangesWhileABatchIsFilled() throws Exception {
        BitcaskEngine engine = open();
        byte[] key = KeyValues.bytes("key0");
        byte[] value = new byte[100];
        Thread changing = new Thread(() -> {
            for (int i = 0; !Thread.currentThread().isInterrupted(); i++) {
                key[3] = (byte) ('0' + i % 3);
                value[i % value.length]++;
            }
        });
        changing.start();
        try {
            for (int round = 0; round < 200; round++) {
                WriteBatch batch = new WriteBatch();
                for (int i = 0; i < 50; i++) {
                    batch.put(key, value);
                    batch.delete(key);
                    batch.put(key, value);
                }
                assertThat(batch.size()).isBetween(1, 3);
                assertThat(batch.changes().stream()
                                .map(WriteBatch.Change::key)
                                .map(Arrays::toString)
                                .distinct())
                        .hasSize(batch.size());
                engine.write(batch, WriteOptions.DEFAULT);
            }
        } finally {
            changing.interrupt();
            changing.join();
        }
        assertLogAndIndexAgree(engine);
    }
}
