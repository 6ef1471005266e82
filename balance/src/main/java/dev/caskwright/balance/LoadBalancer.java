package dev.caskwright.balance;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Picks an endpoint for each request. It works on one list of endpoints at a time, so that a pick never sees half of a change.
 *
 * <p>Safe for any number of threads. A pick takes no lock, unless an endpoint is being warmed up or is left out for its errors:
 * then now and then one makes the next choice ready.
 *
 * @param <K> what the choice depends on
 */
public final class LoadBalancer<K> {
    private static final long WARM_UP_STEP_NANOS = 1_000_000_000L;

    private final Strategy<K> strategy;
    private final @Nullable OutlierFilter outliers;
    private final Duration warmUp;
    private final InstantSource clock;
    private final LongSupplier nanoTime;
    private final Loads loads = new Loads();
    private volatile ServiceList list = ServiceList.empty();
    private volatile Prepared<K> prepared;

    private record Prepared<K>(
            long number, ServiceList usable, Strategy.@Nullable Chooser<K> chooser, long madeNanos, long goodForNanos) {
        boolean isOver(long nowNanos) {
            return goodForNanos != Long.MAX_VALUE && nowNanos - madeNanos >= goodForNanos;
        }
    }

    /** Makes a load balancer without endpoints that leaves none out and warms none up. */
    public LoadBalancer(Strategy<K> strategy) {
        this(strategy, null, Duration.ZERO);
    }

    /**
     * Makes a load balancer without endpoints.
     *
     * @param outliers leaves out endpoints that fail; null to leave none out
     * @param warmUp for how long the weight of an endpoint grows after it came up; zero for not at all
     */
    public LoadBalancer(Strategy<K> strategy, @Nullable OutlierFilter outliers, Duration warmUp) {
        this(strategy, outliers, warmUp, InstantSource.system(), System::nanoTime);
    }

    LoadBalancer(
            Strategy<K> strategy,
            @Nullable OutlierFilter outliers,
            Duration warmUp,
            InstantSource clock,
            LongSupplier nanoTime) {
        this.strategy = Objects.requireNonNull(strategy, "strategy");
        this.outliers = outliers;
        this.warmUp = Objects.requireNonNull(warmUp, "warmUp");
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.prepared = new Prepared<>(0, ServiceList.empty(), null, 0, Long.MAX_VALUE);
    }

    /** Takes other endpoints, or the same with other weights. Picks that are under way keep theirs. */
    public synchronized void update(ServiceList endpoints) {
        if (!endpoints.equals(list)) {
            list = endpoints;
            loads.keepOnly(endpoints);
            prepare();
        }
    }

    /** Returns the endpoints, those that are left out included. */
    public ServiceList endpoints() {
        return list;
    }

    /** Returns how many requests are under way at an endpoint. */
    public int active(Endpoint endpoint) {
        return loads.of(endpoint).active();
    }

    /**
     * Picks an endpoint, and counts a request as under way there until the pick is closed.
     *
     * @throws NoEndpointException if there is none that takes requests
     */
    public Pick pick(K key) {
        long now = nanoTime.getAsLong();
        Endpoint endpoint = choose(key, now);
        return new Pick(this, endpoint, loads.of(endpoint), now);
    }

    /**
     * Picks an endpoint that is not among some, as long as there is another: for a request that these have failed. Of those that
     * the strategy does not come to, as one that goes by the key never does, it is the one with the fewest requests under way; one
     * that is left out for its errors comes last.
     *
     * @param triedIds the ids of endpoints that were tried
     * @throws NoEndpointException if there is none that takes requests
     */
    public Pick pickOther(K key, Set<String> triedIds) {
        long now = nanoTime.getAsLong();
        Endpoint endpoint = choose(key, now);
        if (triedIds.contains(endpoint.id())) {
            endpoint = other(prepared.usable, triedIds)
                    .or(() -> other(list.takingRequests(), triedIds))
                    .orElse(endpoint);
        }
        return new Pick(this, endpoint, loads.of(endpoint), now);
    }

    private Optional<Endpoint> other(ServiceList among, Set<String> triedIds) {
        return among.endpoints().stream()
                .filter(endpoint -> !triedIds.contains(endpoint.id()))
                .min(Comparator.comparingInt(endpoint -> loads.of(endpoint).active()));
    }

    /** Picks an endpoint that somebody else has chosen, and that need not be in the list. */
    public Pick pickOnly(Endpoint endpoint) {
        return new Pick(this, endpoint, loads.of(endpoint), nanoTime.getAsLong());
    }

    /**
     * Picks an endpoint for a request that is not followed. Strategies that go by what is under way do not see it.
     *
     * @throws NoEndpointException if there is none that takes requests
     */
    public Endpoint choose(K key) {
        Prepared<K> current = prepared;
        return choose(key, current.goodForNanos == Long.MAX_VALUE ? 0 : nanoTime.getAsLong());
    }

    private Endpoint choose(K key, long nowNanos) {
        Prepared<K> current = prepared;
        if (current.isOver(nowNanos)) {
            current = prepareOnce(current);
        }
        Strategy.Chooser<K> chooser = current.chooser;
        if (chooser == null) {
            throw new NoEndpointException(list);
        }
        return chooser.choose(key);
    }

    private synchronized Prepared<K> prepareOnce(Prepared<K> seen) {
        if (prepared.number == seen.number) {
            prepare();
        }
        return prepared;
    }

    private synchronized void prepare() {
        long now = nanoTime.getAsLong();
        ServiceList usable = list.takingRequests();
        long goodFor = Long.MAX_VALUE;
        OutlierFilter filter = outliers;
        if (filter != null) {
            usable = filter.filter(usable, now);
            goodFor = filter.nanosToNext(now);
        }
        long millis = clock.millis();
        if (usable.endpoints().stream().anyMatch(endpoint -> isWarmingUp(endpoint, millis))) {
            usable = ServiceList.of(usable.endpoints().stream()
                    .map(endpoint -> endpoint.withWeight(endpoint.weightAt(millis, warmUp)))
                    .toList());
            goodFor = Math.min(goodFor, WARM_UP_STEP_NANOS);
        }
        Strategy.Chooser<K> chooser = null;
        if (usable.size() == 1) {
            Endpoint only = usable.get(0);
            chooser = key -> only;
        } else if (usable.size() > 0) {
            chooser = strategy.prepare(usable, loads);
        }
        prepared = new Prepared<>(prepared.number + 1, usable, chooser, now, goodFor);
    }

    private boolean isWarmingUp(Endpoint endpoint, long nowMillis) {
        return endpoint.startedAtMillis() != 0 && nowMillis - endpoint.startedAtMillis() < warmUp.toMillis();
    }

    void ended(Endpoint endpoint, Loads.Load load, long startedNanos, boolean hasFailed) {
        long now = nanoTime.getAsLong();
        load.answered(now - startedNanos, now);
        OutlierFilter filter = outliers;
        if (filter == null) {
            return;
        }
        if (!hasFailed) {
            filter.succeeded(endpoint);
        } else if (filter.failed(endpoint, list.takingRequests(), now)) {
            prepare();
        }
    }
}
