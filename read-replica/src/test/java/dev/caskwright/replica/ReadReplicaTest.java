package dev.caskwright.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a replica does, and what becomes of it when something goes wrong at each step. */
final class ReadReplicaTest extends ReplicaFixture {
    private BitcaskEngine source;

    @BeforeEach
    void open() throws IOException {
        source = sourceBuilder().open();
        for (int i = 0; i < 50; i++) {
            put(source, "key" + i, "value" + i);
        }
    }

    @AfterEach
    void close() throws IOException {
        source.close();
    }

    private static ReplicaStats stats(ReadReplica replica) {
        return replica.store().stats().group(ReplicaStats.class).orElseThrow();
    }

    @Test
    void changesOfEachKindComeInBatchesAndExpireAlike() throws IOException {
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            assertSame(replica, source);
            source.delete(bytes("key1"));
            source.write(new WriteBatch().put(bytes("a"), bytes("1")).delete(bytes("key2")), WriteOptions.DEFAULT);
            source.put(bytes("mortal"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofMinutes(1)));
            source.put(bytes("key3"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofMinutes(1)));
            source.persist(bytes("key3"));
            assertSame(replica, source);
            Entry mortal = replica.store().entry(bytes("mortal"));
            assertThat(mortal).isNotNull();
            assertThat(mortal.expiresAtMillis()).isEqualTo(clock.millis() + 60_000);
            clock.advance(Duration.ofHours(1));
            assertThat(replica.store().contains(bytes("mortal"))).isFalse();
            assertSame(replica, source);
            assertThat(replica.store().size()).isEqualTo(source.size());
            assertThat(stats(replica).copies()).isEqualTo(1);
            assertThat(stats(replica).changes()).isEqualTo(6);
            assertThat(stats(replica).lagVersions()).isZero();
            assertThat(replica.store().stats().lastVersion())
                    .isEqualTo(source.stats().lastVersion());
        }
    }

    @Test
    void itsOwnRecordIsNotToBeSeenAndWritesAreRefused() throws IOException {
        source.put(Position.key(), bytes("of the source"));
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            StorageEngine store = replica.store();
            for (int round = 0; round < 2; round++) {
                assertThat(store.get(Position.key())).isNull();
                assertThat(store.contains(Position.key())).isFalse();
                assertThat(store.entry(Position.key())).isNull();
                assertThat(store.getAll(bytes("key1"), Position.key()))
                        .isDeepEqualTo(new byte[][] {bytes("value1"), null});
                assertThat(content(store)).hasSize(50);
                assertThat(store.size()).isEqualTo(50);
                assertThat(walk(store.ordered()
                                .range(Range.all().descending(true).limit(2))))
                        .containsExactly("key9", "key8");
                source.put(bytes("key1"), bytes("value1"));
                source.put(Position.key(), bytes("of the source again"));
                replica.catchUp();
            }
            assertThatThrownBy(() -> store.put(bytes("a"), bytes("b")))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
        }
    }

    private static List<String> walk(Cursor cursor) throws IOException {
        List<String> keys = new ArrayList<>();
        try (cursor) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                keys.add(new String(entry.key(), UTF_8));
            }
        }
        return keys;
    }

    @Test
    void itGoesOnWhereItWasAndReadsWhileTheSourceIsAway() throws IOException {
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            put(source, "a", "1");
            replica.catchUp();
        }
        source.close();
        ReplicaSource away = look -> {
            throw new IOException("the source is away");
        };
        try (ReadReplica replica = replica(away).open()) {
            assertThat(replica.store().get(bytes("a"))).isEqualTo(bytes("1"));
            assertThatThrownBy(replica::catchUp).hasMessage("the source is away");
        }
        source = sourceBuilder().open();
        put(source, "b", "2");
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            assertSame(replica, source);
            assertThat(stats(replica).copies()).isZero();
            assertThat(stats(replica).changes()).isEqualTo(1);
        }
    }

    @Test
    void aFeedThatDoesNotReachBackIsANewCopyAndReadersKeepTheOldOne() throws IOException {
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            Snapshot snapshot = replica.store().snapshot();
            Cursor cursor = replica.store().cursor();
            dropChanges(source, "v");
            source.delete(bytes("key1"));
            assertSame(replica, source);
            assertThat(stats(replica).copies()).isEqualTo(2);
            assertThat(content(snapshot)).hasSize(50).containsEntry("key1", "value1");
            assertThat(snapshot.version()).isEqualTo(50);
            assertThat(copiesOnDisk()).isEqualTo(2);
            snapshot.close();
            snapshot.close();
            assertThat(copiesOnDisk()).isEqualTo(2);
            assertThat(walk(cursor)).hasSize(50);
            assertThat(copiesOnDisk()).isEqualTo(1);
            put(source, "later", "1");
            assertSame(replica, source);
            assertThat(stats(replica).copies()).isEqualTo(2);
        }
    }

    @Test
    void anotherHistoryOfTheSourceIsANewCopy() throws IOException {
        Path backup = temporary.resolve("backup");
        source.backup(backup);
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            put(source, "key1", "lost");
            put(source, "lost", "1");
            assertSame(replica, source);
        }
        source.close();
        SideFiles.deleteTree(sourceDirectory());
        BitcaskEngine.restore(backup, sourceDirectory(), StandardIoManager::open);
        source = sourceBuilder().open();
        put(source, "key2", "other");
        put(source, "other", "1"); // the version that "lost" had
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            assertThat(replica.store().contains(bytes("lost"))).isTrue();
            assertSame(replica, source);
            assertThat(stats(replica).copies()).isEqualTo(1);
            put(source, "later", "1");
            assertSame(replica, source);
            assertThat(stats(replica).copies()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"copy", "open", "switch", "delete"})
    void aCrashAtEachStepOfACopyIsGoneOnFrom(String step) throws IOException {
        for (boolean isFirst : new boolean[] {true, false}) {
            ReplicaBuilder crashing = replica(ReplicaSource.of(source));
            boolean[] isArmed = {isFirst};
            crashing.steps = next -> {
                if (isArmed[0] && next.equals(step)) {
                    throw new IllegalStateException("crash");
                }
            };
            if (isFirst) {
                assertThatThrownBy(crashing::open).hasMessage("crash");
            } else {
                try (ReadReplica replica = crashing.open()) {
                    dropChanges(source, "v");
                    isArmed[0] = true;
                    assertThatThrownBy(replica::catchUp).hasMessage("crash");
                    assertThat(replica.store().contains(bytes("key1"))).isTrue();
                }
            }
            put(source, "later", "of " + isFirst);
            try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
                assertSame(replica, source);
                assertThat(copiesOnDisk()).isEqualTo(1);
            }
        }
    }

    @Test
    void aPartOfACopyOfAnotherHistoryIsMadeAnew() throws IOException {
        ReplicaBuilder crashing = replica(ReplicaSource.of(source));
        crashing.steps = next -> {
            if (next.equals("switch")) {
                throw new IllegalStateException("crash");
            }
        };
        assertThatThrownBy(crashing::open).hasMessage("crash");
        assertThat(copiesOnDisk()).isEqualTo(1);
        source.close();
        SideFiles.deleteTree(sourceDirectory());
        source = sourceBuilder().open();
        put(source, "of another store", "1");
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            assertSame(replica, source);
        }
    }

    @Test
    void aFullDiskLosesNothingAndIsGoneOnFromOnceThereIsRoom() throws IOException {
        FullDisk disk = new FullDisk();
        ReplicaBuilder onDisk = ReadReplica.builder(directory(), ReplicaSource.of(source))
                .store(copy -> small(copy).io(disk::open).open());
        try (ReadReplica replica = onDisk.open()) {
            disk.fillAfter(0);
            for (int i = 0; i < 200; i++) {
                put(source, "more" + i, "value".repeat(20));
            }
            assertThatThrownBy(replica::catchUp)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_SPACE));
            assertThat(replica.store().get(bytes("key1"))).isEqualTo(bytes("value1"));
            assertThat(stats(replica).lagVersions()).isPositive();
            disk.free();
            assertSame(replica, source);
            assertThat(stats(replica).copies()).isEqualTo(1);
        }
    }

    @Test
    void aStoreThatNobodyHasOpenIsReadAgainUntilAllIsTaken() throws IOException {
        FullDisk disk = new FullDisk();
        source.close();
        int[] openings = {0};
        ReplicaSource closed = ReplicaSource.at(sourceDirectory(), () -> {
            openings[0]++;
            return sourceBuilder().readOnly(true).open();
        });
        try (ReadReplica replica = ReadReplica.builder(directory(), closed)
                .store(copy -> small(copy).io(disk::open).open())
                .open()) {
            try (BitcaskEngine writer = sourceBuilder().open()) {
                for (int i = 0; i < 200; i++) {
                    put(writer, "more" + i, "value".repeat(20));
                }
            }
            disk.fillAfter(0);
            assertThatThrownBy(replica::catchUp).isInstanceOf(IOException.class);
            disk.free();
            replica.catchUp();
            int before = openings[0];
            replica.catchUp();
            assertThat(openings[0] - before).as("nothing has changed").isLessThanOrEqualTo(1);
            replica.catchUp();
            replica.catchUp();
            assertThat(openings[0] - before).as("nothing has changed").isLessThanOrEqualTo(1);
            source = sourceBuilder().open();
            assertThat(content(replica.store())).isEqualTo(content(source));
        }
    }

    @Test
    void itFollowsAndTellsWhyIfItCannot() throws Exception {
        ReplicaSource[] now = {ReplicaSource.of(source)};
        try (ReadReplica replica = replica(look -> now[0].look(look))
                .follow(Duration.ofMillis(1))
                .longestPause(Duration.ofMillis(4))
                .open()) {
            put(source, "a", "1");
            assertThat(replica.awaitVersion(source.moment().version(), Duration.ofMinutes(1)))
                    .isTrue();
            assertThat(replica.store().get(bytes("a"))).isEqualTo(bytes("1"));
            source.close();
            while (replica.store().retries().isEmpty()) {
                Thread.onSpinWait();
            }
            assertThat(replica.store().retries().get(0).cause()).isInstanceOf(EngineClosedException.class);
            assertThat(replica.store().health()).isNull();
            assertThat(replica.store().get(bytes("a"))).isEqualTo(bytes("1"));
            source = sourceBuilder().open();
            now[0] = ReplicaSource.of(source);
            put(source, "a", "2");
            assertThat(replica.awaitVersion(source.moment().version(), Duration.ofMinutes(1)))
                    .isTrue();
            assertThat(replica.store().get(bytes("a"))).isEqualTo(bytes("2"));
            while (!replica.store().retries().isEmpty()) {
                Thread.onSpinWait(); // until the look has ended
            }
            assertThat(replica.awaitVersion(Long.MAX_VALUE, Duration.ofMillis(1)))
                    .isFalse();
        }
    }

    @Test
    void readersSeeWholeBatchesWhileCopiesTakeTheirPlace() throws Exception {
        Object between = new Object(); // looks
        source.write(pair(0), WriteOptions.DEFAULT);
        try (ReadReplica replica = replica(look -> {
                    synchronized (between) {
                        look.at(source);
                    }
                })
                .follow(Duration.ofMillis(1))
                .open()) {
            for (int i = 1; i <= 300; i++) {
                synchronized (between) {
                    source.write(pair(i), WriteOptions.DEFAULT);
                    if (i % 60 == 0) {
                        source.merge();
                    }
                }
                try (Snapshot snapshot = replica.store().snapshot()) {
                    assertThat(snapshot.get(bytes("left"))).isEqualTo(snapshot.get(bytes("right")));
                }
                assertThat(replica.store().contains(bytes("left"))).isTrue();
            }
            assertThat(replica.awaitVersion(source.moment().version(), Duration.ofMinutes(5)))
                    .isTrue();
            assertThat(stats(replica).copies()).isGreaterThan(1);
            assertThat(content(replica.store())).isEqualTo(content(source));
        }
    }

    private static WriteBatch pair(int i) {
        byte[] value = bytes("value".repeat(10) + i);
        return new WriteBatch().put(bytes("left"), value).put(bytes("right"), value);
    }

    @Test
    void aBackupOfAReplicaIsAStoreAndCanBeASource() throws IOException {
        Path promoted = temporary.resolve("promoted");
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            put(source, "a", "1");
            replica.catchUp();
            replica.store().require(Backups.class).backup(promoted);
            assertThat(replica.store().facet(ChangeFeed.class)).isEmpty();
        }
        try (BitcaskEngine next = BitcaskEngine.builder(promoted).clock(clock).open()) {
            for (int i = 0; i < 3; i++) {
                try (ReadReplica second = ReadReplica.builder(temporary.resolve("second"), ReplicaSource.of(next))
                        .store(copy -> small(copy).open())
                        .open()) {
                    assertThat(second.position()).isEqualTo(next.moment());
                    if (i > 0) {
                        put(next, "b", "" + i); // before that, what the copy came with is all there is
                    }
                    second.catchUp();
                    assertThat(second.position()).isEqualTo(next.moment());
                    assertThat(second.store().get(bytes("a"))).isEqualTo(bytes("1"));
                    assertThat(second.store().size()).isEqualTo(i == 0 ? 51 : 52);
                }
            }
        }
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            assertSame(replica, source);
            assertThat(stats(replica).copies()).isZero();
        }
    }

    @Test
    void aDirectoryHasOneReplicaAndNothingElse() throws IOException {
        try (ReadReplica replica = replica(ReplicaSource.of(source)).open()) {
            assertThatThrownBy(() -> replica(ReplicaSource.of(source)).open())
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining(directory().toString());
            assertSame(replica, source);
        }
        Path other = Files.createDirectory(temporary.resolve("other"));
        Files.writeString(other.resolve("letter"), "dear");
        for (Path wrong : List.of(other, sourceDirectory())) {
            assertThatThrownBy(() ->
                            ReadReplica.builder(wrong, ReplicaSource.of(source)).open())
                    .isInstanceOf(UnsupportedFormatException.class)
                    .hasMessageContaining(wrong.toString());
            assertThat(wrong.resolve("lock")).doesNotExist();
        }
        assertThat(other.resolve("letter")).hasContent("dear");
        SideFiles.deleteTree(directory().resolve("copy-1"));
        assertThatThrownBy(() -> replica(ReplicaSource.of(source)).open())
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("copy-1");
        assertThatThrownBy(() -> ReadReplica.builder(sourceDirectory().resolve("in"), ReplicaSource.of(source))
                        .open())
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aClosedReplicaRefuses() throws IOException {
        ReadReplica replica = replica(ReplicaSource.of(source)).open();
        Snapshot snapshot = replica.store().snapshot();
        replica.close();
        replica.close();
        snapshot.close();
        assertThat(copiesOnDisk()).isEqualTo(1);
        assertThatThrownBy(() -> replica.store().get(bytes("key1"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(replica::catchUp).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> replica.awaitVersion(1_000, Duration.ofSeconds(1)))
                .isInstanceOf(EngineClosedException.class);
    }
}
