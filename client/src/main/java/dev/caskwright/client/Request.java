package dev.caskwright.client;

import dev.caskwright.balance.Endpoint;
import dev.caskwright.balance.NoEndpointException;
import dev.caskwright.balance.Pick;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One command with all its tries. Each try has a pick, which is closed whatever becomes of it, so that no count of requests under
 * way is ever too high. One try follows the other; for one thread at a time.
 */
final class Request<K, V, T> {
    private static final long FIRST_DELAY_MILLIS = 5;

    private final Shard<K, V> shard;
    private final K key;
    private final Function<RedisAsyncCommands<K, V>, ? extends CompletionStage<T>> command;
    private final Repeat repeat;
    private final int maxTries;
    private final RetryBudget budget;
    private final ScheduledExecutorService scheduler;
    private final CompletableFuture<T> result = new CompletableFuture<>();
    private final Set<String> tried = new HashSet<>();
    private int tries;

    Request(
            Shard<K, V> shard,
            K key,
            Function<RedisAsyncCommands<K, V>, ? extends CompletionStage<T>> command,
            Repeat repeat,
            int maxTries,
            RetryBudget budget,
            ScheduledExecutorService scheduler) {
        this.shard = shard;
        this.key = key;
        this.command = command;
        this.repeat = repeat;
        this.maxTries = maxTries;
        this.budget = budget;
        this.scheduler = scheduler;
    }

    CompletableFuture<T> send() {
        budget.request();
        tryOnce();
        return result;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // what it is followed by ends in the result
    private void tryOnce() {
        tries++;
        Pick pick;
        try {
            pick = shard.pick(key, repeat != Repeat.READ, tried);
        } catch (NoEndpointException e) {
            result.completeExceptionally(e);
            return;
        }
        tried.add(pick.endpoint().id());
        Connections.Connection<K, V> connection = shard.connections().to(pick.endpoint());
        connection.made().whenComplete((made, problem) -> {
            if (problem != null) {
                ended(pick, null, plain(problem), Verdict.NOT_SENT);
            } else {
                sendOver(pick, connection, made);
            }
        });
    }

    private void sendOver(Pick pick, Connections.Connection<K, V> connection, StatefulRedisConnection<K, V> made) {
        CompletionStage<T> reply;
        try {
            reply = command.apply(made.async());
        } catch (RuntimeException | Error e) {
            shard.end(pick);
            result.completeExceptionally(e);
            return;
        }
        reply.whenComplete((value, problem) -> {
            Throwable error = problem == null ? null : plain(problem);
            if (error instanceof RedisCommandTimeoutException) {
                connection.timedOut();
            } else {
                connection.answered();
            }
            ended(pick, value, error, error == null ? null : Verdict.of(error));
        });
    }

    private static Throwable plain(Throwable problem) {
        return problem instanceof CompletionException && problem.getCause() != null ? problem.getCause() : problem;
    }

    private void ended(Pick pick, @Nullable T value, @Nullable Throwable error, @Nullable Verdict verdict) {
        Endpoint endpoint = pick.endpoint();
        if (error == null || verdict == null || verdict.isRequestsOwn()) {
            shard.end(pick);
            complete(value, error);
            return;
        }
        if (verdict.isServersFault()) {
            pick.failed();
        }
        boolean isMoved = Verdict.code(error).equals("MOVED");
        shard.failed(endpoint);
        shard.end(pick);
        if (isMoved) {
            shard.moved(String.valueOf(error.getMessage()), endpoint);
        }
        boolean mayRepeat = verdict.isNotRun() || repeat != Repeat.NEVER;
        if (mayRepeat && tries < maxTries && budget.takeRetry()) {
            tryAgain(isMoved, error);
        } else if (mayRepeat) {
            complete(null, error);
        } else {
            complete(null, new UnknownOutcomeException(endpoint.id(), error));
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // what it is followed by ends in the result
    private void tryAgain(boolean isMoved, Throwable error) {
        if (isMoved || hasUntried()) {
            tryOnce();
            return;
        }
        // All have been tried: one of them may come to itself.
        long most = FIRST_DELAY_MILLIS << tries;
        long delay = most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1);
        try {
            scheduler.schedule(this::tryOnce, delay, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            complete(null, error); // the client was closed
        }
    }

    private boolean hasUntried() {
        return shard.balancer().endpoints().takingRequests().endpoints().stream()
                .anyMatch(endpoint -> !tried.contains(endpoint.id()));
    }

    @SuppressWarnings("NullAway") // the value of a reply may be null, as of GET
    private void complete(@Nullable T value, @Nullable Throwable error) {
        if (error == null) {
            result.complete(value);
        } else {
            result.completeExceptionally(error);
        }
    }
}
