package dev.caskwright.balance;

import java.time.Duration;
import java.util.Objects;

/**
 * A server that requests can go to.
 *
 * @param id names the server; what is known about it, and its place in a hash ring, hang on this name alone
 * @param host where it is reached
 * @param port where it is reached, 1 to 65,535
 * @param weight its share of the requests beside others' weights, 0 to {@link #MAX_WEIGHT}; at 0 it gets no new ones
 * @param zone where it stands, empty if that does not matter
 * @param startedAtMillis when it came up, in milliseconds since 1970; 0 if that is not known: then it is not warmed up
 */
public record Endpoint(String id, String host, int port, int weight, String zone, long startedAtMillis) {
    /** The greatest weight. */
    public static final int MAX_WEIGHT = 1_000_000;

    private static final int MAX_PORT = 65_535;

    public Endpoint {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(zone, "zone");
        if (id.isEmpty()) {
            throw new IllegalArgumentException("an endpoint needs an id: host=" + host + ", port=" + port);
        }
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("a port is 1 to " + MAX_PORT + ": endpoint=" + id + ", port=" + port);
        }
        if (weight < 0 || weight > MAX_WEIGHT) {
            throw new IllegalArgumentException(
                    "a weight is 0 to " + MAX_WEIGHT + ": endpoint=" + id + ", weight=" + weight);
        }
    }

    /** Returns an endpoint of weight 1 that is named for where it is reached. */
    public static Endpoint of(String host, int port) {
        return new Endpoint(host + ":" + port, host, port, 1, "", 0);
    }

    /** Returns this endpoint with another weight. */
    public Endpoint withWeight(int newWeight) {
        return new Endpoint(id, host, port, newWeight, zone, startedAtMillis);
    }

    /** Returns this endpoint in a zone. */
    public Endpoint inZone(String newZone) {
        return new Endpoint(id, host, port, weight, newZone, startedAtMillis);
    }

    /** Returns this endpoint as one that came up at a moment, and is to be warmed up from then on. */
    public Endpoint startedAt(long millis) {
        return new Endpoint(id, host, port, weight, zone, millis);
    }

    /**
     * Returns the weight at a moment: while the server is younger than {@code warmUp} it grows from 1 to the full weight. A
     * moment before the start counts as the start.
     */
    public int weightAt(long nowMillis, Duration warmUp) {
        long warmUpMillis = warmUp.toMillis();
        long age = Math.max(0, nowMillis - startedAtMillis);
        if (startedAtMillis == 0 || weight == 0 || age >= warmUpMillis) {
            return weight;
        }
        return (int) Math.max(1, (double) weight * age / warmUpMillis);
    }
}
