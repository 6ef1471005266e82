package dev.caskwright.discovery.zookeeper;

import dev.caskwright.balance.Endpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.zookeeper.CreateMode;

/**
 * Keeps a server in the registry: an ephemeral node, which goes with the session of the process that made it, and is made again when a
 * session was lost and another one begins. Safe for any number of threads.
 */
public final class ZooKeeperRegistration implements AutoCloseable {
    private final PersistentNode node;
    private final String id;

    private ZooKeeperRegistration(PersistentNode node, String id) {
        this.node = node;
        this.id = id;
    }

    /**
     * Registers a server. Returns at once, whether the registry can be reached or not; {@link #await} waits.
     *
     * @param client is started, stays the caller's, and must be closed after the registration
     * @param path where the servers of the service are, such as {@code /caskwright/sessions}; made if it is not there
     * @param endpoint the server, whose id no other one has
     */
    public static ZooKeeperRegistration register(CuratorFramework client, String path, Endpoint endpoint) {
        PersistentNode node = new PersistentNode(
                client,
                CreateMode.EPHEMERAL,
                false,
                path + "/" + EndpointNode.name(endpoint),
                EndpointNode.data(endpoint));
        node.start();
        return new ZooKeeperRegistration(node, endpoint.id());
    }

    /** Waits until the server is registered; returns false if that takes too long. */
    public boolean await(Duration patience) throws InterruptedException {
        return node.waitForInitialCreate(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * Tells another weight, zone or address of the server; a weight of 0 drains it.
     *
     * @throws IllegalArgumentException if it is another server
     * @throws IOException if the registry refuses; the change is then told with the next session
     */
    public void update(Endpoint endpoint) throws IOException {
        if (!endpoint.id().equals(id)) {
            throw new IllegalArgumentException("another server is registered: id=" + id + ", given=" + endpoint.id());
        }
        try {
            node.setData(EndpointNode.data(endpoint));
        } catch (Exception e) { // Curator declares no less
            throw new IOException("the registry did not take the change: id=" + id, e);
        }
    }

    /** Takes the server out of the registry. Closing twice is fine. */
    @Override
    public void close() throws IOException {
        node.close();
    }
}
