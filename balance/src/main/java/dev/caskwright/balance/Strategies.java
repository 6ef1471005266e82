package dev.caskwright.balance;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.random.RandomGenerator;

/** The strategies there are. Those with a random part take its source from the thread, or from a supplier, as tests want. */
public final class Strategies {
    /** Points that a ring has for each unit of weight, so that shares differ by some 10 %. */
    public static final int RING_POINTS = 100;

    /** How far above the mean an endpoint may be loaded before a ring goes on to the next one. */
    public static final double RING_BOUND = 1.25;

    private static final Supplier<RandomGenerator> THREAD_LOCAL = ThreadLocalRandom::current;

    private Strategies() {}

    /** Any endpoint with equal chance, whatever its weight. */
    public static <K> Strategy<K> random() {
        return random(THREAD_LOCAL);
    }

    /** As {@link #random()}, with a given source of random numbers. */
    public static <K> Strategy<K> random(Supplier<RandomGenerator> source) {
        return (list, loads) -> {
            Endpoint[] endpoints = list.endpoints().toArray(Endpoint[]::new);
            return key -> endpoints[source.get().nextInt(endpoints.length)];
        };
    }

    /** Any endpoint with a chance in proportion to its weight. */
    public static <K> Strategy<K> weightedRandom() {
        return weightedRandom(THREAD_LOCAL);
    }

    /** As {@link #weightedRandom()}, with a given source of random numbers. */
    public static <K> Strategy<K> weightedRandom(Supplier<RandomGenerator> source) {
        return (list, loads) -> {
            AliasTable table = new AliasTable(list);
            return key -> table.draw(source.get());
        };
    }

    /** One endpoint after another, whatever their weights. Starts at a random one, so that clients do not go in step. */
    public static <K> Strategy<K> roundRobin() {
        return roundRobin(THREAD_LOCAL);
    }

    /** As {@link #roundRobin()}, with a given source of random numbers. */
    public static <K> Strategy<K> roundRobin(Supplier<RandomGenerator> source) {
        return (list, loads) -> Rotation.from(
                list.endpoints().toArray(Endpoint[]::new), source.get().nextLong());
    }

    /** Each endpoint as often as its weight says, and as evenly spread as can be: never a burst to a heavy one. */
    public static <K> Strategy<K> smoothWeightedRoundRobin() {
        return smoothWeightedRoundRobin(THREAD_LOCAL);
    }

    /** As {@link #smoothWeightedRoundRobin()}, with a given source of random numbers. */
    public static <K> Strategy<K> smoothWeightedRoundRobin(Supplier<RandomGenerator> source) {
        return (list, loads) ->
                Rotation.from(SmoothSequence.of(list), source.get().nextLong());
    }

    /**
     * The endpoint with the fewest requests under way for its weight; of equals any one. Above 16 endpoints the better of two
     * that are drawn by weight, which is nearly as good and looks at two only.
     */
    public static <K> Strategy<K> leastActive() {
        return leastActive(THREAD_LOCAL);
    }

    /** As {@link #leastActive()}, with a given source of random numbers. */
    public static <K> Strategy<K> leastActive(Supplier<RandomGenerator> source) {
        return (list, loads) -> new LeastLoaded<>(list, loads, source, load -> load.active() + 1.0);
    }

    /**
     * The endpoint that is expected to answer first: by how long its answers took lately, and how many requests are under way
     * there, for its weight. One that was slow once is tried again as that is forgotten.
     */
    public static <K> Strategy<K> shortestResponse() {
        return shortestResponse(THREAD_LOCAL);
    }

    /** As {@link #shortestResponse()}, with a given source of random numbers. */
    public static <K> Strategy<K> shortestResponse(Supplier<RandomGenerator> source) {
        return (list, loads) -> new LeastLoaded<>(
                list, loads, source, load -> (1 + load.responseNanos(System.nanoTime())) * (load.active() + 1.0));
    }

    /**
     * The endpoint whose point follows the key's on a ring; it has points in proportion to its weight. When an endpoint comes or
     * goes, only keys that go to it, or went, change places.
     *
     * @param hash gives the hash of a key, as {@link Hashes} does
     */
    public static <K> Strategy<K> ringHash(ToLongFunction<? super K> hash) {
        return (list, loads) -> {
            HashRing ring = new HashRing(list, RING_POINTS);
            return key -> ring.at(hash.applyAsLong(key));
        };
    }

    /**
     * As {@link #ringHash}, but an endpoint that has {@link #RING_BOUND} times its share of what is under way is passed over, so
     * that a key that everybody wants does not overload one. (Mirrokni, Thorup, Zadimoghaddam: Consistent hashing with bounded
     * loads.)
     */
    public static <K> Strategy<K> boundedRingHash(ToLongFunction<? super K> hash) {
        return (list, loads) -> new BoundedRing<>(new HashRing(list, RING_POINTS), list, loads, hash, RING_BOUND);
    }

    /**
     * The endpoint with the highest score for the key, weighted: {@code -weight / ln(u)}, where {@code u} is a hash of both as a
     * number between 0 and 1. Least movement of keys, no memory, and work in proportion to the endpoints. (Thaler, Ravishankar.)
     */
    public static <K> Strategy<K> rendezvous(ToLongFunction<? super K> hash) {
        return (list, loads) -> new Rendezvous<>(list, hash);
    }

    /**
     * The endpoint in a table of 65,537 places that each endpoint fills in an order of its own. A choice is one look; when the
     * list changes, slightly more keys move than must. (Eisenbud and others: Maglev.)
     */
    public static <K> Strategy<K> maglev(ToLongFunction<? super K> hash) {
        return (list, loads) -> {
            Endpoint[] table = MaglevTable.of(list);
            return key -> table[(int) Long.remainderUnsigned(hash.applyAsLong(key), table.length)];
        };
    }

    /**
     * The endpoint by its place in the order of ids, for numbered shards that come and go at the end of that order only. Weights
     * do not matter. (Lamping, Veach: A fast, minimal memory, consistent hash algorithm.)
     */
    public static <K> Strategy<K> jump(ToLongFunction<? super K> hash) {
        return (list, loads) -> key -> list.get(JumpHash.bucket(hash.applyAsLong(key), list.size()));
    }
}
