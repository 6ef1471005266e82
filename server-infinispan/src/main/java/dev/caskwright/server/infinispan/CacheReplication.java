package dev.caskwright.server.infinispan;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.cluster.ClusterNode;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationException;
import dev.caskwright.server.replication.ReplicationException.Kind;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.infinispan.AdvancedCache;
import org.infinispan.distribution.LocalizedCacheTopology;
import org.jspecify.annotations.Nullable;

/** A server's view of its {@link CacheNode}. */
final class CacheReplication implements Replication {
    private static final int REMOVED_AT_ONCE = 256;

    private final CacheNode node;
    private final CommandRunner runner;
    private final LocalKeys store;
    private final ExecutorService clearing;

    CacheReplication(CacheNode node, Replay replay, InstantSource clock) {
        this.node = node;
        Map<ByteBuffer, byte[]> own = new ConcurrentHashMap<>();
        store = new LocalKeys(node, clock, own);
        runner = new CommandRunner(
                new InfinispanKeys(node.keys()),
                clock,
                replay,
                own,
                node.options().maxFetchedBytes());
        clearing = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "caskwright-clear");
            thread.setDaemon(true);
            return thread;
        });
        node.onChange(runner::ownersChanged);
        runner.start();
    }

    @Override
    public Topology topology() {
        return node::view;
    }

    @Override
    public CompletableFuture<byte[]> propose(byte[] commands) {
        if (node.isDegraded()) {
            // Infinispan would refuse each of them, too, with an error in the log.
            return CompletableFuture.failedFuture(new ReplicationException(
                    Kind.NO_QUORUM,
                    null,
                    node.hasFailed()
                            ? "the node leaves the cluster: its store did not take what others gave it"
                            : "this part of the cluster may not have all keys",
                    null));
        }
        return runner.run(commands);
    }

    /** Completes at once: commands that name keys are proposed, and others look at what the node has. */
    @Override
    public CompletableFuture<Void> barrier() {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> clear() {
        CompletableFuture<Void> cleared = new CompletableFuture<>();
        try {
            clearing.execute(() -> {
                try {
                    removeAll();
                    cleared.complete(null);
                } catch (Exception e) {
                    cleared.completeExceptionally(new ReplicationException(
                            Kind.UNKNOWN, null, "some keys were removed, others not: " + e.getMessage(), e));
                }
            });
        } catch (RejectedExecutionException e) {
            cleared.completeExceptionally(new ReplicationException(Kind.NO_QUORUM, null, "this node ends", e));
        }
        return cleared;
    }

    private void removeAll() throws java.io.IOException {
        AdvancedCache<byte[], byte[]> keys = node.keys();
        List<CompletableFuture<?>> removals = new ArrayList<>();
        store.visit(entry -> {
            byte[] key = new byte[entry.key().length - 1];
            System.arraycopy(entry.key(), 1, key, 0, key.length);
            removals.add(keys.removeAsync(key));
            if (removals.size() == REMOVED_AT_ONCE) {
                removals.forEach(CompletableFuture::join);
                removals.clear();
            }
            return true;
        });
        removals.forEach(CompletableFuture::join);
    }

    /** Completes with how many other nodes have each key of this one, at least: what was acknowledged is with all its owners. */
    @Override
    public CompletableFuture<Integer> copies(int wanted, long timeoutMillis) {
        LocalizedCacheTopology topology = node.keys().getDistributionManager().getCacheTopology();
        int copies = node.options().owners() - 1;
        for (int segment : node.primarySegments()) {
            copies = Math.min(
                    copies,
                    topology.getSegmentDistribution(segment).readOwners().size() - 1);
        }
        return CompletableFuture.completedFuture(Math.max(0, copies));
    }

    @Override
    public long changes() {
        return 0;
    }

    @Override
    public StorageEngine store() {
        return store;
    }

    @Override
    public String id() {
        return node.options().self().id();
    }

    /** Returns true: each node leads where its own keys are concerned. */
    @Override
    public boolean isLeader() {
        return true;
    }

    @Override
    public @Nullable String leaderAddress() {
        return null;
    }

    @Override
    public Map<String, String> figures() {
        ClusterView view = node.view();
        Map<String, String> figures = new LinkedHashMap<>();
        figures.put("cache_id", id());
        figures.put("cache_members", Integer.toString(view.nodes().size()));
        figures.put("cache_owners", Integer.toString(node.options().owners()));
        figures.put("cache_epoch", Long.toString(view.epoch()));
        figures.put(
                "cache_first_owner_of_segments",
                Integer.toString(node.primarySegments().size()));
        figures.put("cache_failed", node.hasFailed() ? "1" : "0");
        figures.put("cache_availability", node.keys().getAvailability().name().toLowerCase(Locale.ROOT));
        return figures;
    }

    @Override
    public List<Member> members() {
        List<Member> members = new ArrayList<>();
        for (ClusterNode each : node.view().nodes()) {
            members.add(new Member(each.id(), each.address(), each.address(), "owner", -1));
        }
        return members;
    }

    private static <T> CompletableFuture<T> refused() {
        return CompletableFuture.failedFuture(new ReplicationException(
                Kind.REFUSED, null, "in mode cache a node joins when it is started, and leaves when it ends", null));
    }

    @Override
    public CompletableFuture<Void> add(String member) {
        return refused();
    }

    @Override
    public CompletableFuture<Void> remove(String id) {
        return refused();
    }

    @Override
    public CompletableFuture<Void> transfer(String id) {
        return refused();
    }

    @Override
    public CompletableFuture<Long> snapshot() {
        return refused();
    }

    /** Lets commands under way end, and leaves the cluster. */
    @Override
    public void close() {
        runner.close();
        clearing.shutdownNow();
        node.close();
    }
}
