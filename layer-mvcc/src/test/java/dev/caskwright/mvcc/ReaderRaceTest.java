package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.BatchedBackend;
import dev.caskwright.mvcc.backend.Bucket;
import dev.caskwright.mvcc.backend.HookedStore;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.mvcc.backend.WriteTransaction;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What others do at the very moment at which a reader opens its view, one moment at a time. */
@Timeout(
        value = 1,
        unit = TimeUnit.MINUTES,
        threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // for a compaction that never ends
final class ReaderRaceTest {
    private static final Bucket BUCKET = new Bucket(0, "one", false);

    private HookedStore store;

    @BeforeEach
    void makeTheStore() throws IOException {
        store = new HookedStore(
                Stores.BOLT.open(Path.of("/simulated"), new CrashableIoManager().factory(), MvccStore.buckets()));
    }

    private MvccStore open() throws IOException {
        return MvccStore.builder(store)
                .timer(new ManualTimer())
                .compaction(10, Duration.ZERO)
                .open();
    }

    private static void put(BatchedBackend backend, String key, String value) throws IOException {
        try (WriteTransaction transaction = backend.begin()) {
            transaction.put(BUCKET, key.getBytes(), value.getBytes());
            transaction.put(BUCKET, ("other " + key + value).getBytes(), value.getBytes());
            transaction.commit();
        }
    }

    private static String content(BackendView view) throws IOException {
        StringBuilder content = new StringBuilder();
        try (var cursor = view.range(BUCKET, null, null, false)) {
            while (cursor.next()) {
                content.append(new String(cursor.key()))
                        .append('=')
                        .append(new String(cursor.value()))
                        .append(' ');
            }
        }
        return content.toString();
    }

    @Test
    void aCommitWhileAViewIsOpenedMixesNoMoments() throws IOException {
        try (BatchedBackend backend =
                new BatchedBackend(store, List.of(BUCKET), BackendOptions.DEFAULT, new ManualTimer())) {
            put(backend, "key", "1");
            store.beforeNextView(() -> {
                put(backend, "key", "2");
                backend.commit();
            });
            try (BackendView view = backend.openView()) {
                assertThat(content(view)).isEqualTo("key=2 other key1=1 other key2=2 ");
            }
        }
    }

    @Test
    void aCompactionWhileAReaderOpensItsViewIsToldAsSuch() throws IOException {
        try (MvccStore mvcc = open()) {
            for (int i = 0; i < 10; i++) {
                mvcc.put("key".getBytes(), Integer.toString(i).getBytes());
            }
            store.beforeNextView(() -> mvcc.compact(9));
            RangeRequest request = RangeRequest.of(KeyRange.of("key".getBytes()));
            assertThatThrownBy(() -> mvcc.range(request.atRevision(5)))
                    .isInstanceOfSatisfying(
                            MvccException.class, e -> assertThat(e.reason()).isEqualTo(MvccException.Reason.COMPACTED));
            store.beforeNextView(() -> {
                mvcc.put("key".getBytes(), "last".getBytes());
                mvcc.compact(12);
            });
            assertThat(new String(mvcc.range(request).entries().get(0).value())).isEqualTo("last");
        }
    }

    @Test
    void writesThatAreLostWhileAReaderOpensItsViewAreGoneForIt() throws IOException {
        try (MvccStore mvcc = open()) {
            mvcc.put("key".getBytes(), "durable".getBytes());
            mvcc.commit();
            mvcc.put("key".getBytes(), "lost".getBytes());
            store.beforeNextView(() -> {
                store.failCommits(true);
                assertThatThrownBy(mvcc::commit).hasRootCauseMessage("failed (simulated)");
                store.failCommits(false);
            });
            assertThat(new String(mvcc.get("key".getBytes()).value())).isEqualTo("durable");
            assertThat(mvcc.put("key".getBytes(), "again".getBytes()).revision())
                    .isEqualTo(3);
        }
    }

    @Test
    void aCompactionWhoseSliceIsLostBeginsAnew() throws IOException {
        try (MvccStore mvcc = open()) {
            for (int i = 0; i < 100; i++) {
                mvcc.put("key".getBytes(), Integer.toString(i).getBytes());
            }
            mvcc.commit();
            int[] views = {0};
            store.beforeNextView(new HookedStore.Hook() {
                @Override
                public void run() throws IOException {
                    views[0]++;
                    if (views[0] == 1) {
                        mvcc.commit(); // the mark is durable
                    }
                    if (views[0] == 5) {
                        store.failCommits(true);
                        assertThatThrownBy(mvcc::commit).hasRootCauseMessage("failed (simulated)");
                        store.failCommits(false);
                    } else {
                        store.beforeNextView(this);
                    }
                }
            });
            mvcc.compact(90);
            int stored = 0;
            try (BackendView view = mvcc.openView();
                    var cursor = view.range(Schema.KEY, null, null, false)) {
                while (cursor.next()) {
                    stored++;
                }
            }
            assertThat(stored).isEqualTo(12); // revisions 90 to 101
        }
    }
}
