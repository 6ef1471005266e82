package dev.caskwright.balance;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An endpoint that was picked for a request, which counts as under way until the pick is closed:
 *
 * <pre>{@code
 * try (Pick pick = balancer.pick(key)) {
 *     try {
 *         return call(pick.endpoint());
 *     } catch (IOException e) {
 *         pick.failed();
 *         throw e;
 *     }
 * }
 * }</pre>
 *
 * <p>Safe for any number of threads; closing twice counts once.
 */
public final class Pick implements AutoCloseable {
    private final LoadBalancer<?> balancer;
    private final Endpoint endpoint;
    private final Loads.Load load;
    private final long startedNanos;
    private final AtomicBoolean isClosed = new AtomicBoolean();
    private volatile boolean hasFailed;

    Pick(LoadBalancer<?> balancer, Endpoint endpoint, Loads.Load load, long nowNanos) {
        this.balancer = balancer;
        this.endpoint = endpoint;
        this.load = load;
        this.startedNanos = nowNanos;
        load.begin();
    }

    /** Returns where the request goes. */
    public Endpoint endpoint() {
        return endpoint;
    }

    /** Says that the endpoint failed; a request that it answered with an error of the request's own is no failure of it. */
    public void failed() {
        hasFailed = true;
    }

    /** Ends the request: as a success, unless {@link #failed} was called. */
    @Override
    public void close() {
        if (isClosed.compareAndSet(false, true)) {
            load.end();
            balancer.ended(endpoint, load, startedNanos, hasFailed);
        }
    }
}
