package dev.caskwright.server.infinispan;

import dev.caskwright.server.CaskServer;
import dev.caskwright.server.cluster.ClusterNode;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.SlotRange;
import dev.caskwright.server.config.ServerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.infinispan.factories.GlobalComponentRegistry;
import org.infinispan.remoting.transport.Transport;
import org.infinispan.remoting.transport.jgroups.JGroupsTransport;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;

/** Nodes of a cluster in this JVM, each with a server, in directories of a test. */
final class TestNodes implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 60_000;

    private final Path directory;
    private final List<Integer> ports = new ArrayList<>();
    private final Map<String, String> options = new HashMap<>();
    private final Map<Integer, Node> nodes = new HashMap<>();
    private final List<Node> killed = new ArrayList<>();

    /** A node that runs. */
    record Node(CacheNode node, CacheReplication replication, CaskServer server) {}

    private final int first;

    /**
     * Finds ports for nodes.
     *
     * @param first how many of them begin the cluster, and know of each other; others know of all
     */
    TestNodes(Path directory, int first, int count) throws IOException {
        this.directory = directory;
        this.first = first;
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 2 * count; i++) {
                ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                sockets.add(socket);
                ports.add(socket.getLocalPort());
            }
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }

    TestNodes with(String option, String value) {
        options.put(option, value);
        return this;
    }

    Path directory(int i) {
        return directory.resolve("n" + i);
    }

    int port(int i) {
        return ports.get(2 * i);
    }

    ServerConfig config(int i) {
        StringBuilder peers = new StringBuilder();
        for (int peer = 0; peer < (i < first ? first : ports.size() / 2); peer++) {
            peers.append("n" + peer + "@127.0.0.1:" + ports.get(2 * peer + 1) + "/" + port(peer) + " ");
        }
        ServerConfig config = new ServerConfig()
                .set("mode", "cache")
                .set("bind", "127.0.0.1")
                .set("port", Integer.toString(port(i)))
                .set("cache-id", "n" + i)
                .set("cache-peers", peers.toString());
        options.forEach(config::set);
        return config;
    }

    /** Starts a node; returns when it serves. */
    Node start(int i) throws IOException {
        ServerConfig config = config(i);
        CacheNode node = CacheNode.open(directory(i), NodeOptions.of(config));
        CacheReplication replication = new CacheReplication(node, CaskServer.newReplay(), InstantSource.system());
        Node started = new Node(node, replication, CaskServer.start(replication, config));
        synchronized (nodes) {
            nodes.put(i, started);
        }
        return started;
    }

    /** Starts nodes, which may wait for each other. */
    void startAll(int... which) {
        List<CompletableFuture<Void>> starts = new ArrayList<>();
        for (int i : which) {
            starts.add(CompletableFuture.runAsync(
                    () -> {
                        try {
                            start(i);
                        } catch (IOException e) {
                            throw new CompletionException(e);
                        }
                    },
                    task -> new Thread(task, "start-n" + i).start()));
        }
        starts.forEach(CompletableFuture::join);
    }

    Node node(int i) {
        synchronized (nodes) {
            return nodes.get(i);
        }
    }

    /** Cuts a node off, as a process that is killed is: nobody is told. */
    void kill(int i) {
        Node node = node(i);
        node.server().close();
        JGroupsTransport transport = (JGroupsTransport)
                GlobalComponentRegistry.componentOf(node.node().manager(), Transport.class);
        transport.getChannel().close();
        synchronized (nodes) {
            killed.add(nodes.remove(i));
        }
    }

    /** Has killed nodes let go of what they hold in this JVM. */
    void bury() {
        List<Node> all;
        synchronized (nodes) {
            all = List.copyOf(killed);
            killed.clear();
        }
        all.forEach(node -> node.replication().close());
    }

    void stop(int i) {
        Node node;
        synchronized (nodes) {
            node = nodes.remove(i);
        }
        if (node != null) {
            node.server().close();
            node.replication().close();
        }
    }

    /** Waits until a node sees so many nodes own all slots, and every slot has as many owners as it should. */
    void awaitOwners(int i, int count) {
        int owners = Math.min(count, Integer.parseInt(options.getOrDefault("cache-owners", "2")));
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        while (true) {
            ClusterView view = node(i).node().view();
            Set<ClusterNode> masters = new HashSet<>();
            boolean isWhole = view.servedSlots() == HashSlot.SLOTS;
            for (SlotRange range : view.ranges()) {
                masters.add(range.master());
                isWhole &= range.replicas().size() == owners - 1;
            }
            if (isWhole && masters.size() == count && !masters.contains(null)) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not " + count + " nodes: " + view);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Waits until a node, which may be in another process, tells clients that every slot has another owner. */
    void awaitReplicas(int i) {
        try (Jedis client = client(i)) {
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
            int slots;
            do {
                slots = 0;
                for (Object range : client.clusterSlots()) {
                    List<?> words = (List<?>) range;
                    slots += words.size() > 3 ? (int) ((long) words.get(1) - (long) words.get(0) + 1) : 0;
                }
                if (System.nanoTime() > deadline) {
                    throw new AssertionError("slots with replicas: " + slots);
                }
            } while (slots < HashSlot.SLOTS);
        }
    }

    Jedis client(int i) {
        return new Jedis("127.0.0.1", port(i), PATIENCE_MILLIS);
    }

    UnifiedJedis cluster(int i) {
        return RedisClusterClient.builder()
                .nodes(Set.of(new HostAndPort("127.0.0.1", port(i))))
                .build();
    }

    @Override
    public void close() {
        List<Integer> running;
        synchronized (nodes) {
            running = List.copyOf(nodes.keySet());
        }
        running.forEach(this::stop);
        bury();
    }
}
