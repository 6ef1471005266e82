package dev.caskwright.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.query.FailureReason;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.query.QueryResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Interactive queries that say how far in the input the store must be. */
class QueriesTest {
    private static final TopicPartition CHANGELOG = new TopicPartition("changelog", 0);
    private static final Bytes KEY = Bytes.wrap("a".getBytes(StandardCharsets.UTF_8));
    private static final Map<String, String> TRANSACTIONAL =
            Map.of("processing.guarantee", "exactly_once_v2", "enable.transactional.statestores", "true");

    @TempDir
    Path directory;

    private static Position at(int partition, long offset) {
        return Position.emptyPosition().withComponent("input", partition, offset);
    }

    private static QueryResult<byte[]> ask(CaskwrightKeyValueStore store, Position bound, IsolationLevel level) {
        return store.query(
                KeyQuery.<Bytes, byte[]>withKey(KEY), PositionBound.at(bound), new QueryConfig(false, level));
    }

    private static void put(CaskwrightKeyValueStore store, TestContext context, String value, long offset) {
        context.at("input", 0, offset);
        store.put(KEY, value.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aStoreThatHasSeenNothingOfATopicIsNotUpToABoundOnIt() {
        TestContext context = new TestContext(directory, Map.of());
        CaskwrightKeyValueStore store = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        store.init(context, store);
        QueryResult<byte[]> early = ask(store, at(0, 3), IsolationLevel.READ_UNCOMMITTED);
        assertThat(early.isFailure()).isTrue();
        assertThat(early.getFailureReason()).isEqualTo(FailureReason.NOT_UP_TO_BOUND);
        put(store, context, "1", 3);
        QueryResult<byte[]> reached = ask(store, at(0, 3), IsolationLevel.READ_UNCOMMITTED);
        assertThat(reached.isSuccess()).isTrue();
        assertThat(reached.getResult()).asString(StandardCharsets.UTF_8).isEqualTo("1");
        assertThat(reached.getPosition()).isEqualTo(at(0, 3));
        assertThat(ask(store, at(0, 4), IsolationLevel.READ_UNCOMMITTED).isFailure())
                .isTrue();
        // The bound of another partition is for another task.
        assertThat(ask(store, at(1, 9), IsolationLevel.READ_UNCOMMITTED).isSuccess())
                .isTrue();
        store.close();
    }

    @Test
    void aQueryOfWhatIsCommittedIsAsFarAsTheLastCommit() {
        TestContext context = new TestContext(directory, TRANSACTIONAL);
        CaskwrightKeyValueStore store = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        store.init(context, store);
        put(store, context, "1", 3);
        store.commit(Map.of(CHANGELOG, 1L));
        put(store, context, "2", 4);
        QueryResult<byte[]> early = ask(store, at(0, 4), IsolationLevel.READ_COMMITTED);
        assertThat(early.isFailure()).isTrue();
        assertThat(early.getFailureReason()).isEqualTo(FailureReason.NOT_UP_TO_BOUND);
        QueryResult<byte[]> committed = ask(store, at(0, 3), IsolationLevel.READ_COMMITTED);
        assertThat(committed.getResult()).asString(StandardCharsets.UTF_8).isEqualTo("1");
        assertThat(committed.getPosition()).isEqualTo(at(0, 3));
        store.commit(Map.of(CHANGELOG, 2L));
        assertThat(ask(store, at(0, 4), IsolationLevel.READ_COMMITTED).getResult())
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("2");
        store.close();

        CaskwrightKeyValueStore next = CaskwrightKeyValueStore.of("s", StoreFormat.PLAIN, null);
        TestContext again = new TestContext(directory, TRANSACTIONAL);
        next.init(again, next);
        put(next, again, "3", 5);
        assertThat(ask(next, at(0, 5), IsolationLevel.READ_COMMITTED).isFailure())
                .as("after a restart")
                .isTrue();
        next.close();
    }
}
