package dev.caskwright.balance;

import java.util.function.ToLongFunction;

/** A ring that passes over endpoints which have more than their share of what is under way, by a factor. */
final class BoundedRing<K> implements Strategy.Chooser<K> {
    private final HashRing ring;
    private final ServiceList list;
    private final Loads loads;
    private final ToLongFunction<? super K> hash;
    private final double bound;

    BoundedRing(HashRing ring, ServiceList list, Loads loads, ToLongFunction<? super K> hash, double bound) {
        this.ring = ring;
        this.list = list;
        this.loads = loads;
        this.hash = hash;
        this.bound = bound;
    }

    @Override
    public Endpoint choose(K key) {
        int start = ring.indexOf(hash.applyAsLong(key));
        long underWay = 1; // with this request
        for (Endpoint endpoint : list.endpoints()) {
            underWay += loads.of(endpoint).active();
        }
        double perWeight = bound * underWay / list.totalWeight();
        for (int i = 0; i < ring.size(); i++) {
            int index = start + i < ring.size() ? start + i : start + i - ring.size();
            Endpoint endpoint = ring.owner(index);
            if (loads.of(endpoint).active() + 1 <= Math.ceil(perWeight * endpoint.weight())) {
                return endpoint;
            }
        }
        return ring.owner(start); // others were picked meanwhile, so that all seem full
    }
}
