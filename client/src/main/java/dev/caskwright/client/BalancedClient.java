package dev.caskwright.client;

import dev.caskwright.balance.Discovery;
import dev.caskwright.balance.Endpoint;
import dev.caskwright.balance.Hashes;
import dev.caskwright.balance.LoadBalancer;
import dev.caskwright.balance.OutlierFilter;
import dev.caskwright.balance.ServiceList;
import dev.caskwright.balance.Strategies;
import dev.caskwright.balance.Strategy;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * A client of several servers. A hash of the key chooses the shard; among the servers of a shard, which are equals, a strategy
 * does.
 *
 * <pre>{@code
 * try (BalancedClient<String, String> client = BalancedClient.builder()
 *         .shard("one", Discovery.fixed(ServiceList.of(Endpoint.of("10.0.0.1", 6379), Endpoint.of("10.0.0.2", 6379))))
 *         .open()) {
 *     client.repeatableWrite("cask:1", redis -> redis.set("cask:1", "oak")).join();
 *     String value = client.read("cask:1", redis -> redis.get("cask:1")).join();
 * }
 * }</pre>
 *
 * <p>A command is a function of Lettuce's asynchronous interface, so all of that is to be had, and commands are pipelined by not
 * waiting for one before the next is sent. All keys of a command must be in one shard. Transactions are not for this client, as
 * the connection is shared.
 *
 * <p><b>What is tried again.</b> A command that certainly was not run, since there was no connection or the server said so ({@code
 * -LOADING}, {@code -READONLY}, {@code -MOVED} and the like), goes to another server of the shard. If nobody knows, since the
 * connection ended, the server did not answer in time or said {@code -UNKNOWN}, then only what may be repeated does; a {@link
 * #write} fails with {@link UnknownOutcomeException}. Tries of a command have a bound, and all retries together one of a fifth of
 * the requests. A server that fails again and again is left out for a while, but never one that is alone, and a key never goes to
 * another shard because its own fails.
 *
 * <p>Futures end in a thread of Lettuce, which must not be blocked. Safe for any number of threads.
 *
 * @param <K> keys
 * @param <V> values
 */
public final class BalancedClient<K, V> implements AutoCloseable {
    private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(2);

    private final RedisClient client;
    private final Map<String, Shard<K, V>> shards = new LinkedHashMap<>();
    private final LoadBalancer<K> shardChoice;
    private final int maxTries;
    private final RetryBudget retries = new RetryBudget();

    private BalancedClient(Builder<K, V> builder) {
        maxTries = builder.maxTries;
        client = RedisClient.create();
        client.setOptions(ClientOptions.builder()
                // A connection that has ended is made anew by the next request, which may go to another server instead.
                .autoReconnect(false)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .timeoutOptions(TimeoutOptions.enabled(builder.timeout))
                .socketOptions(
                        SocketOptions.builder().connectTimeout(builder.timeout).build())
                .build());
        // Names of shards, not servers, are what a key is hashed to: a server that comes or goes moves no key.
        shardChoice = new LoadBalancer<>(Strategies.rendezvous(builder.hash));
        List<Endpoint> names = new ArrayList<>();
        builder.shards.keySet().forEach(name -> names.add(new Endpoint(name, name, 1, 1, "", 0)));
        shardChoice.update(ServiceList.of(names));
        builder.shards.forEach((name, discovery) -> shards.put(
                name,
                new Shard<>(
                        new LoadBalancer<>(builder.strategy.get(), builder.outliers.get(), builder.warmUp),
                        new Connections<>(client, builder.codec, builder.uri, builder.timeout),
                        discovery)));
    }

    /** Returns a builder of a client whose keys and values are strings in UTF-8. */
    public static Builder<String, String> builder() {
        return new Builder<>(StringCodec.UTF8, Hashes::of);
    }

    /**
     * Returns a builder of a client.
     *
     * @param hash gives the hash of a key, which all clients must agree on, as {@link Hashes} does
     */
    public static <K, V> Builder<K, V> builder(RedisCodec<K, V> codec, ToLongFunction<? super K> hash) {
        return new Builder<>(codec, hash);
    }

    /**
     * Sends a command that changes nothing to one of the servers of the key's shard, and to another one if that fails.
     *
     * @return the reply; fails with what Lettuce throws, or {@link dev.caskwright.balance.NoEndpointException}
     */
    public <T> CompletableFuture<T> read(
            K key, Function<RedisAsyncCommands<K, V>, ? extends CompletionStage<T>> command) {
        return send(key, command, Repeat.READ);
    }

    /**
     * Sends a command that changes something, and not again if it may have been run.
     *
     * @return the reply; fails with {@link UnknownOutcomeException} if it may have been run, else as {@link #read}
     */
    public <T> CompletableFuture<T> write(
            K key, Function<RedisAsyncCommands<K, V>, ? extends CompletionStage<T>> command) {
        return send(key, command, Repeat.NEVER);
    }

    /**
     * Sends a command that changes something and may as well be run twice, such as {@code SET} without a condition. If others change
     * the same key meanwhile, the second time may undo what they did.
     */
    public <T> CompletableFuture<T> repeatableWrite(
            K key, Function<RedisAsyncCommands<K, V>, ? extends CompletionStage<T>> command) {
        return send(key, command, Repeat.HARMLESS);
    }

    private <T> CompletableFuture<T> send(
            K key, Function<RedisAsyncCommands<K, V>, ? extends CompletionStage<T>> command, Repeat repeat) {
        Shard<K, V> shard = shardOf(key);
        return new Request<>(
                        shard,
                        key,
                        Objects.requireNonNull(command, "command"),
                        repeat,
                        maxTries,
                        retries,
                        client.getResources().eventExecutorGroup())
                .send();
    }

    private Shard<K, V> shardOf(K key) {
        return Objects.requireNonNull(shards.get(shard(key)), "a shard");
    }

    /** Returns the name of the shard that a key is in. */
    public String shard(K key) {
        return shardChoice.choose(key).id();
    }

    /**
     * Returns how many requests are under way at each server of a shard, by its id.
     *
     * @throws IllegalArgumentException if there is no such shard
     */
    public Map<String, Integer> active(String shard) {
        Shard<K, V> found = shards.get(shard);
        if (found == null) {
            throw new IllegalArgumentException("unknown shard: " + shard + ", known: " + shards.keySet());
        }
        Map<String, Integer> active = new LinkedHashMap<>();
        for (Endpoint endpoint : found.balancer().endpoints().endpoints()) {
            active.put(endpoint.id(), found.balancer().active(endpoint));
        }
        return active;
    }

    /** Closes all connections; what is under way fails. Closing twice is fine. */
    @Override
    public void close() {
        shards.values().forEach(Shard::close);
        client.shutdown(Duration.ZERO, SHUTDOWN_TIMEOUT);
    }

    /** What a client is made of. For one thread. */
    public static final class Builder<K, V> {
        private final RedisCodec<K, V> codec;
        private final ToLongFunction<? super K> hash;
        private final Map<String, Discovery> shards = new LinkedHashMap<>();
        private Supplier<Strategy<K>> strategy = Strategies::leastActive;
        private Supplier<OutlierFilter> outliers = OutlierFilter::standard;
        private Duration warmUp = Duration.ZERO;
        private Duration timeout = Duration.ofSeconds(2);
        private int maxTries = 3;
        private Function<Endpoint, RedisURI> uri = endpoint -> RedisURI.create(endpoint.host(), endpoint.port());

        private Builder(RedisCodec<K, V> codec, ToLongFunction<? super K> hash) {
            this.codec = codec;
            this.hash = hash;
        }

        /**
         * Adds a shard.
         *
         * @param name what keys are hashed to: it must stay the same for as long as there is data
         * @param servers its servers, each of which has all keys of the shard
         */
        public Builder<K, V> shard(String name, Discovery servers) {
            if (shards.put(name, servers) != null) {
                throw new IllegalArgumentException("two shards have one name: " + name);
            }
            return this;
        }

        /** How a server of a shard is chosen; the one with the fewest requests under way unless set. */
        public Builder<K, V> strategy(Supplier<Strategy<K>> choice) {
            strategy = choice;
            return this;
        }

        /** What leaves out servers that fail; {@link OutlierFilter#standard} unless set. One is made for each shard. */
        public Builder<K, V> outliers(Supplier<OutlierFilter> filter) {
            outliers = filter;
            return this;
        }

        /** For how long the share of a server that has come up grows; zero unless set. */
        public Builder<K, V> warmUp(Duration duration) {
            warmUp = duration;
            return this;
        }

        /** How long a connection may take, and the answer to a try; two seconds unless set. */
        public Builder<K, V> timeout(Duration duration) {
            timeout = duration;
            return this;
        }

        /**
         * How often a command is sent at most; three times unless set.
         *
         * @throws IllegalArgumentException unless it is 1 to 10
         */
        public Builder<K, V> maxTries(int count) {
            if (count < 1 || count > 10) {
                throw new IllegalArgumentException("a command is tried 1 to 10 times: " + count);
            }
            maxTries = count;
            return this;
        }

        /** How a server is connected to: user, password, database, TLS. Plainly, unless set. */
        public Builder<K, V> uri(Function<Endpoint, RedisURI> connecting) {
            uri = connecting;
            return this;
        }

        /**
         * Makes the client. Connections are made when they are needed.
         *
         * @throws IllegalStateException if there is no shard
         */
        public BalancedClient<K, V> open() {
            if (shards.isEmpty()) {
                throw new IllegalStateException("no shard: call shard(...) first");
            }
            return new BalancedClient<>(this);
        }
    }
}
