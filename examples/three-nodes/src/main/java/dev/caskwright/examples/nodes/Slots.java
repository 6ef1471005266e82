package dev.caskwright.examples.nodes;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;

/**
 * Who has how many of the 16,384 slots, by the ports for clients, as {@code CLUSTER SLOTS} tells it.
 *
 * @param first those that a node executes commands for
 * @param second those that it has a copy of
 */
public record Slots(Map<Integer, Integer> first, Map<Integer, Integer> second) {
    private static final int ALL = 16_384;
    private static final long PAUSE_NANOS = 50_000_000;

    /** Asks a node. */
    public static Slots of(int port) {
        Map<Integer, Integer> first = new TreeMap<>();
        Map<Integer, Integer> second = new TreeMap<>();
        try (Jedis node = new Jedis("127.0.0.1", port)) {
            for (Object each : (List<?>) node.sendCommand(Protocol.Command.CLUSTER, "SLOTS")) {
                List<?> range = (List<?>) each; // first slot, last slot, then nodes as host, port, id
                int slots = Math.toIntExact((Long) range.get(1) - (Long) range.get(0) + 1);
                for (int i = 2; i < range.size(); i++) {
                    int owner = Math.toIntExact((Long) ((List<?>) range.get(i)).get(1));
                    (i == 2 ? first : second).merge(owner, slots, Integer::sum);
                }
            }
        }
        return new Slots(first, second);
    }

    /** Asks a node until so many nodes have all slots, each twice. */
    public static Slots await(int port, int nodes) {
        while (true) {
            Slots slots = of(port);
            if (slots.first.size() == nodes && sum(slots.first) == ALL && sum(slots.second) == ALL) {
                return slots;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static int sum(Map<Integer, Integer> slots) {
        return slots.values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<Integer, Integer> each : first.entrySet()) {
            text.append(String.format(
                    "  127.0.0.1:%d  first owner of %5d slots, second of %5d%n",
                    each.getKey(), each.getValue(), second.getOrDefault(each.getKey(), 0)));
        }
        return text.toString();
    }
}
