package dev.caskwright.kafka;

import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.StateStore;
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

    /**
     * Answers a query if the store has come to the bound.
     *
     * @param answer gives the result, or null for a query of a type that the store does not know
     */
    static <R> QueryResult<R> answer(
            Query<R> query,
            PositionBound bound,
            QueryConfig config,
            StateStore store,
            Supplier<@Nullable QueryResult<?>> answer) {
        long start = System.nanoTime();
        Position reached = store.getPosition();
        QueryResult<R> result = behind(reached, bound);
        if (result == null) {
            QueryResult<?> found = answer.get();
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

    private static <R> @Nullable QueryResult<R> behind(Position reached, PositionBound bound) {
        for (String topic : bound.position().getTopics()) {
            Map<Integer, Long> here = reached.getPartitionPositions(topic);
            for (Map.Entry<Integer, Long> wanted :
                    bound.position().getPartitionPositions(topic).entrySet()) {
                // A partition that this task does not read has no position here.
                Long offset = here.get(wanted.getKey());
                if (offset != null && offset < wanted.getValue()) {
                    return QueryResult.notUpToBound(reached, bound, wanted.getKey());
                }
            }
        }
        return null;
    }
}
