package dev.caskwright.server.infinispan;

import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.infinispan.CaskwrightStoreConfigurationBuilder;
import dev.caskwright.server.cluster.ClusterNode;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.SlotRange;
import dev.caskwright.server.infinispan.Report.Phase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.infinispan.AdvancedCache;
import org.infinispan.Cache;
import org.infinispan.commons.CacheException;
import org.infinispan.commons.dataconversion.MediaType;
import org.infinispan.commons.util.IntSet;
import org.infinispan.configuration.cache.CacheMode;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.cache.StorageType;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.configuration.global.ShutdownHookBehavior;
import org.infinispan.configuration.global.UncleanShutdownAction;
import org.infinispan.conflict.MergePolicy;
import org.infinispan.distribution.DistributionInfo;
import org.infinispan.distribution.LocalizedCacheTopology;
import org.infinispan.factories.ComponentRegistry;
import org.infinispan.factories.GlobalComponentRegistry;
import org.infinispan.globalstate.GlobalStateManager;
import org.infinispan.globalstate.ScopedPersistentState;
import org.infinispan.globalstate.impl.ScopedPersistentStateImpl;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.partitionhandling.AvailabilityMode;
import org.infinispan.partitionhandling.PartitionHandling;
import org.infinispan.remoting.transport.Address;
import org.infinispan.remoting.transport.Transport;
import org.infinispan.remoting.transport.jgroups.JGroupsTransport;
import org.infinispan.topology.CacheTopology;
import org.infinispan.topology.LocalTopologyManager;
import org.infinispan.topology.PersistentUUIDManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node of the cluster: a cache of all keys, of which this node has its part in memory and in a store of its own, and what the nodes
 * tell each other of themselves. Safe for any number of threads.
 *
 * <pre>
 * lock        held while the node runs
 * standing    where the node stood when owners last changed, see {@link Standing}
 * joining     is there while the node has not got its part from the others yet
 * store       the entries, see infinispan-store
 * ___global.* keys.state   Infinispan's own
 * </pre>
 */
final class CacheNode implements AutoCloseable {
    /** The cache of the keys. */
    static final String KEYS = "keys";

    private static final Logger LOG = LoggerFactory.getLogger(CacheNode.class);
    private static final String NODES = "nodes";

    /** What Infinispan calls the number of owners, among those who own what. */
    private static final String OWNERS_OF_A_KEY = "numOwners";

    private static final int EPOCH_SHIFT = 32;
    private static final long LOOK_MILLIS = 1_000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** For so long a node that ends waits for others to have its keys. */
    private static final long LEAVE_NANOS = 30_000_000_000L;

    private final NodeOptions options;
    private final Path directory;
    private final String proposedOrigin = UUID.randomUUID().toString();
    private final FileChannel lock;
    private final ExecutorService changes;
    private final Object seen = new Object();
    private @Nullable Standing standing;
    private @Nullable DefaultCacheManager manager;
    private @Nullable Cache<Address, String> nodes;
    private volatile @Nullable AdvancedCache<byte[], byte[]> cache;
    private String origin = "";
    private String ready = Report.NOT;
    private long epoch;
    private volatile @Nullable ClusterView view;
    private volatile Runnable onChange = () -> {};

    /** Why the node has to go, or null. */
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private volatile boolean isCutOff;
    private volatile boolean isLeaving;
    private volatile boolean isClosed;

    /** All nodes end: where they stand now is where they go on. */
    private boolean isFrozen;

    private CacheNode(NodeOptions options, Path directory, FileChannel lock) {
        this.options = options;
        this.directory = directory.toAbsolutePath();
        this.lock = lock;
        changes = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "caskwright-owners");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Opens a node; returns when it serves keys, which may have to wait for others.
     *
     * @throws IOException if the directory is that of another node or cluster, or in use, or the cluster refuses the node
     */
    static CacheNode open(Path directory, NodeOptions options) throws IOException {
        Files.createDirectories(directory);
        CacheNode node = new CacheNode(options, directory, lock(directory));
        boolean isOpen = false;
        try {
            node.open();
            isOpen = true;
            return node;
        } catch (CacheException e) {
            throw new IOException(
                    "the node does not start: node=" + options.self().id() + ": " + innermost(e), e);
        } finally {
            if (!isOpen) {
                node.close();
            }
        }
    }

    private static String innermost(Throwable problem) {
        Throwable cause = problem;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }

    private static FileChannel lock(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean isLocked = false;
        try {
            isLocked = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            LOG.debug("another node of this process has the directory", e);
        } finally {
            if (!isLocked) {
                channel.close();
            }
        }
        if (!isLocked) {
            throw new IOException(
                    "the directory is in use by another node; give each one of its own: directory=" + directory);
        }
        return channel;
    }

    private void open() throws IOException {
        standing = checkedStanding();
        GlobalConfigurationBuilder global = new GlobalConfigurationBuilder();
        global.transport()
                .defaultTransport()
                .clusterName(options.cluster())
                .nodeName(options.self().id())
                .distributedSyncTimeout(options.timeoutMillis(), TimeUnit.MILLISECONDS)
                .addProperty(JGroupsTransport.CONFIGURATION_XML, Stack.of(options))
                .addProperty(JGroupsTransport.SOCKET_FACTORY, NodeSockets.of(options));
        global.globalState()
                .enable()
                .persistentLocation(directory.toString())
                .uncleanShutdownAction(UncleanShutdownAction.IGNORE);
        global.shutdown().hookBehavior(ShutdownHookBehavior.DONT_REGISTER);
        DefaultCacheManager started = new DefaultCacheManager(global.build());
        manager = started;
        ConfigurationBuilder everywhere = new ConfigurationBuilder();
        everywhere.clustering().cacheMode(CacheMode.REPL_SYNC);
        started.defineConfiguration(NODES, everywhere.build());
        Cache<Address, String> registry = started.getCache(NODES);
        nodes = registry;
        Object listener = new NodesListener(this::look);
        registry.addListener(listener);
        started.addListener(listener);
        arrive(started);
    }

    /** Returns where the node stood, if that is this node's. */
    private @Nullable Standing checkedStanding() throws IOException {
        Standing found = Standing.read(directory.resolve("standing"));
        if (found == null) {
            if (Files.exists(directory.resolve("store")) && !Files.exists(directory.resolve("joining"))) {
                throw new IOException("the directory has a store, but not the note of where the node stood, so that"
                        + " nobody knows whether it is the newest; nothing was changed. Move it away: directory="
                        + directory);
            }
            return null;
        }
        check("node", found.node(), options.self().id());
        check("cluster", found.cluster(), options.cluster());
        check("segments", Integer.toString(found.segments()), Integer.toString(options.segments()));
        return found;
    }

    private void check(String what, String found, String expected) throws IOException {
        if (!found.equals(expected)) {
            throw new IOException("the directory is that of another " + what + ": directory=" + directory + ", found="
                    + found + ", expected=" + expected + "; nothing was changed");
        }
    }

    private void arrive(DefaultCacheManager started) throws IOException {
        report(Phase.WAITING);
        Arrival arrival = awaitOthers();
        LOG.info("the node starts: id={}, how={}", options.self().id(), arrival.kind());
        ready = Report.NOT;
        origin = arrival.origin();
        epoch = arrival.epoch();
        Standing last = arrival.standing();
        GlobalStateManager states = GlobalComponentRegistry.componentOf(started, GlobalStateManager.class);
        if (last == null) {
            // What is there is void from here on, also if the node ends before it has got its part.
            Files.write(directory.resolve("joining"), new byte[0]);
            Files.deleteIfExists(directory.resolve("standing"));
            SideFiles.force(directory);
            states.deleteScopedState(KEYS);
            dropStore();
        }
        started.defineConfiguration(KEYS, configuration().build());
        Cache<byte[], byte[]> opened = started.getCache(KEYS);
        AdvancedCache<byte[], byte[]> stored = opened.getAdvancedCache().withStorageMediaType();
        awaitStable(stored);
        refuseIfFailed();
        cache = stored;
        refuseIfFailed(); // whoever failed a moment ago saw no cache yet, and left it to this thread
        opened.addListener(new OwnersListener(this::ownersChanged));
        settle();
    }

    private void refuseIfFailed() throws IOException {
        Throwable problem = failure.get();
        if (problem != null) {
            throw new IOException(
                    "the store cannot take what others give the node; they keep it. Make room on its disk, and start it"
                            + " anew: node=" + options.self().id() + ": " + problem.getMessage(),
                    problem);
        }
    }

    /**
     * Deletes what is in the store, before Infinispan opens it. Infinispan's purge would not do: it runs beside the transfer of the
     * node's part, and not at all if those who run have started from what they had.
     */
    private void dropStore() throws IOException {
        Path store = directory.resolve("store");
        if (Files.exists(store)) {
            Path root = store.toRealPath(); // it may be a link to another disk
            try (Stream<Path> files = Files.walk(root)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    if (!file.equals(root)) {
                        Files.delete(file);
                    }
                }
            } catch (UncheckedIOException e) {
                throw new IOException("what was in the store cannot be deleted: directory=" + root, e);
            }
        }
    }

    private void awaitStable(AdvancedCache<byte[], byte[]> stored) throws IOException {
        try {
            ComponentRegistry.componentOf(stored, LocalTopologyManager.class)
                    .stableTopologyCompletion(KEYS)
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            throw new IOException("the cluster does not start: " + e.getMessage(), e);
        }
    }

    private Arrival awaitOthers() throws IOException {
        String told = "";
        while (true) {
            Arrival arrival = arrival();
            if (arrival.kind() != Arrival.Kind.WAIT) {
                return arrival;
            }
            Standing last = arrival.standing();
            if (last != null && !last.moment().equals(ready)) {
                getReady(last);
                continue;
            }
            if (!arrival.reason().equals(told)) {
                told = arrival.reason();
                LOG.info("the node waits: id={}, {}", options.self().id(), told);
            }
            synchronized (seen) {
                try {
                    seen.wait(LOOK_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted while the node waited: " + told, e);
                }
            }
        }
    }

    /**
     * Has Infinispan know who owned what. All nodes that are there must before the first goes on: one of them, which may have been away,
     * is asked by it.
     */
    private void getReady(Standing last) {
        ScopedPersistentState owners = new ScopedPersistentStateImpl(KEYS);
        last.owners().forEach(owners::setProperty);
        // It may be another number than before: all nodes are told the same, see Arrival.
        owners.setProperty(OWNERS_OF_A_KEY, Integer.toString(options.owners()));
        GlobalComponentRegistry.componentOf(manager(), GlobalStateManager.class).writeScopedState(owners);
        ready = last.moment();
        report(Phase.WAITING);
    }

    private Arrival arrival() throws IOException {
        List<Report> reports = new ArrayList<>();
        List<Address> members = manager().getMembers();
        for (Address member : members) {
            Report report = reportOf(member);
            if (report == null) {
                return new Arrival(Arrival.Kind.WAIT, "", 0, null, "a node has not told of itself yet");
            }
            reports.add(report);
        }
        Report self = reportOf(manager().getAddress());
        if (self == null) {
            throw new IOException("the node does not know of itself");
        }
        return Arrival.of(options.peers().stream().map(CachePeer::id).toList(), self, reports);
    }

    private @Nullable Report reportOf(Address member) throws IOException {
        String text = nodes().get(member);
        return text == null ? null : Report.parse(text);
    }

    private void report(Phase phase) {
        CachePeer self = options.self();
        String shownOrigin = origin.isEmpty() ? proposedOrigin : origin;
        Report report = new Report(
                self.id(),
                phase,
                self.host(),
                self.clientPort(),
                options.segments(),
                options.owners(),
                shownOrigin,
                epoch,
                ready,
                standing);
        String text = report.text();
        if (!text.equals(nodes().get(manager().getAddress()))) {
            nodes().put(manager().getAddress(), text);
        }
    }

    private ConfigurationBuilder configuration() {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.clustering()
                .cacheMode(CacheMode.DIST_SYNC)
                .remoteTimeout(options.timeoutMillis(), TimeUnit.MILLISECONDS)
                .hash()
                .numOwners(options.owners())
                .numSegments(options.segments())
                .keyPartitioner(new SlotPartitioner());
        builder.clustering()
                .partitionHandling()
                .whenSplit(
                        options.deniesWhenSplit()
                                ? PartitionHandling.DENY_READ_WRITES
                                : PartitionHandling.ALLOW_READ_WRITES)
                .mergePolicy(options.deniesWhenSplit() ? MergePolicy.NONE : MergePolicy.PREFERRED_NON_NULL);
        builder.locking().lockAcquisitionTimeout(options.timeoutMillis(), TimeUnit.MILLISECONDS);
        builder.encoding().mediaType(MediaType.APPLICATION_OCTET_STREAM_TYPE);
        builder.memory().storage(StorageType.HEAP).maxSize(Long.toString(options.memoryBytes()));
        builder.persistence()
                .addStore(CaskwrightStoreConfigurationBuilder.class)
                .path(directory.resolve("store").toString())
                .syncWrites(options.syncsWrites())
                .callerRuns(false) // the thread that executes commands must not wait for the disk
                .onFailedWrite(this::writeFailed);
        return builder;
    }

    /**
     * The store refused a write. If owners change, it may be an entry that another node gave, which Infinispan does not tell anybody:
     * it would count this node as an owner, and others would drop what they have. So the node goes.
     */
    private void writeFailed(Throwable problem) {
        AdvancedCache<byte[], byte[]> opened = cache;
        boolean isMoving = opened == null || topology(opened).getPhase() != CacheTopology.Phase.NO_REBALANCE;
        if (isMoving && !isClosed && failure.compareAndSet(null, problem) && opened != null) {
            Thread thread = new Thread(() -> cutOff(problem), "caskwright-cut-off");
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Has the node go once others have what it has: until then it is where they get it from. It serves nothing meanwhile. */
    private void cutOff(Throwable problem) {
        LOG.error(
                "the store cannot take what others give the node: it leaves them as soon as they have its keys, and serves"
                        + " nothing. Make room on its disk, and start it anew: id={}",
                options.self().id(),
                problem);
        isLeaving = true;
        try {
            settle();
            while (!isClosed && !mayLeave()) {
                synchronized (seen) {
                    seen.wait(LOOK_MILLIS);
                }
            }
        } catch (IOException
                | RuntimeException
                | Error e) { // no memory, for one: if it stayed, it would count as an owner
            LOG.warn(
                    "the node leaves without a look at others: id={}",
                    options.self().id(),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (isClosed) {
            return;
        }
        isCutOff = true;
        JGroupsTransport transport = (JGroupsTransport) GlobalComponentRegistry.componentOf(manager(), Transport.class);
        transport.getChannel().close();
        ClusterNode self = new ClusterNode(
                options.self().id(), options.self().host(), options.self().clientPort());
        view = new ClusterView(
                epoch + 1 << EPOCH_SHIFT,
                self,
                List.of(self),
                List.of(new SlotRange(0, HashSlot.SLOTS - 1, null, List.of())));
        onChange.run();
    }

    /** Returns whether the node serves nothing any more, since its store did not take what others gave it. */
    boolean hasFailed() {
        return failure.get() != null;
    }

    /** Something was heard of another node. */
    private void look() {
        synchronized (seen) {
            seen.notifyAll();
        }
        later();
    }

    private void ownersChanged() {
        onChange.run();
        later();
    }

    private void later() {
        try {
            changes.execute(() -> {
                try {
                    if (cache != null && !isClosed) {
                        settle();
                    }
                } catch (IOException | RuntimeException e) {
                    if (!isClosed) {
                        LOG.warn(
                                "what changed in the cluster could not be noted: node={}",
                                options.self().id(),
                                e);
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("the node ends", e);
        }
    }

    /** Notes who owns what now, and tells clients and other nodes. */
    private synchronized void settle() throws IOException {
        if (isCutOff) {
            return;
        }
        LocalizedCacheTopology topology = topology(keys());
        view = view(topology);
        boolean isDegraded = isDegraded();
        isFrozen |= isLeaving && isEveryoneLeaving();
        if (topology.getPhase() == CacheTopology.Phase.NO_REBALANCE && !isDegraded && !isFrozen) {
            Standing next = standing(topology);
            Standing before = standing;
            if (next != null && (before == null || next.isLaterThan(before))) {
                next.write(directory.resolve("standing"));
                Files.deleteIfExists(directory.resolve("joining"));
                standing = next;
            }
        }
        report(isLeaving ? Phase.LEAVING : isDegraded ? Phase.DEGRADED : Phase.RUNNING);
        for (Address address : nodes().keySet()) {
            if (!manager().getMembers().contains(address)) {
                nodes().remove(address);
            }
        }
    }

    private boolean isEveryoneLeaving() throws IOException {
        for (Address member : manager().getMembers()) {
            Report report = reportOf(member);
            if (report == null
                    || (report.phase() != Phase.LEAVING
                            && !member.equals(manager().getAddress()))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Waits until this node can go without taking keys away: others that stay have them, or all nodes end, who start together again.
     */
    private void awaitLeave() throws IOException {
        long deadline = System.nanoTime() + LEAVE_NANOS;
        isLeaving = true;
        settle();
        while (!mayLeave()) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                LOG.warn(
                        "the node leaves although others may not have all of its keys: id={}",
                        options.self().id());
                return;
            }
            synchronized (seen) {
                try {
                    seen.wait(Math.min(LOOK_MILLIS, left / NANOS_PER_MILLI + 1));
                } catch (InterruptedException e) {
                    LOG.warn("the node leaves without a look at others, since it is interrupted");
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    private synchronized boolean mayLeave() throws IOException {
        if (isFrozen || isEveryoneLeaving()) {
            isFrozen = true;
            return true;
        }
        LocalizedCacheTopology topology = topology(keys());
        if (topology.getPhase() != CacheTopology.Phase.NO_REBALANCE) {
            return false;
        }
        for (int segment = 0; segment < options.segments(); segment++) {
            boolean hasOther = false;
            for (Address owner : topology.getSegmentDistribution(segment).readOwners()) {
                Report report = reportOf(owner);
                hasOther |= report != null && report.phase() == Phase.RUNNING;
            }
            if (!hasOther) {
                return false;
            }
        }
        return true;
    }

    private static LocalizedCacheTopology topology(AdvancedCache<?, ?> keys) {
        return keys.getDistributionManager().getCacheTopology();
    }

    private @Nullable Standing standing(LocalizedCacheTopology topology) throws IOException {
        List<String> members = new ArrayList<>();
        for (Address member : topology.getCurrentCH().getMembers()) {
            Report report = reportOf(member);
            if (report == null) {
                return null; // it will tell of itself
            }
            members.add(report.id());
        }
        ScopedPersistentState owners = new ScopedPersistentStateImpl(KEYS);
        PersistentUUIDManager ids = ComponentRegistry.componentOf(keys(), PersistentUUIDManager.class);
        topology.getCurrentCH().toScopedState(owners, ids.addressToPersistentUUID());
        Map<String, String> lines = new LinkedHashMap<>();
        owners.forEach(lines::put);
        return new Standing(
                options.self().id(),
                options.cluster(),
                origin,
                options.segments(),
                epoch,
                topology.getTopologyId(),
                members,
                lines);
    }

    private ClusterView view(LocalizedCacheTopology topology) throws IOException {
        Map<Address, ClusterNode> known = new LinkedHashMap<>();
        for (Address member : manager().getMembers()) {
            Report report = reportOf(member);
            if (report != null) {
                known.put(member, new ClusterNode(report.id(), report.host(), report.clientPort()));
            }
        }
        ClusterNode self = new ClusterNode(
                options.self().id(), options.self().host(), options.self().clientPort());
        known.put(manager().getAddress(), self);
        List<SlotRange> ranges = new ArrayList<>();
        int segments = options.segments();
        for (int segment = 0; segment < segments; segment++) {
            DistributionInfo owners = topology.getSegmentDistribution(segment);
            List<ClusterNode> replicas = new ArrayList<>();
            for (Address owner : owners.readOwners()) {
                ClusterNode replica = known.get(owner);
                if (replica != null && !owner.equals(owners.primary())) {
                    replicas.add(replica);
                }
            }
            ClusterNode primary = owners.primary() == null ? null : known.get(owners.primary());
            ranges.add(new SlotRange(
                    SlotPartitioner.firstSlot(segment, segments),
                    SlotPartitioner.firstSlot(segment + 1, segments) - 1,
                    primary,
                    replicas));
        }
        return new ClusterView(
                epoch << EPOCH_SHIFT | topology.getTopologyId(), self, List.copyOf(known.values()), ranges);
    }

    /** Has a task run whenever owners change; it must be short. */
    void onChange(Runnable task) {
        onChange = task;
    }

    /** Returns who has which slots. */
    ClusterView view() {
        ClusterView now = view;
        if (now == null) {
            throw new IllegalStateException("the node has not started");
        }
        return now;
    }

    /** Returns the keys. */
    AdvancedCache<byte[], byte[]> keys() {
        AdvancedCache<byte[], byte[]> opened = cache;
        if (opened == null) {
            throw new IllegalStateException("the node has not started");
        }
        return opened;
    }

    /** Returns whether this part of the cluster refuses to serve keys, since it may not have all. */
    boolean isDegraded() {
        return failure.get() != null || keys().getAvailability() != AvailabilityMode.AVAILABLE;
    }

    /** Returns the segments that this node is the first owner of. */
    IntSet primarySegments() {
        return topology(keys()).getLocalPrimarySegments();
    }

    NodeOptions options() {
        return options;
    }

    private Cache<Address, String> nodes() {
        Cache<Address, String> registry = nodes;
        if (registry == null) {
            throw new IllegalStateException("the node has not started");
        }
        return registry;
    }

    /** Returns the manager of the caches. */
    DefaultCacheManager manager() {
        DefaultCacheManager started = manager;
        if (started == null) {
            throw new IllegalStateException("the node has not started");
        }
        return started;
    }

    /** Leaves the cluster, and lets go of the directory. */
    @Override
    public void close() {
        DefaultCacheManager started = manager;
        try {
            if (cache != null && !isCutOff) {
                awaitLeave();
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn(
                    "the node leaves without a look at others: id={}",
                    options.self().id(),
                    e);
        }
        isClosed = true;
        changes.shutdownNow();
        try {
            if (started != null) {
                started.stop();
            }
        } finally {
            try {
                lock.close();
            } catch (IOException e) {
                LOG.warn("the directory could not be let go: directory={}", directory, e);
            }
        }
    }
}
