package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.mvcc.MvccException.Reason;
import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.CommitTimer;
import dev.caskwright.mvcc.backend.HookedStore;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes on, and what does not, when something fails in the background, is done twice at once, or stands at the end of its numbers. */
@Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // for what never ends
final class StoreFaultsTest {
    private final ManualTimer timer = new ManualTimer();
    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();
    private HookedStore store;

    @BeforeEach
    void makeTheStore() throws IOException {
        store = new HookedStore(Stores.BOLT.open(Path.of("/simulated"), disk.factory(), MvccStore.buckets()));
    }

    private MvccStore open() throws IOException {
        return open(timer);
    }

    private MvccStore open(CommitTimer runner) throws IOException {
        return MvccStore.builder(store)
                .timer(runner)
                .clock(clock)
                .compaction(10, Duration.ZERO)
                .open();
    }

    private static byte[] bytes(String text) {
        return text.getBytes();
    }

    private static void fill(MvccStore mvcc) throws IOException {
        for (int i = 0; i < 100; i++) {
            mvcc.put(bytes("key"), bytes(Integer.toString(i)));
        }
        mvcc.commit();
    }

    private static int stored(MvccStore mvcc) throws IOException {
        int stored = 0;
        try (BackendView view = mvcc.openView();
                var cursor = view.range(Schema.KEY, null, null, false)) {
            while (cursor.next()) {
                stored++;
            }
        }
        return stored;
    }

    private static void fail() throws IOException {
        throw new IOException("failed (simulated)");
    }

    /** Lets the third slice of a compaction fail. */
    private void failInASlice() {
        int[] views = {0};
        store.beforeNextView(new HookedStore.Hook() {
            @Override
            public void run() throws IOException {
                views[0]++;
                if (views[0] == 3) {
                    fail();
                }
                store.beforeNextView(this);
            }
        });
    }

    // ---------------------------------------------------------------- compactions

    @Test
    void aCompactionThatFailedIsGoneOnWithWhenItIsAskedForAgain() throws IOException {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            failInASlice();
            assertThatThrownBy(() -> mvcc.compact(90)).hasMessage("failed (simulated)");
            assertThat(stored(mvcc)).isGreaterThan(12);
            mvcc.compact(90);
            assertThat(stored(mvcc)).isEqualTo(12); // revisions 90 to 101
            assertThatThrownBy(() -> mvcc.compact(90)).hasMessageStartingWith(Reason.COMPACTED.text());
        }
    }

    @Test
    void aRevisionThatCouldNotBeReadOnceIsRemovedAllTheSame() throws IOException {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            int[] values = {0};
            store.beforeValues(() -> {
                values[0]++;
                if (values[0] == 25) {
                    fail();
                }
            });
            assertThatThrownBy(() -> mvcc.compact(90)).hasMessage("failed (simulated)");
            mvcc.compact(90);
            assertThat(stored(mvcc)).isEqualTo(12);
        }
    }

    @Test
    void aCompactionThatFailedGoesOnByItself() throws IOException {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            failInASlice();
            assertThatThrownBy(() -> mvcc.compact(90)).hasMessage("failed (simulated)");
            store.beforeNextView(StoreFaultsTest::fail);
            for (int i = 0; i < 30; i++) {
                timer.runAll();
            }
            assertThat(mvcc.stats().lastBackgroundFailure()).hasMessage("failed (simulated)");
            assertThat(stored(mvcc)).isEqualTo(12);
        }
    }

    @Test
    void aCompactionWhoseEndIsLostWithACommitIsDoneAgainByItself() throws IOException {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            store.beforeNextView(mvcc::commit); // the mark is durable, what is removed is not
            mvcc.compact(90);
            store.beforeNextCommit(StoreFaultsTest::fail);
            assertThatThrownBy(mvcc::commit).isInstanceOf(EngineException.class);
            assertThat(stored(mvcc)).isEqualTo(100);
            for (int i = 0; i < 30; i++) {
                timer.runAll();
            }
            assertThat(stored(mvcc)).isEqualTo(12);
        }
    }

    @Test
    void aCompactionWhoseMarkIsLostSaysSo() throws IOException {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            store.beforeNextView(() -> {
                store.beforeNextCommit(StoreFaultsTest::fail);
                assertThatThrownBy(mvcc::commit).isInstanceOf(EngineException.class);
            });
            assertThatThrownBy(() -> mvcc.compact(90))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("revision=90");
            assertThat(mvcc.compactedRevision()).isEqualTo(-1);
            mvcc.compact(90);
            assertThat(stored(mvcc)).isEqualTo(12);
        }
    }

    // ---------------------------------------------------------------- leases

    /** A timer that does something once, in the thread that asks it for a commit. */
    private static final class MeddlingTimer implements CommitTimer {
        private HookedStore.Hook hook;
        private boolean isRefusing;

        @Override
        public void schedule(Duration delay, Runnable task) {
            HookedStore.Hook now = hook;
            hook = null;
            if (now != null) {
                try {
                    now.run();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
            if (isRefusing) {
                throw new RejectedExecutionException("refused (simulated)");
            }
        }

        @Override
        public void close() {
            // Nothing runs.
        }
    }

    @Test
    void aLeaseThatWasGrantedAnewIsNotEndedForTheOneBefore() throws IOException {
        MeddlingTimer meddling = new MeddlingTimer();
        try (MvccStore mvcc = open(meddling)) {
            mvcc.grantLease(1, 5);
            mvcc.grantLease(2, 5);
            mvcc.commit();
            clock.advance(Duration.ofSeconds(6));
            meddling.hook = () -> { // when the first of both has been ended
                mvcc.revokeLease(2);
                mvcc.grantLease(2, 100);
                mvcc.put(Put.of(bytes("key"), bytes("value")).withLease(2));
            };
            mvcc.endLeases();
            assertThat(mvcc.leases()).containsExactly(2L);
            assertThat(mvcc.lease(2).keys()).containsExactly(bytes("key"));
            assertThat(mvcc.get(bytes("key"))).isNotNull();
        }
    }

    @Test
    void aLeaseThatIsKeptAliveAfterTheClockWentBackIsNotEnded() throws IOException {
        MeddlingTimer meddling = new MeddlingTimer();
        try (MvccStore mvcc = open(meddling)) {
            mvcc.grantLease(1, 5);
            mvcc.grantLease(2, 5);
            mvcc.commit();
            clock.advance(Duration.ofHours(6));
            meddling.hook = () -> {
                clock.advance(Duration.ofHours(-6));
                assertThat(mvcc.keepLeaseAlive(2)).isEqualTo(5);
            };
            mvcc.endLeases();
            assertThat(mvcc.leases()).containsExactly(2L);
        }
    }

    @ParameterizedTest
    @CsvSource({"100, 1", "1, 100"})
    void aLeaseThatComesBackWithALostCommitHasItsOwnTime(long before, long after) throws IOException {
        try (MvccStore mvcc = open()) {
            mvcc.grantLease(7, before);
            mvcc.commit();
            mvcc.revokeLease(7);
            mvcc.grantLease(7, after);
            store.beforeNextCommit(StoreFaultsTest::fail);
            assertThatThrownBy(mvcc::commit).isInstanceOf(EngineException.class);
            assertThat(mvcc.lease(7).remainingSeconds()).isEqualTo(before);
        }
    }

    @Test
    void aLeaseOfAFileThatNeverEndsDoesNotEnd() throws IOException {
        for (int i = 0; i < 3; i++) {
            if (i == 0) {
                store.commit(visitor -> {
                    visitor.bucket(Schema.LEASE);
                    visitor.change(Schema.leaseKey(3), Schema.encode(new Schema.StoredLease(3, Long.MAX_VALUE, 0)));
                });
            } else {
                makeTheStore();
            }
            try (MvccStore mvcc = open()) {
                clock.advance(Duration.ofDays(365));
                mvcc.endLeases();
                assertThat(mvcc.lease(3).remainingSeconds()).isGreaterThan(9_000_000_000L);
                assertThat(mvcc.lease(3).ttlSeconds()).isEqualTo(Long.MAX_VALUE);
            }
        }
    }

    @Test
    void keysThatNameALeaseThatIsMissingGoWithItOnceItIsGrantedAsTheyDoAfterARestart() throws IOException {
        store.commit(visitor -> {
            visitor.bucket(Schema.KEY);
            visitor.change(
                    Schema.revision(2, 0), Schema.encode(new KeyValue(bytes("key"), 2, 2, 1, bytes("value"), 9)));
        });
        try (MvccStore mvcc = open()) {
            mvcc.grantLease(9, 50);
            assertThat(mvcc.lease(9).keys()).containsExactly(bytes("key"));
        }
        makeTheStore();
        try (MvccStore mvcc = open()) {
            assertThat(mvcc.lease(9).keys()).containsExactly(bytes("key"));
            mvcc.revokeLease(9);
            assertThat(mvcc.get(bytes("key"))).isNull();
        }
    }

    @Test
    void leasesEndAgainOnceATimerThatRefusedTakesTasks() throws IOException {
        MeddlingTimer meddling = new MeddlingTimer();
        meddling.isRefusing = true;
        int[] taken = {0};
        CommitTimer counting = new CommitTimer() {
            @Override
            public void schedule(Duration delay, Runnable task) {
                meddling.schedule(delay, task);
                taken[0]++;
            }

            @Override
            public void close() {
                // Nothing runs.
            }
        };
        try (MvccStore mvcc = open(counting)) {
            mvcc.put(bytes("key"), bytes("value"));
            assertThat(mvcc.stats().lastBackgroundFailure()).isInstanceOf(RejectedExecutionException.class);
            assertThat(taken[0]).isZero();
            meddling.isRefusing = false;
            mvcc.put(bytes("key"), bytes("value"));
            assertThat(taken[0]).isEqualTo(2); // the tick, and the commit
        }
    }

    // ---------------------------------------------------------------- the end of numbers

    private void storeRevision(long main, long sub, long create, long version) throws IOException {
        store.commit(visitor -> {
            visitor.bucket(Schema.KEY);
            visitor.change(
                    Schema.revision(main, sub),
                    Schema.encode(new KeyValue(bytes("key"), create, main, version, bytes("value"), 0)));
        });
    }

    @ParameterizedTest
    @CsvSource({
        "9223372036854775807, 0, 1, 1",
        "4611686018427387904, 0, 1, 1",
        "-1, 0, -1, 1",
        "-9223372036854775808, 0, 1, 1",
        "0, 0, 0, 1",
        "5, -1, 5, 1",
        "5, 9223372036854775807, 5, 1",
        "5, 4611686018427387904, 5, 1",
        "5, 0, 5, 9223372036854775807",
        "5, 0, 5, 4611686018427387904",
        "5, 0, 5, -1",
        "5, 0, 5, 0",
        "5, 0, 6, 1",
        "5, 0, -5, 1"
    })
    void aNumberThatLeavesNoneAfterItIsRefusedWithBucketKeyAndRevision(long main, long sub, long create, long version)
            throws IOException {
        storeRevision(main, sub, create, version);
        String place = String.format("bucket=key, key=%016x5f%016x, revision=%d.%d", main, sub, main, sub);
        assertThatThrownBy(this::open)
                .isInstanceOfSatisfying(
                        MvccException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
                .hasMessageContaining(place);
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE, Long.MIN_VALUE, -1, Schema.MAX_NUMBER + 1})
    void aMarkOfACompactionThatLeavesNoRevisionIsRefused(long revision) throws IOException {
        store.commit(visitor -> {
            visitor.bucket(Schema.META);
            visitor.change(Schema.SCHEDULED_COMPACTION, Schema.revision(revision, 0));
        });
        assertThatThrownBy(this::open).hasMessageContaining("bucket=meta, key=7363686564756c6564436f6d70616374526576");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "-1, 0", "5, -1", "-9223372036854775808, 0"})
    void aLeaseWithoutATimeToLiveIsRefused(long ttl, long remaining) throws IOException {
        store.commit(visitor -> {
            visitor.bucket(Schema.LEASE);
            visitor.change(Schema.leaseKey(3), Schema.encode(new Schema.StoredLease(3, ttl, remaining)));
        });
        assertThatThrownBy(this::open).hasMessageContaining("bucket=lease, key=0000000000000003");
    }

    @Test
    void theLastRevisionIsReadAndNoneIsMadeAfterIt() throws IOException {
        storeRevision(Schema.MAX_NUMBER, 0, 1, Schema.MAX_NUMBER);
        for (int i = 0; i < 2; i++) {
            try (MvccStore mvcc = open()) {
                assertThat(mvcc.get(bytes("key")).version()).isEqualTo(Schema.MAX_NUMBER);
                assertThatThrownBy(() -> mvcc.put(bytes("other"), bytes("value")))
                        .hasMessageStartingWith(Reason.NUMBERS_USED_UP.text());
                assertThatThrownBy(() -> mvcc.delete(bytes("key")))
                        .hasMessageStartingWith(Reason.NUMBERS_USED_UP.text());
                assertThat(mvcc.revision()).isEqualTo(Schema.MAX_NUMBER);
                assertThat(mvcc.hash(0).hash()).isNotZero();
            }
            makeTheStore();
        }
    }

    @Test
    void aKeyWithItsLastVersionCanBeDeletedAndNotPut() throws IOException {
        storeRevision(9, 0, 2, Schema.MAX_NUMBER);
        try (MvccStore mvcc = open()) {
            assertThatThrownBy(() -> mvcc.put(bytes("key"), bytes("value")))
                    .hasMessageStartingWith(Reason.NUMBERS_USED_UP.text());
            mvcc.delete(bytes("key"));
            mvcc.put(bytes("key"), bytes("value"));
            assertThat(mvcc.get(bytes("key")).version()).isEqualTo(1);
        }
    }

    // ---------------------------------------------------------------- the index

    @Test
    void anIndexThatCannotBeMadeAnewIsToldToReadersWritersAndWatches() throws Exception {
        MvccStore mvcc = open();
        mvcc.put(bytes("key"), bytes("value"));
        mvcc.commit();
        Watch watch = mvcc.watch(WatchRequest.of(KeyRange.all()));
        mvcc.put(bytes("key"), bytes("lost"));
        IOException same = new IOException("failed (simulated)");
        store.beforeNextView(() -> {
            throw same;
        });
        store.beforeNextCommit(() -> {
            throw same;
        });
        assertThatThrownBy(mvcc::commit).hasRootCause(same);
        assertThatThrownBy(() -> mvcc.get(bytes("key"))).isInstanceOf(EngineFailedException.class);
        assertThatThrownBy(() -> mvcc.put(bytes("key"), bytes("value"))).isInstanceOf(EngineFailedException.class);
        assertThatThrownBy(watch::poll).isInstanceOf(EngineFailedException.class);
        assertThat(mvcc.health()).isSameAs(same);
        mvcc.close();
        makeTheStore();
        try (MvccStore again = open()) {
            assertThat(again.get(bytes("key")).value()).isEqualTo(bytes("value"));
        }
    }

    private static void fillTheDisk() throws IOException {
        throw new OutOfSpaceException("disk full (simulated)", null);
    }

    /** Fails the next commit for want of space; returns whether the store was read then. */
    private boolean isReadWhenACommitFails(MvccStore mvcc) {
        boolean[] isRead = {false};
        store.beforeNextCommit(() -> {
            store.beforeNextView(() -> isRead[0] = true);
            fillTheDisk();
        });
        assertThatThrownBy(mvcc::commit).isInstanceOf(EngineException.class);
        store.beforeNextView(null);
        return isRead[0];
    }

    @Test
    void aFullDiskTakesNoReadingOfTheWholeStore() throws Exception {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            long revision = mvcc.revision();
            for (int i = 0; i < 3; i++) {
                mvcc.put(bytes("key"), bytes("lost"));
                mvcc.put(bytes("other"), bytes("lost"));
                mvcc.delete(bytes("key"));
                assertThat(isReadWhenACommitFails(mvcc)).isFalse();
                assertThat(mvcc.revision()).isEqualTo(revision);
                assertThat(mvcc.get(bytes("key")).value()).isEqualTo(bytes("99"));
                assertThat(mvcc.get(bytes("other"))).isNull();
            }
            mvcc.put(bytes("key"), bytes("kept"));
            mvcc.commit();
            assertThat(mvcc.revision()).isEqualTo(revision + 1);
            mvcc.put(bytes("key"), bytes("lost"));
            assertThat(isReadWhenACommitFails(mvcc)).isFalse();
            assertThat(mvcc.get(bytes("key")).value()).isEqualTo(bytes("kept"));
        }
    }

    @Test
    void leasesThatWereLostOnAFullDiskAreReadAnew() throws Exception {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            mvcc.grantLease(1, 100);
            mvcc.put(Put.of(bytes("leased"), bytes("1")).withLease(1));
            mvcc.commit();
            mvcc.revokeLease(1);
            assertThat(isReadWhenACommitFails(mvcc)).isTrue();
            assertThat(mvcc.lease(1).keys()).containsExactly(bytes("leased"));
            mvcc.put(bytes("leased"), bytes("2"));
            assertThat(isReadWhenACommitFails(mvcc)).isTrue();
            assertThat(mvcc.lease(1).keys()).containsExactly(bytes("leased"));
        }
    }

    @Test
    void aCompactionThatWasLostOnAFullDiskIsAsIfItHadNotBeenAskedFor() throws Exception {
        try (MvccStore mvcc = open()) {
            fill(mvcc);
            mvcc.compact(50);
            assertThat(isReadWhenACommitFails(mvcc)).isFalse();
            assertThat(mvcc.compactedRevision()).isEqualTo(-1);
            assertThat(stored(mvcc)).isEqualTo(100);
            mvcc.compact(50);
            assertThat(stored(mvcc)).isEqualTo(52);
        }
    }

    // ---------------------------------------------------------------- watches

    private static List<String> told(Watch watch) throws IOException {
        List<String> told = new ArrayList<>();
        for (WatchBatch batch = pollAgain(watch); batch != null; batch = pollAgain(watch)) {
            for (Event event : batch.events()) {
                told.add(event.revision() + "=" + new String(event.keyValue().value()));
            }
        }
        return told;
    }

    private static WatchBatch pollAgain(Watch watch) throws IOException {
        try {
            return watch.poll();
        } catch (OutOfMemoryError e) {
            assertThat(e).hasMessage("simulated");
            return watch.poll();
        }
    }

    @Test
    void eventsOfACommitThatFailedAndIsThereAreToldOnce() throws IOException {
        try (MvccStore mvcc = open();
                Watch one = mvcc.watch(WatchRequest.of(KeyRange.of(bytes("key"))));
                Watch all = mvcc.watch(WatchRequest.of(KeyRange.all()))) {
            mvcc.put(bytes("key"), bytes("1"));
            mvcc.commit();
            mvcc.put(bytes("key"), bytes("2"));
            store.afterNextCommit(StoreFaultsTest::fail);
            assertThatThrownBy(mvcc::commit).isInstanceOf(EngineException.class);
            assertThat(mvcc.revision()).isEqualTo(3);
            mvcc.put(bytes("key"), bytes("3"));
            mvcc.commit();
            for (Watch each : List.of(one, all)) {
                assertThat(told(each)).containsExactly("2=1", "3=2", "4=3");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 2})
    void eventsWhosePreviousValuesCannotBeReadAreToldLater(long from) throws IOException {
        try (MvccStore mvcc = open()) {
            mvcc.put(bytes("key"), bytes("1"));
            mvcc.commit();
            WatchRequest request = WatchRequest.of(KeyRange.all()).withPrevious();
            try (Watch watch = mvcc.watch(from == 0 ? request : request.fromRevision(from))) {
                assertThat(told(watch)).hasSize(from == 0 ? 0 : 1);
                mvcc.put(bytes("key"), bytes("2"));
                mvcc.put(bytes("key"), bytes("3"));
                mvcc.commit();
                store.beforeNextView(StoreFaultsTest::fail);
                assertThatThrownBy(watch::poll).hasMessage("failed (simulated)");
                assertThat(told(watch)).containsExactly("3=2", "4=3");
            }
        }
    }

    /** One event, and no memory to look at it at one of the times. */
    private static List<Event> heavy(Event event, int failing) {
        int[] looks = {0};
        return new AbstractList<>() {
            @Override
            public Event get(int index) {
                if (looks[0]++ == failing) {
                    throw new OutOfMemoryError("simulated");
                }
                return event;
            }

            @Override
            public int size() {
                return 1;
            }
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
    void eventsThatThereIsNoMemoryToDeliverAreReadFromTheStore(int failing) throws IOException {
        WatchHub hub = new WatchHub();
        try (MvccStore mvcc = open()) {
            Watch one = watch(mvcc, hub, WatchRequest.of(KeyRange.of(bytes("key"))));
            Watch all = watch(mvcc, hub, WatchRequest.of(KeyRange.all()));
            Watch puts = watch(mvcc, hub, WatchRequest.of(KeyRange.all()).putsOnly());
            for (int i = 2; i < 5; i++) {
                Written<PutResult> put = mvcc.put(bytes("key"), bytes(Integer.toString(i)));
                Event event = new Event(Event.Kind.PUT, mvcc.get(bytes("key")), null);
                hub.add(put.revision(), i == 3 ? heavy(event, failing) : List.of(event), put.token());
                mvcc.commit();
            }
            for (Watch each : List.of(one, all, puts)) {
                assertThat(told(each)).containsExactly("2=2", "3=3", "4=4");
            }
        }
    }

    private static Watch watch(MvccStore mvcc, WatchHub hub, WatchRequest request) {
        Watch watch = new Watch(mvcc, hub, request, 2);
        hub.start(1);
        hub.register(watch);
        hub.join(watch);
        return watch;
    }
}
