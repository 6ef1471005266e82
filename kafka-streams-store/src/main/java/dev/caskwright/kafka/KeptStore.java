package dev.caskwright.kafka;

import java.util.Map;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.query.QueryResult;
import org.jspecify.annotations.Nullable;

/** What all stores do alike: they keep their offsets, and answer queries as far as they have come. */
interface KeptStore extends StateStore {
    /** Returns what keeps the entries. */
    TaskStore kept();

    /** Returns the key before which everything has expired, or null if nothing expires. */
    default byte @Nullable [] expiredBefore() {
        return null;
    }

    /** Answers a query from all entries or from the committed ones; null for a query of a type that it does not know. */
    @Nullable QueryResult<?> answer(Query<?> query, IsolationLevel level);

    @Override
    default String name() {
        return kept().name();
    }

    @Override
    default <R> QueryResult<R> query(Query<R> query, PositionBound bound, QueryConfig config) {
        return Queries.answer(query, bound, config, this);
    }

    @Override
    default void commit(Map<TopicPartition, Long> offsets) {
        kept().commit(offsets, expiredBefore());
    }

    @Override
    default @Nullable Long committedOffset(TopicPartition partition) {
        return kept().committedOffset(partition);
    }

    @Override
    @SuppressWarnings("deprecation") // Kafka Streams asks it until it takes it for granted
    default boolean managesOffsets() {
        return true;
    }

    @Override
    default long approximateNumUncommittedBytes() {
        return kept().uncommittedBytes();
    }

    @Override
    default Position getPosition() {
        return kept().position(false);
    }

    @Override
    default boolean persistent() {
        return true;
    }

    @Override
    default boolean isOpen() {
        return kept().isOpen();
    }

    @Override
    default void close() {
        kept().close();
    }
}
