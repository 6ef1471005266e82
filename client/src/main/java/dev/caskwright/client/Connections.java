package dev.caskwright.client;

import dev.caskwright.balance.Endpoint;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.RedisCodec;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One connection to each server, made when it is first needed, and anew after it has ended. All requests to a server go over it,
 * one behind the other, without waiting for replies. Safe for any number of threads.
 */
final class Connections<K, V> implements AutoCloseable {
    /** Requests without an answer, with none answered between them, after which a connection is given up as dead. */
    private static final int MOST_UNANSWERED = 3;

    private final RedisClient client;
    private final RedisCodec<K, V> codec;
    private final Function<Endpoint, RedisURI> uri;
    private final Duration timeout;
    private final Map<String, Connection<K, V>> connections = new ConcurrentHashMap<>();
    private volatile boolean isClosed;

    /** A connection that is there, or is being made. */
    static final class Connection<K, V> {
        private final CompletableFuture<StatefulRedisConnection<K, V>> made;
        private final AtomicInteger unanswered = new AtomicInteger();

        Connection(CompletableFuture<StatefulRedisConnection<K, V>> made) {
            this.made = made;
        }

        CompletableFuture<StatefulRedisConnection<K, V>> made() {
            return made;
        }

        void answered() {
            unanswered.set(0);
        }

        /** Notes a request without an answer. */
        void timedOut() {
            if (unanswered.incrementAndGet() >= MOST_UNANSWERED) {
                close();
            }
        }

        boolean isUsable() {
            if (!made.isDone()) {
                return true;
            }
            return !made.isCompletedExceptionally() && made.join().isOpen();
        }

        @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for the end of a connection
        void close() {
            made.thenAccept(connection -> {
                if (connection.isOpen()) {
                    connection.closeAsync();
                }
            });
        }
    }

    Connections(RedisClient client, RedisCodec<K, V> codec, Function<Endpoint, RedisURI> uri, Duration timeout) {
        this.client = client;
        this.codec = codec;
        this.uri = uri;
        this.timeout = timeout;
    }

    /** Returns the connection to a server. */
    Connection<K, V> to(Endpoint endpoint) {
        Connection<K, V> known = connections.get(endpoint.id());
        if (known != null && known.isUsable()) {
            return known;
        }
        Connection<K, V> made = connections.compute(
                endpoint.id(), (id, old) -> old != null && old.isUsable() ? old : replace(old, endpoint));
        if (isClosed) {
            drop(endpoint.id());
        }
        return made;
    }

    private Connection<K, V> replace(@Nullable Connection<K, V> old, Endpoint endpoint) {
        if (old != null) {
            old.close();
        }
        CompletableFuture<StatefulRedisConnection<K, V>> made;
        try {
            RedisURI target = uri.apply(endpoint);
            // Of the greeting: a server may accept connections and not answer.
            target.setTimeout(timeout);
            made = client.connectAsync(codec, target).toCompletableFuture();
        } catch (RuntimeException e) {
            made = CompletableFuture.failedFuture(e);
        }
        return new Connection<>(made);
    }

    /** Closes the connection to a server. */
    void drop(String id) {
        Connection<K, V> connection = connections.remove(id);
        if (connection != null) {
            connection.close();
        }
    }

    @Override
    public void close() {
        isClosed = true;
        connections.keySet().forEach(this::drop);
    }
}
