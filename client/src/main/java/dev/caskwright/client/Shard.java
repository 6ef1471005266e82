package dev.caskwright.client;

import dev.caskwright.balance.Discovery;
import dev.caskwright.balance.Endpoint;
import dev.caskwright.balance.LoadBalancer;
import dev.caskwright.balance.Pick;
import dev.caskwright.balance.ServiceList;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The servers that have the same keys: any of them may be read from, and one may be known to be the one that writes go to. */
final class Shard<K, V> implements AutoCloseable {
    private final LoadBalancer<K> balancer;
    private final Connections<K, V> connections;
    private final Discovery.Watch watch;

    /** Where a server has said that changes go, or null. */
    private volatile @Nullable Endpoint leader;

    Shard(LoadBalancer<K> balancer, Connections<K, V> connections, Discovery discovery) {
        this.balancer = balancer;
        this.connections = connections;
        watch = discovery.watch(this::changed);
    }

    private void changed(ServiceList next) {
        ServiceList before = balancer.endpoints();
        balancer.update(next);
        for (Endpoint endpoint : before.endpoints()) {
            closeIfGone(endpoint);
        }
    }

    LoadBalancer<K> balancer() {
        return balancer;
    }

    Connections<K, V> connections() {
        return connections;
    }

    /** Picks a server that was not tried, if there is one; for a change the leader, if that is known. */
    Pick pick(K key, boolean isWrite, Set<String> tried) {
        Endpoint known = leader;
        if (isWrite && known != null && !tried.contains(known.id())) {
            return balancer.pickOnly(known);
        }
        return balancer.pickOther(key, tried);
    }

    /** Ends a request; the connection to a server that was taken from the list is closed with its last one. */
    void end(Pick pick) {
        pick.close();
        closeIfGone(pick.endpoint());
    }

    private void closeIfGone(Endpoint endpoint) {
        boolean isListed = balancer.endpoints().endpoints().stream()
                .anyMatch(listed -> listed.id().equals(endpoint.id()));
        Endpoint known = leader;
        boolean isLeader = known != null && known.id().equals(endpoint.id());
        if (!isListed && !isLeader && balancer.active(endpoint) == 0) {
            connections.drop(endpoint.id());
        }
    }

    /** Takes the word of a server that another one takes changes: {@code MOVED slot host:port}. */
    void moved(String message, Endpoint from) {
        String[] words = message.split(" ", -1);
        String address = words.length < 3 ? "" : words[2];
        int colon = address.lastIndexOf(':');
        if (colon < 0) {
            return;
        }
        // Redis leaves the host out if it is that of the server that was asked.
        String host = colon == 0 ? from.host() : address.substring(0, colon);
        try {
            int port = Integer.parseInt(address.substring(colon + 1));
            leader = balancer.endpoints().endpoints().stream()
                    .filter(listed -> listed.host().equals(host) && listed.port() == port)
                    .findFirst()
                    .orElseGet(() -> Endpoint.of(host, port));
        } catch (IllegalArgumentException e) {
            leader = null; // it is not known, and the next server may tell
        }
    }

    /** Forgets a leader that does not do its work. */
    void failed(Endpoint endpoint) {
        Endpoint known = leader;
        if (known != null && known.id().equals(endpoint.id())) {
            leader = null;
        }
    }

    @Override
    public void close() {
        watch.close();
        connections.close();
    }
}
