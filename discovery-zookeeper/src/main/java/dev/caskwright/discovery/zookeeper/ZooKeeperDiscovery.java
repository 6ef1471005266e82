package dev.caskwright.discovery.zookeeper;

import dev.caskwright.balance.Discovery;
import dev.caskwright.balance.Endpoint;
import dev.caskwright.balance.ServiceList;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The servers that are registered below a path. While the registry cannot be reached, the last list stays in force. A list
 * without servers is held back for a while: it is more often a fault of the registry, whose sessions all end when it was away for
 * too long, than the end of a service. A node that is none of a server is passed over, and told to the log.
 *
 * <p>Changes that come together are told together, {@value #SETTLING_MILLIS} ms after the first. Safe for any number of threads.
 */
public final class ZooKeeperDiscovery implements Discovery {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperDiscovery.class);
    private static final long SETTLING_MILLIS = 50;
    private static final Duration HELD_BACK = Duration.ofSeconds(30);
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final CuratorFramework client;
    private final String path;
    private final Duration heldBack;
    private final Duration patience;

    /**
     * Makes a discovery that holds a list without servers back for 30 seconds, and waits at most five for the first list.
     *
     * @param client is started, stays the caller's, and must be closed after all watches
     * @param path what servers were registered below
     */
    public ZooKeeperDiscovery(CuratorFramework client, String path) {
        this(client, path, HELD_BACK, PATIENCE);
    }

    /**
     * Makes a discovery.
     *
     * @param heldBack for how long a list without servers is held back
     * @param patience how long {@link #watch} waits for the first list; it comes later if the registry cannot be reached
     */
    public ZooKeeperDiscovery(CuratorFramework client, String path, Duration heldBack, Duration patience) {
        this.client = Objects.requireNonNull(client, "client");
        this.path = Objects.requireNonNull(path, "path");
        this.heldBack = heldBack;
        this.patience = patience;
    }

    @Override
    public Watch watch(Consumer<ServiceList> listener) {
        return new Watching(Objects.requireNonNull(listener, "listener")).start();
    }

    private final class Watching implements Watch {
        private final Consumer<ServiceList> listener;
        private final CuratorCache cache = CuratorCache.build(client, path);
        private final CountDownLatch isKnown = new CountDownLatch(1);
        private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread made = new Thread(task, "caskwright-discovery-zookeeper");
            made.setDaemon(true);
            return made;
        });

        // For the thread of the watch.
        private @Nullable ServiceList last;
        private boolean isEmpty;
        private long emptySinceNanos;

        private boolean isAsked; // guarded by this
        private boolean isInitialized; // guarded by this

        Watching(Consumer<ServiceList> listener) {
            this.listener = listener;
        }

        Watch start() {
            cache.listenable()
                    .addListener(CuratorCacheListener.builder()
                            .forAll((type, old, data) -> changed())
                            .forInitialized(this::initialized)
                            .build());
            cache.start();
            try {
                if (!isKnown.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                    LOG.warn("the registry does not answer; its servers are told when it does: path={}", path);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return this;
        }

        private synchronized void initialized() {
            isInitialized = true;
            isAsked = true;
            later(0);
        }

        private synchronized void changed() {
            // Before all are known, each list would have some.
            if (isInitialized && !isAsked) {
                isAsked = true;
                later(SETTLING_MILLIS);
            }
        }

        @SuppressWarnings("FutureReturnValueIgnored") // what the task throws is told to the log
        private void later(long millis) {
            try {
                thread.schedule(this::tell, millis, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                LOG.debug("a watch was closed while it heard of a change", e);
            }
        }

        private void tell() {
            synchronized (this) {
                isAsked = false;
            }
            try {
                tellUnlessHeldBack(found());
            } catch (RuntimeException e) {
                LOG.error("a listener of a discovery failed: path={}", path, e);
            } finally {
                isKnown.countDown();
            }
        }

        private void tellUnlessHeldBack(ServiceList found) {
            ServiceList known = last;
            long now = System.nanoTime();
            boolean wasEmpty = isEmpty;
            isEmpty = found.size() == 0;
            if (isEmpty && !wasEmpty) {
                emptySinceNanos = now;
            }
            if (known != null && known.equals(found)) {
                return;
            }
            if (known != null && isEmpty) {
                long left = heldBack.toNanos() - (now - emptySinceNanos);
                boolean isAway = !client.getZookeeperClient().isConnected();
                if (left > 0 || isAway) {
                    later(Math.max(SETTLING_MILLIS, TimeUnit.NANOSECONDS.toMillis(left)));
                    return;
                }
            }
            last = found;
            listener.accept(found);
        }

        private ServiceList found() {
            List<Endpoint> endpoints = new ArrayList<>();
            cache.stream().filter(node -> isChild(node.getPath())).forEach(node -> add(node, endpoints));
            return ServiceList.of(endpoints);
        }

        private boolean isChild(String node) {
            return node.startsWith(path + "/") && node.indexOf('/', path.length() + 1) < 0;
        }

        private void add(ChildData node, List<Endpoint> endpoints) {
            byte[] data = node.getData();
            try {
                endpoints.add(EndpointNode.read(
                        node.getPath().substring(path.length() + 1), data == null ? new byte[0] : data));
            } catch (IOException e) {
                LOG.warn("a node below {} is passed over", path, e);
            }
        }

        @Override
        public void close() {
            cache.close();
            thread.shutdown();
        }
    }
}
