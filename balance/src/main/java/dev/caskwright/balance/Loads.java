package dev.caskwright.balance;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What is under way at each endpoint, and how fast it answers; by id, so that it outlives changes of the list. */
public final class Loads {
    private static final double DECAY_NANOS = 10e9; // an answer counts half of what it did after some seven seconds

    private final ConcurrentHashMap<String, Load> byId = new ConcurrentHashMap<>();

    Loads() {}

    /** What is known of one endpoint. */
    public static final class Load {
        private final AtomicInteger active = new AtomicInteger();
        private final AtomicLong responseNanos = new AtomicLong(Double.doubleToRawLongBits(0)); // of a double
        private volatile long answeredAtNanos;

        private Load() {}

        /** Returns how many requests are under way. */
        public int active() {
            return active.get();
        }

        /** Returns how long answers took lately, in nanoseconds; a slow one counts at once, and is forgotten with time. */
        public double responseNanos(long nowNanos) {
            double latest = Double.longBitsToDouble(responseNanos.get());
            return latest * Math.exp(-Math.max(0, nowNanos - answeredAtNanos) / DECAY_NANOS);
        }

        void begin() {
            active.incrementAndGet();
        }

        void end() {
            active.decrementAndGet();
        }

        void answered(long tookNanos, long nowNanos) {
            double before = responseNanos(nowNanos);
            double weight = Math.exp(-Math.max(0, nowNanos - answeredAtNanos) / DECAY_NANOS);
            double next = tookNanos > before ? tookNanos : before * weight + tookNanos * (1 - weight);
            responseNanos.set(Double.doubleToRawLongBits(next)); // of two at once one is lost, which does not matter
            answeredAtNanos = nowNanos;
        }
    }

    /** Returns what is known of an endpoint. */
    public Load of(Endpoint endpoint) {
        return byId.computeIfAbsent(endpoint.id(), id -> new Load());
    }

    /** Forgets endpoints that are not in a list any more and have nothing under way. */
    void keepOnly(ServiceList list) {
        byId.entrySet()
                .removeIf(each -> each.getValue().active() == 0
                        && list.endpoints().stream()
                                .noneMatch(endpoint -> endpoint.id().equals(each.getKey())));
    }
}
