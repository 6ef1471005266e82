package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ChangeFeedTest extends FeatureFixture {
    private static List<String> changes(BitcaskEngine engine, long version) throws IOException {
        List<String> changes = new ArrayList<>();
        engine.changes(version, change -> changes.add(describe(change)));
        return changes;
    }

    private static String describe(Change change) {
        return change.version() + " " + text(change.key()) + "=" + text(change.value())
                + (change.isLastOfBatch() ? "" : " ...");
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void changesComeInOrderAndBatchesAreMarked(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        put(engine, "a", "1");
        delete(engine, "absent"); // writes nothing
        delete(engine, "a");
        engine.write(
                new WriteBatch().put(bytes("b"), bytes("2")).delete(bytes("c")).put(bytes("d"), bytes("3")),
                WriteOptions.DEFAULT);
        engine.write(new WriteBatch().put(bytes("e"), bytes("4")), WriteOptions.DEFAULT);
        engine.write(new WriteBatch().put(bytes("f"), bytes("5")).put(bytes("g"), bytes("6")), WriteOptions.DEFAULT);
        put(engine, "h", "7");
        List<String> all = List.of(
                "1 a=1", "2 a=null", "3 b=2 ...", "4 c=null ...", "5 d=3", "6 e=4", "7 f=5 ...", "8 g=6", "9 h=7");
        for (int run = 0; run < 2; run++) {
            for (int version = 0; version <= all.size(); version++) {
                assertThat(changes(engine, version)).isEqualTo(all.subList(version, all.size()));
            }
            engine.close();
            engine = backend.builder(directory(), clock).open();
        }
        engine.close();
    }

    @Test
    void aVisitorStopsAndGoesOn() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 40, "value");
        List<Long> versions = new ArrayList<>();
        long version = 0;
        while (true) {
            int before = versions.size();
            long reached = engine.changes(version, change -> {
                versions.add(change.version());
                return versions.size() % 7 != 0;
            });
            if (versions.size() == before) {
                assertThat(reached).isEqualTo(version);
                break;
            }
            version = reached;
        }
        assertThat(versions).hasSize(40).isSorted().doesNotHaveDuplicates();
        engine.close();
    }

    @Test
    void expiriesAreToldAsTheyWereWritten() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value", Duration.ofMinutes(1));
        long deadline = clock.millis() + 60_000;
        clock.advance(Duration.ofHours(1));
        assertThat(get(engine, "key")).isNull();
        List<Long> deadlines = new ArrayList<>();
        engine.changes(0, change -> deadlines.add(change.expiresAtMillis()));
        assertThat(deadlines).containsExactly(deadline);
        engine.close();
    }

    @Test
    void whatAMergeHasDroppedIsSaidToBeGone() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 30, "old");
        engine.merge();
        long merged = engine.stats().lastVersion();
        assertCode(ErrorCode.CHANGES_GONE, () -> changes(engine, 0));
        assertCode(ErrorCode.CHANGES_GONE, () -> changes(engine, merged - 1));
        assertThat(changes(engine, merged)).isEmpty();
        put(engine, "key", "new");
        assertThat(changes(engine, merged)).containsExactly(merged + 1 + " key=new");
        engine.close();
        BitcaskEngine reopened = open();
        assertCode(ErrorCode.CHANGES_GONE, () -> changes(reopened, merged - 1));
        assertThat(changes(reopened, merged)).hasSize(1);
        reopened.close();
    }

    @Test
    void asManyBytesAsAskedForAreKeptFromMerges() throws IOException {
        BitcaskEngine engine =
                builder().maxFileBytes(4_000).changesRetainedBytes(3_000).open();
        for (int i = 0; i < 1_000; i++) {
            put(engine, "key" + i % 5, "v".repeat(40) + i);
        }
        long last = engine.stats().lastVersion();
        engine.merge();
        int recordBytes = 80;
        long kept = 3_000 / recordBytes;
        List<String> changes = changes(engine, last - kept);
        assertThat(changes).hasSize((int) kept).last().asString().startsWith(last + " key4=");
        assertCode(ErrorCode.CHANGES_GONE, () -> changes(engine, 0));
        assertThat(engine.size()).isEqualTo(5);
        engine.close();
    }

    @Test
    void aFollowerBesideAWriterMissesNothing() throws Exception {
        BitcaskEngine engine = open();
        int count = 2_000;
        FutureTask<Boolean> writer = new FutureTask<>(() -> {
            for (int i = 0; i < count; i += 2) {
                WriteBatch batch =
                        new WriteBatch().put(bytes("one"), bytes("" + i)).put(bytes("two"), bytes("" + i));
                engine.write(batch, WriteOptions.DEFAULT);
            }
            return true;
        });
        new Thread(writer).start();
        List<Change> seen = new ArrayList<>();
        long version = 0;
        while (version < count) {
            version = engine.changes(version, change -> seen.add(change));
            if (!seen.isEmpty()) {
                assertThat(seen.get(seen.size() - 1).isLastOfBatch())
                        .as("a batch is seen as a whole")
                        .isTrue();
            }
        }
        assertThat(writer.get(30, TimeUnit.SECONDS)).isTrue();
        assertThat(seen).extracting(Change::version).hasSize(count).isSorted().doesNotHaveDuplicates();
        for (int i = 0; i < count; i += 2) {
            assertThat(text(seen.get(i).value())).isEqualTo(text(seen.get(i + 1).value()));
        }
        engine.close();
    }
}
