package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.pair;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The change feed: what an engine that holds {@link ChangeFeed} must do. */
public interface ChangeFeedContract extends EngineFixture {
    WriteOptions OPTIONS = WriteOptions.DEFAULT;
    Duration SECOND = Duration.ofSeconds(1);

    /**
     * As {@link #open(Path, InstantSource)}, for an engine whose merges drop changes in the background: has it keep a mebibyte of them, for
     * tests that read what they wrote.
     */
    default StorageEngine openKeepingChanges(Path directory, InstantSource clock) throws IOException {
        return open(directory, clock);
    }

    @Test
    default void changesComeInTheOrderOfTheirCommit() throws Exception {
        try (StorageEngine engine = openKeepingChanges(directory(), clock())) {
            assertThat(changes(engine, 0)).isEmpty();
            assertThat(engine.require(ChangeFeed.class).changes(0, change -> true))
                    .isZero();
            engine.put(bytes("a"), bytes("1"));
            engine.put(bytes("b"), bytes("2"));
            engine.delete(bytes("a"));
            engine.write(pair(7), OPTIONS);
            assertThat(changes(engine, 0)).containsExactly("a=1", "b=2", "a gone", "left=7 ...", "right=7");

            List<Long> versions = new ArrayList<>();
            long first = engine.require(ChangeFeed.class).changes(0, change -> {
                versions.add(change.version());
                return versions.size() < 2;
            });
            assertThat(versions).hasSize(2);
            assertThat(versions.get(0)).isLessThan(versions.get(1));
            assertThat(first).isEqualTo(versions.get(1));
            assertThat(changes(engine, first)).containsExactly("a gone", "left=7 ...", "right=7");

            long last = engine.require(ChangeFeed.class).changes(first, change -> true);
            assertThat(last).isEqualTo(engine.stats().lastVersion());
            assertThat(engine.require(ChangeFeed.class).changes(last, change -> true))
                    .isEqualTo(last);
            engine.put(bytes("c"), bytes("3"));
            assertThat(changes(engine, last)).containsExactly("c=3");
        }
        try (StorageEngine engine = openKeepingChanges(directory(), clock())) {
            assertThat(changes(engine, 0)).hasSize(6).endsWith("c=3");
        }
    }

    private static List<String> changes(StorageEngine engine, long version) throws IOException {
        List<String> changes = new ArrayList<>();
        engine.require(ChangeFeed.class).changes(version, change -> changes.add(describe(change)));
        return changes;
    }

    private static String describe(Change change) {
        byte[] value = change.value();
        return text(change.key())
                + (value == null ? " gone" : "=" + text(value))
                + (change.expiresAtMillis() == Entry.NEVER ? "" : " until " + change.expiresAtMillis())
                + (change.isLastOfBatch() ? "" : " ...");
    }

    @Test
    default void changesAreAllThereOrSaidToBeGone() throws Exception {
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 50; i++) {
                engine.put(bytes(i % 5), bytes(i));
            }
            long last = engine.stats().lastVersion();
            merge(engine);
            engine.put(bytes("after"), bytes("merge"));
            assertThat(changes(engine, last)).containsExactly("after=merge");
            try {
                assertThat(changes(engine, 0)).hasSize(51);
            } catch (EngineException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.CHANGES_GONE);
            }
        }
    }

    @Test
    default void aBatchHasOneEndInTheFeed() throws Exception {
        StringBuilder expected = new StringBuilder();
        try (StorageEngine engine = open()) {
            for (int size : new int[] {1, 2, 3, 7, 40, 1}) {
                WriteBatch batch = new WriteBatch();
                for (int i = 0; i < size; i++) {
                    if (i % 3 == 1) {
                        batch.delete(bytes(1_000 + i));
                    } else {
                        batch.put(bytes(i), bytes(size));
                    }
                }
                engine.write(batch, OPTIONS);
                expected.append(".".repeat(size - 1)).append('|');
            }
            assertThat(ends(engine)).isEqualTo(expected.toString());
        }
        try (StorageEngine engine = open()) {
            assertThat(ends(engine)).isEqualTo(expected.toString());
        }
    }

    private static String ends(StorageEngine engine) throws IOException {
        StringBuilder ends = new StringBuilder();
        engine.require(ChangeFeed.class).changes(0, change -> ends.append(change.isLastOfBatch() ? '|' : '.') != null);
        return ends.toString();
    }

    @Test
    default void aChangeOfExpiryIsInTheFeed() throws Exception {
        try (StorageEngine engine = open()) {
            if (engine.facet(Expiry.class).isEmpty()) {
                return; // such an engine has no change of expiry
            }
            engine.put(bytes("a"), bytes("1"), OPTIONS.timeToLive(SECOND));
            assertThat(changes(engine, 0)).containsExactly("a=1 until " + (clock().millis() + 1_000));
            long before = engine.stats().lastVersion();
            assertThat(engine.require(Expiry.class).expire(bytes("a"), OPTIONS.timeToLive(SECOND)))
                    .isTrue();
            assertThat(engine.require(Expiry.class).expire(bytes("a"), OPTIONS)).isTrue();
            List<String> seen = new ArrayList<>();
            engine.require(ChangeFeed.class)
                    .changes(
                            before,
                            change -> seen.add(text(change.key()) + "=" + text(change.value()) + " until "
                                    + change.expiresAtMillis()));
            assertThat(seen).containsExactly("a=1 until " + (clock().millis() + 1_000), "a=1 until " + Entry.NEVER);
        }
    }

    @Test
    default void largeValuesAreInTheFeed() throws Exception {
        byte[] value = new byte[(9 << 20) + 7];
        new Random(17).nextBytes(value);
        try (StorageEngine engine = open()) {
            engine.put(bytes("small"), bytes("1"));
            long before = engine.stats().lastVersion();
            engine.put(bytes("large"), value);
            List<byte[]> changed = new ArrayList<>();
            engine.require(ChangeFeed.class)
                    .changes(before, change -> changed.add(Objects.requireNonNull(change.value())));
            assertThat(changed).containsExactly(value);
        }
    }

    @Test
    default void aFollowerGoesOnFromEachMoment() throws Exception {
        List<Moment> moments = new ArrayList<>();
        moments.add(Moment.START);
        for (int opening = 0; opening < 3; opening++) {
            try (StorageEngine engine = openKeepingChanges(directory(), clock())) {
                ChangeFeed feed = engine.require(ChangeFeed.class);
                assertThat(feed.moment()).isEqualTo(moments.get(moments.size() - 1));
                engine.put(bytes("a"), bytes(opening));
                engine.write(pair(opening), OPTIONS);
                Moment last = feed.changes(moments.get(moments.size() - 1), change -> moments.add(change.moment()));
                assertThat(last).isEqualTo(feed.moment()).isEqualTo(moments.get(moments.size() - 1));
                assertThat(last.version()).isEqualTo(engine.stats().lastVersion());
                for (int i = 0; i < moments.size(); i++) {
                    List<Moment> later = new ArrayList<>();
                    feed.changes(moments.get(i), change -> later.add(change.moment()));
                    assertThat(later).isEqualTo(moments.subList(i + 1, moments.size()));
                }
            }
        }
        try (StorageEngine engine = openKeepingChanges(directory(), clock())) {
            Moment last = moments.get(moments.size() - 1);
            assertThat(engine.require(ChangeFeed.class).moment()).isEqualTo(last);
            merge(engine);
            assertThat(engine.require(ChangeFeed.class).moment()).isEqualTo(last);
            assertThat(engine.require(ChangeFeed.class).changes(last, change -> true))
                    .isEqualTo(last);
        }
    }

    @Test
    default void aMomentOfAnotherHistoryIsRefused() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.put(bytes("a"), bytes("2"));
            Moment last = engine.require(ChangeFeed.class).moment();
            assertGone(engine, new Moment(last.history() + 1, last.version()));
            assertGone(engine, new Moment(last.history(), last.version() + 1));
            assertGone(engine, new Moment(0, 1));
        }
    }

    private static void assertGone(StorageEngine engine, Moment moment) {
        assertThatThrownBy(() -> engine.require(ChangeFeed.class).changes(moment, change -> true))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CHANGES_GONE));
    }

    @Test
    default void copiesThatBothWentOnAreToldApart() throws Exception {
        try (StorageEngine engine = openKeepingChanges(directory(), clock())) {
            if (engine.facet(Backups.class).isEmpty()) {
                return; // such an engine makes no copies
            }
            engine.put(bytes("a"), bytes("1"));
            Moment shared = engine.require(ChangeFeed.class).moment();
            Path target = temporary().resolve("copy");
            engine.require(Backups.class).backup(target);
            engine.put(bytes("a"), bytes("of the store"));
            try (StorageEngine copy = openKeepingChanges(target, clock())) {
                assertThat(copy.require(ChangeFeed.class).moment()).isEqualTo(shared);
                copy.put(bytes("a"), bytes("of the copy"));
                List<String> seen = new ArrayList<>();
                for (StorageEngine each : List.of(engine, copy)) {
                    each.require(ChangeFeed.class).changes(shared, change -> seen.add(describe(change)));
                }
                assertThat(seen).containsExactly("a=of the store", "a=of the copy");
                assertGone(engine, copy.require(ChangeFeed.class).moment());
                assertGone(copy, engine.require(ChangeFeed.class).moment());
            }
        }
    }

    @Test
    default void aClosedEngineRefusesTheChangeFeed() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        engine.put(key, bytes("1"));
        ChangeFeed held = engine.require(ChangeFeed.class);
        engine.close();
        assertClosed(() -> held.changes(0, change -> true));
        assertClosed(() -> held.changes(Moment.START, change -> true));
        assertClosed(held::moment);
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }
}
