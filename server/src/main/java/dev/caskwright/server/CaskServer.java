package dev.caskwright.server;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.command.Host;
import dev.caskwright.server.command.Metrics;
import dev.caskwright.server.command.Replayer;
import dev.caskwright.server.command.Session;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.store.AppendFsync;
import dev.caskwright.server.store.Keyspace;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server that Redis clients talk to, over a store that stays its owner's: closing the server does not close the store.
 *
 * <pre>{@code
 * try (StorageEngine store = BitcaskEngine.open(directory);
 *         CaskServer server = CaskServer.start(store, new ServerConfig().set("port", "6379"))) {
 *     server.awaitShutdown();
 * }
 * }</pre>
 *
 * <p>The store must be the server's alone: keys in it have a form of the server's own. Safe for any number of threads.
 */
@SuppressWarnings("FutureReturnValueIgnored") // of Netty's writes and closes, whose failure ends the channel
public final class CaskServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CaskServer.class);
    private static final int WORKERS = 2;
    private static final int MAX_WAITING_WORK = 1_000;
    private static final int LOW_WATER = 256 << 10;
    private static final int HIGH_WATER = 1 << 20;
    private static final long MILLIS_PER_SECOND = 1_000;
    private static final int SWEEPS_BETWEEN_LOOKS = 10;

    /** Of the heap, what requests and replies under way may take if nothing else is configured. */
    private static final int HEAP_SHARE = 4;

    private final ServerConfig config;
    private final Keyspace keyspace;
    private final Host host;
    private final Budget budget;
    private final ThreadPoolExecutor workers;
    private final MultiThreadIoEventLoopGroup group;
    private final Class<? extends ServerChannel> channelType;
    private final Map<EventLoop, Loop> loops = new ConcurrentHashMap<>();
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private final List<Channel> listeners = new ArrayList<>();
    private final AtomicLong lastId = new AtomicLong();
    private final Descriptors descriptors = new Descriptors();
    private final CountDownLatch shutdownAsked = new CountDownLatch(1);
    private volatile @Nullable Certificates certificates;
    private volatile boolean isStopping;
    private final MetricsEndpoint metrics;
    private long sweeps;
    /** Which groups this server led when it was last looked at, a bit each. */
    private long led;

    private int port;
    private int tlsPort;

    private CaskServer(
            StorageEngine store,
            ServerConfig config,
            InstantSource clock,
            @Nullable Replication replication,
            @Nullable Topology topology)
            throws IOException {
        this.config = config;
        budget = newBudget(config);
        keyspace = replication == null
                ? new Keyspace(
                        store,
                        clock,
                        (int) config.number("databases"),
                        AppendFsync.valueOf(config.appendFsync().toUpperCase(Locale.ROOT)))
                : Keyspace.replicated(store, clock, Replayer.DATABASES);
        keyspace.gate().strictReads(config.isStrictReads());
        keyspace.maxCollectedBytes(Math.min(budget.limit(), 2 * config.number("client-query-buffer-limit")));
        workers = newWorkers();
        host = new Host(config, keyspace, workers, new Control(), replication, topology);
        metrics = new MetricsEndpoint(() -> Metrics.text(host));
        boolean isNative = config.option("io-native").isYes() && Epoll.isAvailable();
        channelType = isNative ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
        group = newGroup(config, isNative);
        keyspace.gate().onForce(() -> loops.values().forEach(Loop::forced));
    }

    private CaskServer(Shards shards, ServerConfig config, InstantSource clock) throws IOException {
        this.config = config;
        budget = newBudget(config);
        List<Keyspace> keyspaces = new ArrayList<>();
        ReentrantLock lock = new ReentrantLock();
        for (Replication each : shards.groups()) {
            keyspaces.add(Keyspace.replicated(each.store(), clock, Replayer.DATABASES, lock));
        }
        keyspace = keyspaces.get(0);
        workers = newWorkers();
        host = new Host(config, keyspaces, workers, new Control(), shards);
        metrics = new MetricsEndpoint(() -> Metrics.text(host));
        boolean isNative = config.option("io-native").isYes() && Epoll.isAvailable();
        channelType = isNative ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
        group = newGroup(config, isNative);
    }

    private static Budget newBudget(ServerConfig config) {
        long limit = config.number("maxmemory-clients");
        return new Budget(limit > 0 ? limit : Runtime.getRuntime().maxMemory() / HEAP_SHARE);
    }

    private static ThreadPoolExecutor newWorkers() {
        return new ThreadPoolExecutor(
                WORKERS,
                WORKERS,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MAX_WAITING_WORK),
                new DefaultThreadFactory("caskwright-worker", true));
    }

    private static MultiThreadIoEventLoopGroup newGroup(ServerConfig config, boolean isNative) {
        return new MultiThreadIoEventLoopGroup(
                (int) config.number("io-threads"),
                new DefaultThreadFactory("caskwright-io", true),
                isNative ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    }

    /**
     * Starts a server over a store, which must be empty or made by a server.
     *
     * @throws IOException if an address cannot be bound, a file cannot be read, or the store has keys that no server wrote
     * @throws IllegalArgumentException if the configuration makes no sense; the message says which option
     */
    public static CaskServer start(StorageEngine store, ServerConfig config) throws IOException {
        return start(store, config, InstantSource.system());
    }

    /** Starts a server whose expiry goes by a clock, which should be the store's. */
    public static CaskServer start(StorageEngine store, ServerConfig config, InstantSource clock) throws IOException {
        if (!config.text("mode").equals("single")) {
            throw new IllegalArgumentException(
                    "option 'mode': a server over a store is single; start a member of a group with its Replication");
        }
        return start(new CaskServer(store, config, clock, null, null));
    }

    /**
     * Starts a server that is a node of a cluster: it executes commands on the keys of its own slots, and sends clients to other nodes
     * with the others. There is one database then.
     *
     * @param store what it reads and changes, which has a part of the keys, or all, as the cluster wants it; its owner closes it
     * @param topology who has which slots; what it answers may change at any time
     */
    public static CaskServer start(StorageEngine store, ServerConfig config, Topology topology) throws IOException {
        return start(new CaskServer(store, config, InstantSource.system(), null, topology));
    }

    /**
     * Starts a server that is a member of a group. The group stays its owner's: closing the server does not close it.
     *
     * @param config its options {@code appendfsync}, {@code databases} and {@code backup-dir} have no meaning
     */
    public static CaskServer start(Replication group, ServerConfig config) throws IOException {
        return start(group, config, InstantSource.system());
    }

    /**
     * Starts a server that is a member of several groups, each of which has a part of the slots. The groups stay their owner's: closing
     * the server does not close them.
     *
     * @param config as for one group
     */
    public static CaskServer start(Shards shards, ServerConfig config) throws IOException {
        return start(new CaskServer(shards, config, InstantSource.system()));
    }

    /** Starts a member whose replies tell how much time is left to a key by the given clock. */
    static CaskServer start(Replication group, ServerConfig config, InstantSource clock) throws IOException {
        return start(new CaskServer(group.store(), config, clock, group, group.topology()));
    }

    /** Returns what executes, on each member of a group, the commands that the group has agreed on. */
    public static Replay newReplay() {
        return new Replayer();
    }

    private static CaskServer start(CaskServer server) throws IOException {
        boolean isStarted = false;
        try {
            server.start();
            isStarted = true;
            return server;
        } finally {
            if (!isStarted) {
                server.close();
            }
        }
    }

    private void start() throws IOException {
        host.acl().load();
        if (config.number("tls-port") > 0 || !config.text("tls-cert-file").isEmpty()) {
            certificates = Certificates.read(config);
        }
        boolean wantsPlain = config.number("port") > 0 || config.number("tls-port") == 0;
        if (wantsPlain) {
            port = listen((int) config.number("port"), false);
        }
        if (certificates != null) {
            tlsPort = listen((int) config.number("tls-port"), true);
        }
        int metricsPort = (int) config.number("metrics-port");
        if (metricsPort > 0) {
            metrics.listen(group, channelType, config.text("metrics-bind"), metricsPort);
        }
        group.next().scheduleAtFixedRate(this::sweep, 1, 1, TimeUnit.SECONDS);
        if (host.replication() == null) {
            host.clean();
        }
        LOG.info("ready to accept connections: port={}, tls-port={}, metrics-port={}", port, tlsPort, metricsPort);
    }

    private int listen(int wanted, boolean isTls) throws IOException {
        int bound = wanted;
        int count = 0;
        for (String address : config.text("bind").strip().split("\\s+", -1)) {
            boolean isOptional = address.startsWith("-");
            String name = isOptional ? address.substring(1) : address;
            try {
                InetSocketAddress at = name.equals("*")
                        ? new InetSocketAddress(bound)
                        : new InetSocketAddress(InetAddress.getByName(name), bound);
                Channel channel =
                        bootstrap(isTls).bind(at).syncUninterruptibly().channel();
                listeners.add(channel);
                bound = ((InetSocketAddress) channel.localAddress()).getPort();
                count++;
            } catch (Exception e) { // Netty throws what it does not declare
                if (!isOptional) {
                    throw new IOException("cannot listen: address=" + name + ", port=" + bound, e);
                }
                LOG.info("an optional address is not there: {}", name);
            }
        }
        if (count == 0) {
            throw new IOException("no address to listen at: bind=" + config.text("bind"));
        }
        return bound;
    }

    private ServerBootstrap bootstrap(boolean isTls) {
        return new ServerBootstrap()
                .group(group)
                .channel(channelType)
                .option(ChannelOption.SO_BACKLOG, (int) config.number("tcp-backlog"))
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, config.number("tcp-keepalive") > 0)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(LOW_WATER, HIGH_WATER))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel, isTls);
                    }
                });
    }

    private void accept(Channel channel, boolean isTls) {
        Certificates tls = certificates;
        if (isTls && tls != null) {
            channel.pipeline().addLast(tls.newHandler(channel.alloc()));
        }
        host.statistics().connected();
        channel.closeFuture().addListener(closed -> descriptors.giveBack());
        ReentrantLock lock = keyspace.lock();
        Connection connection;
        String refusal;
        lock.lock();
        try {
            refusal = descriptors.take()
                    ? refusal(channel)
                    : "ERR max number of clients reached: no more file descriptors";
            connection = new Connection(host, budget, loopOf(channel.eventLoop()), channel, lastId.incrementAndGet());
            if (refusal == null) {
                host.clients().add(connection.session());
            }
        } finally {
            lock.unlock();
        }
        if (refusal != null) {
            host.statistics().refused();
            byte[] line = ("-" + refusal + "\r\n").getBytes(StandardCharsets.US_ASCII);
            channel.writeAndFlush(Unpooled.wrappedBuffer(line)).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        connections.add(channel);
        channel.pipeline().addLast(connection);
    }

    private @Nullable String refusal(Channel channel) {
        if (isStopping) {
            return "ERR the server is shutting down";
        }
        if (host.clients().count() >= config.number("maxclients")) {
            return "ERR max number of clients reached";
        }
        boolean isLocal = channel.remoteAddress() instanceof InetSocketAddress address
                && address.getAddress() != null
                && address.getAddress().isLoopbackAddress();
        if (config.option("protected-mode").isYes() && !isLocal && host.acl().isOpen()) {
            return "DENIED this server is in protected mode, since no password is set for the default user:"
                    + " connections are accepted from the loopback interface only. Set a password, or protected-mode no";
        }
        return null;
    }

    private Loop loopOf(EventLoop eventLoop) {
        return loops.computeIfAbsent(eventLoop, key -> new Loop(key, keyspace.gate(), PooledByteBufAllocator.DEFAULT));
    }

    /** Once a second: closes connections that were idle, or unknown, for too long, and gives up scans that nobody goes on with. */
    private void sweep() {
        try {
            long now = keyspace.nowMillis();
            long idle = config.number("timeout") * MILLIS_PER_SECOND;
            long authentication = config.number("auth-timeout") * MILLIS_PER_SECOND;
            ReentrantLock lock = keyspace.lock();
            lock.lock();
            try {
                for (Session session : host.clients().all()) {
                    session.closeIfLate(now, idle, authentication);
                }
            } finally {
                lock.unlock();
            }
            host.expireScans();
            cleanAsNewLeader();
            if (++sweeps % SWEEPS_BETWEEN_LOOKS == 0) {
                descriptors.look();
            }
        } catch (RuntimeException e) {
            LOG.error("what is done once a second failed", e);
        }
    }

    /** Has the group remove what the leader before left of emptied databases. */
    private void cleanAsNewLeader() {
        long leads = host.leads();
        if ((leads & ~led) != 0) {
            host.clean();
        }
        led = leads;
    }

    /** Returns the port that clients connect to without TLS, or 0. */
    public int port() {
        return port;
    }

    /** Returns the port that clients connect to with TLS, or 0. */
    public int tlsPort() {
        return tlsPort;
    }

    /** Returns the configuration. */
    public ServerConfig config() {
        return config;
    }

    /** Waits until a client sends SHUTDOWN. Then the server is still to be closed. */
    public void awaitShutdown() throws InterruptedException {
        shutdownAsked.await();
    }

    /** What commands may ask of the process. */
    private final class Control implements Host.Control {
        @Override
        public void shutdown() {
            shutdownAsked.countDown();
        }

        @Override
        public void reloadCertificates() throws IOException {
            if (certificates != null) {
                certificates = Certificates.read(config);
            }
        }
    }

    /**
     * Ends the server: no more connections, no more requests; replies that wait for a force get it, for as long as {@code
     * shutdown-timeout} says; all changes are forced. The store stays open. Closing twice is fine.
     */
    @Override
    public synchronized void close() {
        if (isStopping) {
            return;
        }
        isStopping = true;
        shutdownAsked.countDown();
        listeners.forEach(listener -> listener.close().syncUninterruptibly());
        metrics.close();
        connections.forEach(channel -> {
            Connection connection = channel.pipeline().get(Connection.class);
            if (connection != null) {
                connection.end();
            }
        });
        long patience = config.number("shutdown-timeout");
        // One after another, all within the time: what is left then is cut off.
        if (!connections.newCloseFuture().awaitUninterruptibly(patience, TimeUnit.SECONDS)) {
            LOG.warn("connections are cut off: count={}", connections.size());
            connections.close().awaitUninterruptibly(patience, TimeUnit.SECONDS);
        }
        workers.shutdown();
        boolean isInterrupted = false;
        try {
            if (!workers.awaitTermination(Math.max(1, patience), TimeUnit.SECONDS)) {
                LOG.warn("slow commands go on after the server has ended");
            }
        } catch (InterruptedException e) {
            isInterrupted = true;
        }
        host.close();
        keyspace.gate().close();
        try {
            if (host.replication() == null) {
                keyspace.engine().sync();
            }
        } catch (IOException e) {
            LOG.error("the last force failed: changes since the one before may not survive a power loss", e);
        }
        group.shutdownGracefully(0, patience, TimeUnit.SECONDS).awaitUninterruptibly();
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
