package dev.caskwright.examples.nodes;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;

/** Starts three nodes, writes to them, kills one, and counts what is lost: nothing. */
public final class ThreeNodes {
    private static final int KEYS = 1_000;

    private ThreeNodes() {}

    /** Shows it, and leaves the nodes running until Enter is pressed or the process is told to end. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments.length > 0 ? arguments[0] : "nodes");
        try (Nodes nodes = new Nodes(directory, List.of(7001, 7002, 7003), List.of(7801, 7802, 7803))) {
            Runtime.getRuntime().addShutdownHook(new Thread(nodes::stop, "end"));
            long lost = show(nodes, KEYS, System.out);
            System.out.println(lost + " keys lost in all. The nodes go on: redis-cli -c -p 7001. Enter ends them.");
            System.in.read();
        }
    }

    /** Shows it with so many keys; returns how many were lost. */
    static long show(Nodes nodes, int keys, PrintStream out) throws IOException {
        out.println("starting three nodes ...");
        nodes.start(1, 2, 3);
        out.print(Slots.await(nodes.clientPort(1), Nodes.COUNT));
        write(nodes, 0, keys);
        out.println(keys + " keys written by a client of Redis Cluster");

        nodes.kill(2);
        out.println("node 2 killed");
        out.print(Slots.await(nodes.clientPort(1), Nodes.COUNT - 1));
        long lost = missing(nodes, keys);
        out.println(lost + " keys lost");

        write(nodes, keys, 2 * keys);
        nodes.start(2);
        out.println("node 2 started again, after " + keys + " more keys");
        out.print(Slots.await(nodes.clientPort(2), Nodes.COUNT));
        lost += missing(nodes, 2 * keys);

        nodes.stop();
        nodes.start(3, 1, 2);
        out.println("all nodes stopped and started again, in another order");
        out.print(Slots.await(nodes.clientPort(1), Nodes.COUNT));
        return lost + missing(nodes, 2 * keys);
    }

    /** Returns a client that asks the first node, or the third, who has which keys, and goes there. */
    private static UnifiedJedis client(Nodes nodes) {
        return RedisClusterClient.builder()
                .nodes(Set.of(
                        new HostAndPort("127.0.0.1", nodes.clientPort(1)),
                        new HostAndPort("127.0.0.1", nodes.clientPort(3))))
                .build();
    }

    /** Writes keys; each is with two nodes when this returns. */
    static void write(Nodes nodes, int from, int to) {
        try (UnifiedJedis client = client(nodes)) {
            for (int i = from; i < to; i++) {
                client.set("cask:" + i, "oak " + i);
            }
        }
    }

    /** Returns how many of the keys are not there. */
    static long missing(Nodes nodes, int to) {
        long missing = 0;
        try (UnifiedJedis client = client(nodes)) {
            for (int i = 0; i < to; i++) {
                if (!("oak " + i).equals(client.get("cask:" + i))) {
                    missing++;
                }
            }
        }
        return missing;
    }
}
