package dev.caskwright.kafka;

import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.query.RangeQuery;
import org.apache.kafka.streams.query.ResultOrder;
import org.apache.kafka.streams.query.WindowKeyQuery;
import org.apache.kafka.streams.query.WindowRangeQuery;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ReadOnlySessionStore;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.jspecify.annotations.Nullable;

/** Answers the interactive queries that come down to bytes. */
@SuppressWarnings("unchecked") // below the typed stores, keys are Bytes, and a query says itself what its result is
final class Queries {
    private Queries() {}

    /** Answers a query if what it is to see of the store has come to the bound. */
    static <R> QueryResult<R> answer(Query<R> query, PositionBound bound, QueryConfig config, KeptStore store) {
        long start = System.nanoTime();
        IsolationLevel level = config.getIsolationLevel();
        // Before the entries are read: they may be newer than it says, and never older.
        Position reached = store.kept().position(level == IsolationLevel.READ_COMMITTED);
        int partition = store.kept().partition();
        QueryResult<R> result =
                isReached(reached, bound, partition) ? null : QueryResult.notUpToBound(reached, bound, partition);
        if (result == null) {
            QueryResult<?> found = store.answer(query, level);
            result = found == null ? QueryResult.forUnknownQueryType(query, store) : (QueryResult<R>) found;
        }
        if (config.isCollectExecutionInfo()) {
            result.addExecutionInfo(
                    "Handled in " + store.getClass().getName() + " in " + (System.nanoTime() - start) + "ns");
        }
        result.setPosition(reached);
        return result;
    }

    static @Nullable QueryResult<?> onKeys(Query<?> query, ReadOnlyKeyValueStore<Bytes, byte[]> store) {
        if (query instanceof KeyQuery) {
            byte[] value = store.get(((KeyQuery<Bytes, byte[]>) query).getKey());
            return QueryResult.forResult(value);
        }
        if (query instanceof RangeQuery) {
            RangeQuery<Bytes, byte[]> range = (RangeQuery<Bytes, byte[]>) query;
            Bytes from = range.getLowerBound().orElse(null);
            Bytes to = range.getUpperBound().orElse(null);
            return QueryResult.forResult(
                    range.resultOrder() == ResultOrder.DESCENDING
                            ? store.reverseRange(from, to)
                            : store.range(from, to));
        }
        return null;
    }

    static @Nullable QueryResult<?> onWindows(Query<?> query, ReadOnlyWindowStore<Bytes, byte[]> store) {
        if (query instanceof WindowKeyQuery) {
            WindowKeyQuery<Bytes, byte[]> windows = (WindowKeyQuery<Bytes, byte[]>) query;
            if (windows.getTimeFrom().isPresent() && windows.getTimeTo().isPresent()) {
                return QueryResult.forResult(store.fetch(
                        windows.getKey(),
                        windows.getTimeFrom().get(),
                        windows.getTimeTo().get()));
            }
        }
        if (query instanceof WindowRangeQuery) {
            WindowRangeQuery<Bytes, byte[]> windows = (WindowRangeQuery<Bytes, byte[]>) query;
            if (windows.getTimeFrom().isPresent() && windows.getTimeTo().isPresent()) {
                return QueryResult.forResult(store.fetchAll(
                        windows.getTimeFrom().get(), windows.getTimeTo().get()));
            }
        }
        return null;
    }

    static @Nullable QueryResult<?> onSessions(Query<?> query, ReadOnlySessionStore<Bytes, byte[]> store) {
        if (query instanceof WindowRangeQuery) {
            Bytes key = ((WindowRangeQuery<Bytes, byte[]>) query).getKey().orElse(null);
            return key == null ? null : QueryResult.forResult(store.fetch(key));
        }
        return null;
    }

    /** Bounds for other partitions than the task's are for other tasks. */
    private static boolean isReached(Position reached, PositionBound bound, int partition) {
        for (String topic : bound.position().getTopics()) {
            Long wanted = bound.position().getPartitionPositions(topic).get(partition);
            Long here = reached.getPartitionPositions(topic).get(partition);
            if (wanted != null && (here == null || here < wanted)) {
                return false;
            }
        }
        return true;
    }
}
