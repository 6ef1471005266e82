package dev.caskwright.balance;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * The endpoints of a service at one moment. Immutable, and in the order of their ids, so that the order in which a registry names
 * them does not matter to anything.
 */
public final class ServiceList {
    private static final ServiceList EMPTY = new ServiceList(List.of());

    private final List<Endpoint> endpoints;
    private final long totalWeight;

    private ServiceList(List<Endpoint> endpoints) {
        this.endpoints = endpoints;
        long sum = 0;
        for (Endpoint endpoint : endpoints) {
            sum += endpoint.weight();
        }
        this.totalWeight = sum;
    }

    /** Returns the list without endpoints. */
    public static ServiceList empty() {
        return EMPTY;
    }

    /**
     * Returns a list of endpoints.
     *
     * @throws IllegalArgumentException if two have the same id
     */
    public static ServiceList of(Collection<Endpoint> endpoints) {
        List<Endpoint> sorted = new ArrayList<>(endpoints);
        sorted.sort(Comparator.comparing(Endpoint::id));
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).id().equals(sorted.get(i - 1).id())) {
                throw new IllegalArgumentException(
                        "two endpoints have one id: id=" + sorted.get(i).id());
            }
        }
        return new ServiceList(List.copyOf(sorted));
    }

    /** As {@link #of(Collection)}. */
    public static ServiceList of(Endpoint... endpoints) {
        return of(List.of(endpoints));
    }

    /** Returns the endpoints in the order of their ids. */
    public List<Endpoint> endpoints() {
        return endpoints;
    }

    /** Returns the number of endpoints. */
    public int size() {
        return endpoints.size();
    }

    /** Returns an endpoint by its place in the order of ids. */
    public Endpoint get(int index) {
        return endpoints.get(index);
    }

    /** Returns the sum of all weights. */
    public long totalWeight() {
        return totalWeight;
    }

    /** Returns whether all endpoints have the same weight. */
    public boolean isEvenlyWeighted() {
        for (Endpoint endpoint : endpoints) {
            if (endpoint.weight() != endpoints.get(0).weight()) {
                return false;
            }
        }
        return true;
    }

    /** Returns the endpoints that a test accepts. */
    public ServiceList where(Predicate<Endpoint> test) {
        List<Endpoint> kept = new ArrayList<>();
        for (Endpoint endpoint : endpoints) {
            if (test.test(endpoint)) {
                kept.add(endpoint);
            }
        }
        return kept.size() == endpoints.size() ? this : new ServiceList(List.copyOf(kept));
    }

    /** Returns the endpoints that take new requests: those of a weight above 0. */
    public ServiceList takingRequests() {
        return where(endpoint -> endpoint.weight() > 0);
    }

    /** Returns the endpoints of a zone, or all if none is there. */
    public ServiceList preferring(String zone) {
        ServiceList near = where(endpoint -> endpoint.zone().equals(zone) && endpoint.weight() > 0);
        return near.size() == 0 ? this : near;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ServiceList list && endpoints.equals(list.endpoints);
    }

    @Override
    public int hashCode() {
        return endpoints.hashCode();
    }

    @Override
    public String toString() {
        return endpoints.toString();
    }
}
