package dev.caskwright.balance;

/**
 * A way to choose among endpoints. A strategy is asked for a {@link Chooser} whenever the endpoints or their weights have changed,
 * so it can prepare what makes a choice fast.
 *
 * @param <K> what the choice depends on; strategies that do not look at keys take any
 */
@FunctionalInterface
public interface Strategy<K> {
    /**
     * Prepares the choice among the endpoints of a list.
     *
     * @param list at least one endpoint, each of a weight above 0
     * @param loads what is under way at each endpoint, the same object for as long as the load balancer lives
     */
    Chooser<K> prepare(ServiceList list, Loads loads);

    /** Chooses among the endpoints of one list. Safe for any number of threads. */
    @FunctionalInterface
    interface Chooser<K> {
        /** Chooses an endpoint for a request. */
        Endpoint choose(K key);
    }
}
