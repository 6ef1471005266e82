package dev.caskwright.server.infinispan;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the sockets of JGroups, so that no silent peer holds up others. JGroups itself reads the first words of those who connect in the
 * one thread that accepts, one after another; and where it connects, it waits for the end of a handshake for ever, while messages to
 * other nodes wait behind it. Safe for any number of threads.
 */
final class NodeSockets extends NoSockets {
    /** For so long a peer may take for a handshake. */
    private static final long HANDSHAKE_MILLIS = 2_000;

    /** Whoever has not answered is left alone for so long, then for twice as long, and so on. */
    private static final long FIRST_REST_NANOS = 1_000_000_000L;

    private static final long LONGEST_REST_NANOS = 32_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(NodeSockets.class);

    private final @Nullable SSLContext context;
    private final ScheduledThreadPoolExecutor timer = timer();

    /** Those who have not answered. */
    private final Map<SocketAddress, Rest> resting = new ConcurrentHashMap<>();

    private record Rest(long end, long nanos) {}

    private NodeSockets(@Nullable SSLContext context) {
        this.context = context;
    }

    /**
     * Makes sockets for a node, with TLS if it is told so.
     *
     * @throws IOException if the files for it are not what they should be
     */
    static NodeSockets of(NodeOptions options) throws IOException {
        NodeTls tls = options.tls();
        return new NodeSockets(tls == null ? null : tls.context());
    }

    /** Returns one whose thread ends when there is nothing to wait for. */
    static ScheduledThreadPoolExecutor timer() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "caskwright-greeting-timer");
            thread.setDaemon(true);
            return thread;
        });
        timer.setKeepAliveTime(1, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    /** Closes a socket that is of no use. */
    static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("closing a socket", e);
        }
    }

    @Override
    public ServerSocket createServerSocket(String name) throws IOException {
        return new NodeServerSocket(context);
    }

    @Override
    public Socket createSocket(String name) throws IOException {
        return context == null ? new Socket() : new Connecting(context);
    }

    /** Agrees on TLS as a part of connecting. */
    private final class Connecting extends NodeSocket {
        private final SSLContext tls;

        Connecting(SSLContext tls) {
            this.tls = tls;
        }

        @Override
        public void connect(SocketAddress peer, int timeoutMillis) throws IOException {
            Rest rest = resting.get(peer);
            if (rest != null && System.nanoTime() - rest.end < 0) {
                throw new SocketTimeoutException(
                        "the node has not answered lately, and is left alone: address=" + peer);
            }
            boolean isSecure = false;
            AtomicBoolean isLate = new AtomicBoolean();
            Future<?> late = null;
            try {
                super.connect(peer, timeoutMillis);
                late = timer.schedule(() -> endLate(isLate), HANDSHAKE_MILLIS, TimeUnit.MILLISECONDS);
                secure(tls, true);
                resting.remove(peer);
                isSecure = true;
            } catch (IOException e) {
                if (!isLate.get()) {
                    throw e; // it has answered: it may do better at once
                }
                long nanos = rest == null ? FIRST_REST_NANOS : Math.min(2 * rest.nanos, LONGEST_REST_NANOS);
                resting.put(peer, new Rest(System.nanoTime() + nanos, nanos));
                throw new IOException("the node did not answer: address=" + peer + ", millis=" + HANDSHAKE_MILLIS, e);
            } finally {
                if (late != null) {
                    late.cancel(false);
                }
                if (!isSecure) {
                    end(this);
                }
            }
        }

        private void endLate(AtomicBoolean isLate) {
            isLate.set(true);
            end(this);
        }
    }
}
