package dev.caskwright.server;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.server.cluster.ClusterNode;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.SlotRange;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Servers that have a part of the slots each, and a store for it; the test says who has what. */
final class SlotCluster implements AutoCloseable {
    final List<CaskServer> servers = new ArrayList<>();
    final List<StorageEngine> stores = new ArrayList<>();
    private final List<ClusterNode> nodes = new ArrayList<>();
    private volatile List<SlotRange> ranges = List.of();
    private volatile long epoch;

    SlotCluster(int size) throws IOException {
        for (int i = 0; i < size; i++) {
            int number = i;
            StorageEngine store = BitcaskEngine.builder(Path.of("store"))
                    .io(new CrashableIoManager().factory())
                    .index(HashKeyIndex::new)
                    .open();
            stores.add(store);
            ServerConfig config = new ServerConfig().set("port", "0").set("bind", "127.0.0.1");
            CaskServer server = CaskServer.start(store, config, () -> view(number));
            servers.add(server);
            nodes.add(new ClusterNode("n" + i, "127.0.0.1", server.port()));
        }
        splitEvenly(0);
    }

    private ClusterView view(int self) {
        return new ClusterView(epoch, nodes.get(self), nodes, ranges);
    }

    /** Gives each node as many slots, the first of them to the node with this number; the next node is the replica. */
    void splitEvenly(int first) {
        List<SlotRange> next = new ArrayList<>();
        int size = nodes.size();
        for (int i = 0; i < size; i++) {
            int from = i * HashSlot.SLOTS / size;
            int to = (i + 1) * HashSlot.SLOTS / size - 1;
            next.add(
                    new SlotRange(from, to, nodes.get((first + i) % size), List.of(nodes.get((first + i + 1) % size))));
        }
        ranges = next;
        epoch++;
    }

    /** Gives slots to a node, or to nobody for -1; nobody has the others. */
    void only(int from, int to, int node) {
        ranges = List.of(new SlotRange(from, to, node < 0 ? null : nodes.get(node), List.of()));
        epoch++;
    }

    String address(int node) {
        return nodes.get(node).address();
    }

    int port(int node) {
        return nodes.get(node).port();
    }

    RespClient client(int node) throws IOException {
        return new RespClient(port(node));
    }

    @Override
    public void close() throws IOException {
        for (int i = 0; i < servers.size(); i++) {
            servers.get(i).close();
            stores.get(i).close();
        }
    }
}
