package dev.caskwright.server.infinispan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;

/** Clients that write all the time, and remember what was acknowledged. */
final class Load implements AutoCloseable {
    private static final int THREADS = 4;
    private static final int COUNTERS = 8;

    private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
    private final AtomicLongArray increments = new AtomicLongArray(COUNTERS);
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean isDone;

    private final String prefix;

    Load(TestNodes nodes, int first, String prefix) {
        this.prefix = prefix;
        for (int t = 0; t < THREADS; t++) {
            int number = t;
            Thread thread = new Thread(() -> write(nodes.cluster(first), number), "load-" + t);
            threads.add(thread);
            thread.start();
        }
    }

    private void write(UnifiedJedis client, int thread) {
        try (client) {
            for (int i = 0; !isDone; i++) {
                String key = prefix + "key" + thread + "-" + i;
                try {
                    client.set(key, "value" + key);
                    acknowledged.put(key, "value" + key);
                } catch (JedisException e) {
                    // Not acknowledged: it may be there or not.
                }
                try {
                    client.incr(prefix + "counter" + i % COUNTERS);
                    increments.incrementAndGet(i % COUNTERS);
                } catch (JedisException e) {
                    // Not acknowledged: it may count or not.
                }
            }
        }
    }

    /** Waits until so many more writes are acknowledged. */
    void await(int more) {
        int wanted = acknowledged.size() + more;
        while (acknowledged.size() < wanted) {
            Thread.onSpinWait();
        }
    }

    /** Ends the clients. */
    @Override
    public void close() throws InterruptedException {
        isDone = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Returns what was acknowledged and is not there, or counts less. */
    List<String> lost(TestNodes nodes, int first) {
        List<String> lost = new ArrayList<>();
        try (UnifiedJedis client = nodes.cluster(first)) {
            acknowledged.forEach((key, value) -> {
                if (!value.equals(client.get(key))) {
                    lost.add(key);
                }
            });
            for (int i = 0; i < COUNTERS; i++) {
                String count = client.get(prefix + "counter" + i);
                if ((count == null ? 0 : Long.parseLong(count)) < increments.get(i)) {
                    lost.add("counter" + i + "=" + count + ", acknowledged=" + increments.get(i));
                }
            }
        }
        return lost;
    }

    Map<String, String> acknowledged() {
        return acknowledged;
    }
}
