package dev.caskwright.balance;

import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;

/** Chooses the endpoint with the least cost for its weight: among all if they are few, otherwise of two drawn by weight. */
final class LeastLoaded<K> implements Strategy.Chooser<K> {
    private static final int FEW = 16;

    private final Endpoint[] endpoints;
    private final Loads.Load[] loads;
    private final Supplier<RandomGenerator> random;
    private final ToDoubleFunction<Loads.Load> cost;
    private final AliasTable byWeight;
    private final Loads all;

    LeastLoaded(ServiceList list, Loads all, Supplier<RandomGenerator> random, ToDoubleFunction<Loads.Load> cost) {
        this.endpoints = list.endpoints().toArray(Endpoint[]::new);
        this.loads = new Loads.Load[endpoints.length];
        for (int i = 0; i < endpoints.length; i++) {
            loads[i] = all.of(endpoints[i]);
        }
        this.random = random;
        this.cost = cost;
        this.byWeight = new AliasTable(list);
        this.all = all;
    }

    @Override
    public Endpoint choose(K key) {
        return endpoints.length <= FEW ? leastOfAll() : betterOfTwo();
    }

    private Endpoint leastOfAll() {
        // From a random place on, so that of equals each has its turn.
        int start = random.get().nextInt(endpoints.length);
        int least = start;
        double leastCost = Double.POSITIVE_INFINITY;
        for (int i = 0; i < endpoints.length; i++) {
            int place = start + i < endpoints.length ? start + i : start + i - endpoints.length;
            double each = cost.applyAsDouble(loads[place]) / endpoints[place].weight();
            if (each < leastCost) {
                least = place;
                leastCost = each;
            }
        }
        return endpoints[least];
    }

    private Endpoint betterOfTwo() {
        RandomGenerator source = random.get();
        Endpoint one = byWeight.draw(source);
        Endpoint other = byWeight.draw(source);
        return costOf(other) < costOf(one) ? other : one;
    }

    private double costOf(Endpoint endpoint) {
        return cost.applyAsDouble(all.of(endpoint)) / endpoint.weight();
    }
}
