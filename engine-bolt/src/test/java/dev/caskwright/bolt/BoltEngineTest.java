package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Salvaging;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.Spaces;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import dev.caskwright.api.spi.engine.EngineSettings;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is the bolt engine's own as a store of the toolkit; the shared contracts test the rest. */
final class BoltEngineTest {
    private final EngineProvider provider = Backends.engine("bolt");

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("store.db");
    }

    private StorageEngine open(Access access) throws IOException {
        return provider.open(file(), EngineSettings.of(access));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static List<String> keys(StorageEngine engine, Range range) throws IOException {
        List<String> keys = new ArrayList<>();
        try (Cursor cursor = engine.ordered().range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                keys.add(new String(entry.key(), UTF_8));
            }
        }
        return keys;
    }

    @Test
    void aStoreIsABucketThatBoltToolsSee() throws Exception {
        try (StorageEngine engine = open(Access.CREATE)) {
            engine.put(bytes("a"), bytes("1"));
        }
        try (BoltDatabase database = BoltDatabase.open(file())) {
            assertThat(database.<byte[]>query(
                            transaction -> transaction.bucket(bytes("data")).get(bytes("a"))))
                    .isEqualTo(bytes("1"));
        }
    }

    @Test
    void writesThatAreNotToBeForcedAreForcedByThoseThatAskForSyncAlone() throws Exception {
        EngineSettings settings = new EngineSettings(Access.CREATE, null, Map.of("forces", "on-sync"));
        try (BoltEngine engine = (BoltEngine) provider.open(file(), settings)) {
            BoltDatabase database = engine.database();
            engine.put(bytes("a"), bytes("1"));
            engine.put(bytes("b"), bytes("1"), WriteOptions.DEFAULT);
            assertThat(database.stats().forces()).isZero();
            engine.put(bytes("c"), bytes("1"), WriteOptions.SYNC);
            assertThat(database.stats().forces()).isEqualTo(1);
            engine.sync(); // everything is durable already
            assertThat(database.stats().forces()).isEqualTo(1);
            engine.put(bytes("d"), bytes("1"));
            engine.sync();
            assertThat(database.stats().forces()).isEqualTo(2);
        }
        try (BoltEngine engine = (BoltEngine) provider.open(file(), settings.durability(Durability.SYNC))) {
            engine.put(bytes("a"), bytes("2"));
            assertThat(engine.database().stats().forces()).isEqualTo(1);
            engine.put(bytes("a"), bytes("2"), WriteOptions.WRITE);
            assertThat(engine.database().stats().forces()).isEqualTo(1);
        }
        try (BoltEngine engine = (BoltEngine) open(Access.WRITE)) {
            engine.put(bytes("a"), bytes("2"));
            assertThat(engine.database().stats().forces()).isEqualTo(2); // data, meta page
        }
        EngineSettings wrong = new EngineSettings(Access.CREATE, null, Map.of("forces", "never"));
        assertThatThrownBy(() -> provider.open(file(), wrong))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("each-commit or on-sync: never");
    }

    /** A force needs a reader, so that the file stays open; where there may be none, what was written is there all the same. */
    @Test
    void aWriteWhoseForceIsRefusedIsToldAsApplied() throws Exception {
        BoltDatabase database =
                BoltDatabase.builder(file()).forcesCommits(false).maxReaders(1).open();
        try (BoltEngine engine = BoltEngine.over(database, List.of(bytes("data")), true)) {
            try (BoltTransaction reader = database.beginRead()) {
                assertThatThrownBy(() -> engine.put(bytes("a"), bytes("1"), WriteOptions.SYNC))
                        .isInstanceOfSatisfying(
                                EngineException.class,
                                e -> assertThat(e.outcome()).isEqualTo(Outcome.APPLIED));
                assertThat(reader.isWritable()).isFalse();
            }
            assertThat(engine.get(bytes("a"))).isEqualTo(bytes("1"));
        }
    }

    @Test
    void whatWasForcedSurvivesAPowerLossAlsoWhereOtherWritesAreNot() throws Exception {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        Path place = Path.of("/simulated/store.db");
        BoltDatabase database = BoltDatabase.builder(place)
                .io(disk.factory())
                .forcesCommits(false)
                .open();
        try (BoltEngine engine = BoltEngine.over(database, List.of(bytes("data")), true)) {
            for (int i = 0; i < 20; i++) {
                engine.put(bytes("key" + i), bytes("value"));
                engine.put(bytes("synced"), bytes("" + i), WriteOptions.SYNC);
                for (int loss = 0; loss < 5; loss++) {
                    try (BoltDatabase found = BoltDatabase.builder(place)
                            .io(disk.peekPowerLoss(loss).factory())
                            .open()) {
                        assertThat(found.check().problems()).isEmpty();
                        byte[] synced = found.query(
                                transaction -> transaction.bucket(bytes("data")).get(bytes("synced")));
                        assertThat(synced).as("loss " + loss).isEqualTo(bytes("" + i));
                    }
                }
            }
        }
    }

    @Test
    void aMissingBucketIsMadeOnlyByThoseThatCreate() throws Exception {
        BoltDatabase.open(file()).close();
        for (Access access : new Access[] {Access.READ, Access.WRITE}) {
            assertThatThrownBy(() -> open(access))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("bucket=data");
        }
        open(Access.CREATE).close();
        open(Access.READ).close();
    }

    @Test
    void aBucketIsNamedByItsPath() throws Exception {
        EngineSettings deep = EngineSettings.of(Access.CREATE).option("bucket", "a/b/c");
        try (StorageEngine engine = provider.open(file(), deep)) {
            engine.put(bytes("k"), bytes("v"));
            assertThat(engine.describe()).contains("a/b/c");
        }
        try (StorageEngine outer = provider.open(file(), deep.option("bucket", "a/b"))) {
            assertThat(outer.size()).isZero();
            StorageEngine inner = outer.require(Spaces.class).space(bytes("c")).orElseThrow();
            assertThat(inner.get(bytes("k"))).isEqualTo(bytes("v"));
        }
    }

    @Test
    void spacesAreNestedBucketsAndNoKeys() throws Exception {
        try (StorageEngine engine = open(Access.CREATE)) {
            Spaces spaces = engine.require(Spaces.class);
            StorageEngine inner = spaces.createSpace(bytes("inner"));
            engine.put(bytes("x"), bytes("outer"));
            inner.put(bytes("x"), bytes("inner"));
            assertThat(keys(engine, Range.all())).containsExactly("x");
            assertThat(engine.get(bytes("inner"))).isNull();
            assertThat(engine.size()).isEqualTo(1);
            assertThatThrownBy(() -> engine.put(bytes("inner"), bytes("1"))).isInstanceOf(BucketException.class);
            assertThatThrownBy(() -> spaces.createSpace(bytes("x"))).isInstanceOf(BucketException.class);
            assertThat(spaces.spaceNames()).containsExactly(bytes("inner"));

            inner.close();
            assertThatThrownBy(() -> inner.get(bytes("x"))).isInstanceOf(EngineClosedException.class);
            StorageEngine again = spaces.space(bytes("inner")).orElseThrow();
            assertThat(again.get(bytes("x"))).isEqualTo(bytes("inner"));
            assertThat(spaces.dropSpace(bytes("inner"))).isTrue();
            assertThat(spaces.dropSpace(bytes("inner"))).isFalse();
            assertThatThrownBy(() -> again.get(bytes("x"))).isInstanceOf(EngineClosedException.class);
            assertThatThrownBy(() -> again.put(bytes("x"), bytes("1"))).isInstanceOf(EngineClosedException.class);
            assertThat(engine.get(bytes("x"))).isEqualTo(bytes("outer"));
        }
    }

    @Test
    void aValueThatWasWrittenAgainHasChangedForATransaction() throws Exception {
        try (StorageEngine engine = open(Access.CREATE)) {
            engine.put(bytes("a"), bytes("1"));
            Transaction first = engine.require(Transactions.class).transaction();
            first.get(bytes("a"));
            first.get(bytes("absent"));
            first.put(bytes("result"), bytes("1"));
            engine.put(bytes("a"), bytes("1"));
            assertThat(first.commit(WriteOptions.DEFAULT)).isFalse();

            Transaction second = engine.require(Transactions.class).transaction();
            second.get(bytes("absent"));
            second.put(bytes("result"), bytes("2"));
            engine.put(bytes("absent"), bytes("comes"));
            engine.delete(bytes("absent"));
            assertThat(second.commit(WriteOptions.DEFAULT)).isTrue();
            assertThat(engine.get(bytes("result"))).isEqualTo(bytes("2"));
        }
    }

    @Test
    void whatIsNotHeldIsRefusedBeforeAnythingIsWritten() throws Exception {
        try (StorageEngine engine = open(Access.CREATE)) {
            assertThat(engine.facet(Expiry.class)).isEmpty();
            WriteOptions expiring = WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1));
            assertThatThrownBy(() -> engine.put(bytes("a"), bytes("1"), expiring))
                    .isInstanceOf(MissingFacetException.class);
            assertThat(engine.size()).isZero();
        }
    }

    @Test
    void snapshotsAndCursorsEndWithTheStore() throws Exception {
        StorageEngine engine = open(Access.CREATE);
        engine.put(bytes("a"), bytes("1"));
        Snapshot snapshot = engine.snapshot();
        Cursor cursor = engine.cursor();
        Cursor ofSnapshot = snapshot.cursor();
        engine.close();
        assertThatThrownBy(() -> snapshot.get(bytes("a"))).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(cursor::next).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(ofSnapshot::next).isInstanceOf(EngineClosedException.class);
        open(Access.WRITE).close(); // the lock is free, although nothing of these was closed
        snapshot.close();
        cursor.close();
    }

    @Test
    void rangesAreWalkedBothWays() throws Exception {
        try (StorageEngine engine = open(Access.CREATE)) {
            for (String key : List.of("a", "b", "c", "d")) {
                engine.put(bytes(key), bytes(key));
            }
            engine.require(Spaces.class).createSpace(bytes("bb"));
            Range middle = Range.all().from(bytes("a"), false).to(bytes("c"), true);
            assertThat(keys(engine, middle)).containsExactly("b", "c");
            assertThat(keys(engine, middle.descending(true))).containsExactly("c", "b");
            assertThat(keys(engine, Range.all().to(bytes("bb"), true).descending(true)))
                    .containsExactly("b", "a");
            assertThat(keys(
                            engine,
                            Range.all().to(bytes("zz"), true).descending(true).limit(1)))
                    .containsExactly("d");
        }
    }

    @Test
    void aStoreAtRestIsVerifiedAndSalvaged() throws Exception {
        try (StorageEngine engine = open(Access.CREATE)) {
            engine.put(bytes("a"), bytes("1"));
        }
        var atRest = provider.atRest(file(), EngineSettings.of(Access.READ));
        assertThat(atRest.require(Integrity.class).verify().isSound()).isTrue();
        Path saved = directory.resolve("saved.db");
        assertThat(atRest.require(Salvaging.class).salvage(saved).records()).isEqualTo(1);
        assertThatThrownBy(() -> atRest.require(Salvaging.class).salvage(file()))
                .isInstanceOf(IllegalArgumentException.class);

        byte[] content = Files.readAllBytes(file());
        Arrays.fill(content, 2 * 4096, content.length, (byte) 0);
        Files.write(file(), content);
        assertThat(atRest.require(Integrity.class).verify().isSound()).isFalse();
    }
}
