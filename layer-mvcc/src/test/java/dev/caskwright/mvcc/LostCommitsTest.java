package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.HookedStore;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random writes, leases, alarms and compactions, and commits that fail before, after or without being applied: what is in memory
 * afterwards is what is made again from what is stored. The seed is in the message; {@code -Dcaskwright.mvcc.seeds=N} says how many
 * the campaign has.
 */
final class LostCommitsTest {
    private static final int KEYS = 5;
    private static final int LEASES = 3;

    private final ManualTimer timer = new ManualTimer();
    private HookedStore store;
    private Random random;

    private byte[] key() {
        return ("k" + random.nextInt(KEYS)).getBytes();
    }

    private void step(MvccStore mvcc) throws IOException {
        try {
            switch (random.nextInt(14)) {
                case 0, 1, 2 ->
                    mvcc.put(Put.of(key(), new byte[random.nextInt(300)]).withLease(random.nextInt(LEASES + 1)));
                case 3 -> mvcc.delete(key());
                case 4 -> mvcc.delete(DeleteRange.of(KeyRange.from(key())));
                case 5 ->
                    mvcc.txn(new Txn(
                            List.of(),
                            List.of(DeleteRange.of("k0".getBytes()), Put.of("k1".getBytes(), new byte[9])),
                            List.of()));
                case 6, 7 -> mvcc.grantLease(1 + random.nextInt(LEASES), 1 + random.nextInt(90));
                case 8 -> mvcc.revokeLease(1 + random.nextInt(LEASES));
                case 9 -> mvcc.compact(1 + random.nextLong(mvcc.revision()));
                case 10 -> mvcc.disarmSpaceAlarm();
                case 11 -> timer.runAll();
                case 12 -> mvcc.commit();
                default -> mvcc.put(Put.of(key(), new byte[2_000]));
            }
        } catch (MvccException e) { // refused
            assertThat(e.reason()).isNotEqualTo(MvccException.Reason.CORRUPT);
        }
    }

    private void steps(MvccStore mvcc, int most) throws IOException {
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            step(mvcc);
        }
    }

    private static void fail(Outcome outcome) throws IOException {
        throw outcome == Outcome.UNKNOWN
                ? new IOException("failed (simulated)")
                : new EngineException(ErrorCode.OUT_OF_SPACE, outcome, "failed (simulated)", null);
    }

    /** Lets a commit fail, with others written on top of it. */
    private void failCommit(MvccStore mvcc) throws IOException {
        Outcome outcome = Outcome.values()[random.nextInt(3)];
        boolean isDone = outcome == Outcome.APPLIED || (outcome == Outcome.UNKNOWN && random.nextBoolean());
        HookedStore.Hook failing = () -> {
            try {
                for (int i = random.nextInt(6); i > 0; i--) {
                    mvcc.put(Put.of(key(), new byte[random.nextInt(9)]));
                    if (random.nextInt(3) == 0) {
                        mvcc.delete(key());
                    }
                }
            } catch (MvccException e) {
                assertThat(e.reason()).isEqualTo(MvccException.Reason.NO_SPACE);
            }
            fail(outcome);
        };
        if (isDone) {
            store.afterNextCommit(failing);
        } else {
            store.beforeNextCommit(failing);
        }
        try {
            mvcc.commit();
        } catch (EngineException e) {
            assertThat(e.outcome()).isEqualTo(outcome);
        }
        store.afterNextCommit(null);
        store.beforeNextCommit(null);
    }

    private static List<String> entries(Contents contents, BackendView view, long at) throws IOException {
        List<String> entries = new ArrayList<>();
        RangeReader reader = new RangeReader(contents.index(), view);
        for (KeyValue each : reader.read(RangeRequest.of(KeyRange.all()), at, contents.revision())
                .entries()) {
            entries.add(new String(each.key()) + " " + each.createRevision() + " " + each.modRevision() + " "
                    + each.version() + " " + each.value().length + " " + each.lease());
        }
        return entries;
    }

    private static void compare(MvccStore mvcc, String where) throws IOException {
        Contents found = mvcc.contents();
        try (BackendView view = mvcc.openView()) {
            Loader.Loaded stored = new Loader(view, mvcc::openView).load();
            Contents expected = stored.contents();
            assertThat(found.revision()).as(where).isEqualTo(expected.revision());
            assertThat(found.compacted()).as(where).isEqualTo(expected.compacted());
            for (long at = Math.max(1, found.compacted()); at <= found.revision(); at++) {
                assertThat(entries(found, view, at))
                        .as(where + ", revision " + at)
                        .isEqualTo(entries(expected, view, at));
            }
            assertThat(mvcc.stats().hasSpaceAlarm()).as(where).isEqualTo(stored.hasSpaceAlarm());
            TreeMap<Long, List<String>> leases = new TreeMap<>();
            stored.stored().forEach(each -> leases.put(each.id(), new ArrayList<>()));
            for (Leases.Attachment each : stored.leases()) {
                leases.computeIfPresent(each.lease(), (id, keys) -> {
                    keys.add(new String(each.key()));
                    return keys;
                });
            }
            TreeMap<Long, List<String>> held = new TreeMap<>();
            for (long id : mvcc.leases()) {
                held.put(id, mvcc.lease(id).keys().stream().map(String::new).toList());
            }
            assertThat(held).as(where).isEqualTo(leases);
        }
    }

    private void live(Stores kind, long seed) throws IOException {
        random = new Random(seed);
        store = new HookedStore(kind.open(
                Path.of("/simulated"), new CrashableIoManager().logging(false).factory(), MvccStore.buckets()));
        try (MvccStore mvcc = MvccStore.builder(store)
                .timer(timer)
                .clock(new ManualClock())
                .quotaBytes(kind == Stores.BOLT ? 25_000 : 8_000)
                .compaction(3, Duration.ZERO)
                .open()) {
            for (int round = 0; round < 25; round++) {
                steps(mvcc, 6);
                failCommit(mvcc);
                compare(mvcc, kind + ", seed " + seed + ", round " + round);
                steps(mvcc, 4);
                mvcc.commit();
                compare(mvcc, kind + ", seed " + seed + ", round " + round + ", committed");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void whatIsInMemoryAfterALostCommitIsWhatIsStored(Stores kind) throws IOException {
        for (long seed = 0; seed < 3; seed++) {
            live(kind, seed);
        }
    }

    @Test
    @Tag("campaign")
    void whatIsInMemoryAfterManyLostCommitsIsWhatIsStored() throws IOException {
        for (long seed = 0; seed < Integer.getInteger("caskwright.mvcc.seeds", 200); seed++) {
            for (Stores kind : Stores.values()) {
                live(kind, 1_000 + seed);
            }
        }
    }
}
