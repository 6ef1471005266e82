package dev.caskwright.server.infinispan;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts peers only once they have said who they are: with TLS, after the handshake. Each is waited for by a thread of its own, for a
 * time. If too many are waited for, the one that has been waited for the longest goes. Safe for any number of threads.
 */
final class NodeServerSocket extends ServerSocket {
    /** So many are waited for at a time; a handshake takes milliseconds. */
    static final int MOST_SILENT = 100;

    /** For so long each is waited for. */
    private static final long GREETING_MILLIS = 10_000;

    /** After a failure to accept, such as too many open files. */
    private static final long PAUSE_MILLIS = 100;

    private static final Logger LOG = LoggerFactory.getLogger(NodeServerSocket.class);

    private final @Nullable SSLContext context;
    private final ScheduledThreadPoolExecutor timer = NodeSockets.timer();
    private final BlockingQueue<Socket> ready = new LinkedBlockingQueue<>();

    /** Stands for the end. */
    private final Socket end = new Socket();

    /** Those that are waited for, the one that came first at the front; guarded by itself. */
    private final Set<Socket> silent = new LinkedHashSet<>();

    /** Makes one to be bound; without a context, for plain text. */
    NodeServerSocket(@Nullable SSLContext context) throws IOException {
        this.context = context;
    }

    @Override
    public void bind(SocketAddress address, int backlog) throws IOException {
        super.bind(address, backlog);
        start(this::acceptAll, "caskwright-accept");
    }

    private static void start(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void acceptAll() {
        while (!isClosed()) {
            NodeSocket peer = null;
            try {
                peer = NodeSocket.toAccept();
                implAccept(peer);
                NodeSocket accepted = peer;
                add(accepted);
                start(() -> greet(accepted), "caskwright-greeting");
            } catch (IOException
                    | RuntimeException
                    | Error e) { // no memory for a thread, for one: others shall get in later
                if (peer != null) {
                    remove(peer);
                    NodeSockets.end(peer);
                }
                if (!isClosed()) {
                    LOG.warn("a peer could not be accepted: address={}", getLocalSocketAddress(), e);
                    pause();
                }
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts it", e);
        }
    }

    private void add(Socket peer) {
        Socket first = null;
        synchronized (silent) {
            if (silent.size() == MOST_SILENT) {
                Iterator<Socket> each = silent.iterator();
                first = each.next();
                each.remove();
            }
            silent.add(peer);
        }
        if (first != null) {
            NodeSockets.end(first);
        }
    }

    /** Returns whether it was waited for until now. */
    private boolean remove(Socket peer) {
        synchronized (silent) {
            return silent.remove(peer);
        }
    }

    private void greet(NodeSocket peer) {
        Future<?> late = null;
        boolean isGreeted = false;
        try {
            late = timer.schedule(() -> NodeSockets.end(peer), GREETING_MILLIS, TimeUnit.MILLISECONDS);
            if (context != null) {
                peer.secure(context, false);
            }
            peer.awaitGreeting();
            isGreeted = true;
        } catch (IOException | RuntimeException e) {
            LOG.debug("a peer stays out: address={}", peer.getRemoteSocketAddress(), e);
        } finally {
            if (late != null) {
                late.cancel(false);
            }
            if (remove(peer) && isGreeted) {
                ready.add(peer);
            } else {
                NodeSockets.end(peer);
            }
        }
        if (isClosed()) {
            closeAll();
        }
    }

    @Override
    public Socket accept() throws IOException {
        try {
            Socket next = ready.take();
            if (next == end) {
                ready.add(end);
                throw new SocketException("the socket is closed: address=" + getLocalSocketAddress());
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while waiting for peers").initCause(e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            super.close();
        } finally {
            closeAll();
        }
    }

    private void closeAll() {
        Set<Socket> all;
        synchronized (silent) {
            all = new LinkedHashSet<>(silent);
            silent.clear();
        }
        all.addAll(ready);
        ready.clear();
        ready.add(end);
        all.forEach(NodeSockets::end);
    }
}
