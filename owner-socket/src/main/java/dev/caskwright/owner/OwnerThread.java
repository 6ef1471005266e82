package dev.caskwright.owner;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * The thread that serves the sockets of all stores of this process. It begins with the first door and ends with the last, and
 * rests three times as long as it works, so that clients cost the owner no more than a quarter of one processor, whatever they
 * do. It holds no lock while it reads or writes, and nothing that a client sends or leaves out makes it wait.
 */
final class OwnerThread implements Runnable {
    /** How many connections are served at once; others are told to come again. */
    static final int MAX_VISITS = 16;

    /** How many of them may hold a moment of a store, or a long value. */
    static final int MAX_STREAMS = 4;

    private static final int REST_PER_WORK = 3;
    private static final long LEAST_REST_NANOS = 1_000_000;
    private static final long MOST_REST_NANOS = 1_000_000_000;
    private static final long LOOK_MILLIS = 1_000; // how often those that are overdue are looked for
    private static final long CLOSING_SECONDS = 5;
    private static final String SUPERUSER = "root";

    private static final Object MONITOR = new Object();
    private static @Nullable OwnerThread running; // guarded by MONITOR

    private final Selector selector;
    private final Queue<Runnable> orders = new ConcurrentLinkedQueue<>();
    private final Set<Visit> visits = new HashSet<>();
    private volatile @Nullable Thread thread;
    private int doors; // guarded by MONITOR
    private long debt;

    private OwnerThread(Selector selector) {
        this.selector = selector;
    }

    /** Serves a door from now on. The channel is bound and does not block. */
    static OwnerThread serve(Door door) throws IOException {
        synchronized (MONITOR) {
            OwnerThread serving = running;
            if (serving == null) {
                serving = new OwnerThread(Selector.open());
                Thread thread = new Thread(serving, "caskwright-owner");
                thread.setDaemon(true);
                try {
                    thread.start();
                } catch (Throwable e) {
                    Channels.close(serving.selector);
                    throw e;
                }
                serving.thread = thread;
                running = serving;
            }
            serving.doors++;
            OwnerThread same = serving;
            same.order(() -> same.open(door));
            return same;
        }
    }

    /**
     * Serves a door no longer, and ends what its visitors are at. Returns when the thread has nothing of the store in its hands
     * any more, or after five seconds in which it could not let go; then its next use of the store fails, as that is closed.
     */
    void close(Door door) {
        CountDownLatch closed = new CountDownLatch(1);
        synchronized (MONITOR) {
            order(() -> {
                Channels.close(door.channel());
                endVisits(door);
                closed.countDown();
            });
            if (--doors == 0) {
                running = null; // it ends when its orders are carried out
            }
        }
        boolean wasInterrupted = false;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOSING_SECONDS);
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            try {
                if (closed.await(left, TimeUnit.NANOSECONDS)) {
                    break;
                }
            } catch (InterruptedException e) {
                wasInterrupted = true;
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void order(Runnable what) {
        orders.add(what);
        wakeUp();
    }

    private void wakeUp() {
        selector.wakeup();
        LockSupport.unpark(thread);
    }

    private void open(Door door) {
        try {
            door.channel().register(selector, SelectionKey.OP_ACCEPT, door);
        } catch (ClosedChannelException e) {
            return; // closed by the next order
        }
    }

    @Override
    public void run() {
        thread = Thread.currentThread();
        while (!isOver()) {
            try {
                if (visits.stream().anyMatch(Visit::isBusy)) {
                    selector.selectNow();
                } else {
                    selector.select(LOOK_MILLIS);
                }
                long start = System.nanoTime();
                turn(start);
                rest(System.nanoTime() - start);
            } catch (IOException | RuntimeException | Error e) {
                giveUpVisits();
            }
        }
        endVisits(null);
        Channels.close(selector);
    }

    /** After an error of no single visit: out of memory or descriptors. Whoever asks may ask again. */
    private void giveUpVisits() {
        try {
            endVisits(null);
        } catch (RuntimeException | Error e) {
            debt += MOST_REST_NANOS; // the same error again: it is tried again by and by, since nobody else serves
            // these doors
        }
        rest(MOST_REST_NANOS / REST_PER_WORK);
    }

    private boolean isOver() {
        synchronized (MONITOR) {
            return doors == 0 && orders.isEmpty();
        }
    }

    private void turn(long now) {
        for (Runnable order = orders.poll(); order != null; order = orders.poll()) {
            order.run();
        }
        List<SelectionKey> selected = new ArrayList<>(selector.selectedKeys());
        selector.selectedKeys().clear();
        for (SelectionKey key : selected) {
            if (key.attachment() instanceof Door door) {
                accept(door, key, now);
            } else if (key.attachment() instanceof Visit visit) {
                go(visit, key, now);
            }
        }
        for (Visit visit : List.copyOf(visits)) {
            if (visit.isOverdue(now)) {
                end(visit);
            } else if (visit.hasWork()) {
                attempt(visit, () -> visit.write(now));
            }
        }
    }

    private void go(Visit visit, SelectionKey key, long now) {
        attempt(visit, () -> {
            boolean mayHoldMuch = visits.stream().filter(Visit::holdsMuch).count() < MAX_STREAMS;
            if (key.isReadable() && !visit.read(mayHoldMuch, now)) {
                return false;
            }
            return !visit.mayWrite() || visit.write(now);
        });
    }

    /** A part of a visit, which says whether it goes on. */
    @FunctionalInterface
    private interface Step {
        boolean take() throws IOException;
    }

    /** Whatever is thrown ends this visit and no other one. */
    private void attempt(Visit visit, Step step) {
        boolean goesOn = false;
        try {
            goesOn = step.take();
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            goesOn = false; // the client sees that its answer has no end
        } finally {
            if (!goesOn) {
                end(visit);
            }
        }
    }

    private void end(Visit visit) {
        visits.remove(visit);
        try {
            visit.close();
        } catch (RuntimeException e) {
            return; // of a cursor whose store has gone
        }
    }

    private void endVisits(@Nullable Door door) {
        for (Visit visit : List.copyOf(visits)) {
            if (door == null || door.equals(visit.door())) {
                end(visit);
            }
        }
    }

    private void accept(Door door, SelectionKey doorKey, long now) {
        SocketChannel channel = null;
        try {
            if (!doorKey.isAcceptable()) {
                return;
            }
            channel = door.channel().accept();
            if (channel == null) {
                return;
            }
            channel.configureBlocking(false);
            if (!isWelcome(channel, door)) {
                Channels.close(channel);
            } else if (visits.size() >= MAX_VISITS) {
                channel.write(BUSY.duplicate());
                Channels.close(channel);
            } else {
                SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
                Visit visit = new Visit(door, channel, key, now, this::wakeUp);
                key.attach(visit);
                visits.add(visit);
            }
        } catch (IOException | CancelledKeyException e) {
            if (channel != null) {
                Channels.close(channel); // a client that is gone again, or no descriptor is left
            }
        }
    }

    /** Also where the rights of the socket's file should not keep others out. */
    private static boolean isWelcome(SocketChannel channel, Door door) throws IOException {
        if (!channel.supportedOptions().contains(ExtendedSocketOptions.SO_PEERCRED)) {
            return true;
        }
        UnixDomainPrincipal peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
        UserPrincipal user = peer.user();
        return user.equals(door.user()) || user.getName().equals(SUPERUSER);
    }

    private static final ByteBuffer BUSY = busy();

    private static ByteBuffer busy() {
        byte[] content = Wire.bytes(out -> {
            Wire.writeText(out, "UNAVAILABLE");
            Wire.writeText(
                    out, "the owner has as many visitors as it serves: limit=" + MAX_VISITS + "; ask again later");
        });
        return ByteBuffer.allocate(Wire.FRAME_HEADER + content.length)
                .put(Wire.FAILED)
                .putInt(content.length)
                .put(content)
                .flip();
    }

    /**
     * Rests for what was worked. What is too little to rest for is added up, and what is too much for one rest is left for the
     * next ones: clients whose answers take long are told meanwhile that the owner is at it.
     */
    private void rest(long worked) {
        debt += worked * REST_PER_WORK;
        if (debt < LEAST_REST_NANOS) {
            return;
        }
        long start = System.nanoTime();
        long end = start + Math.min(debt, MOST_REST_NANOS);
        for (long left = end - start; left > 0 && orders.isEmpty(); left = end - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
        }
        debt = Math.max(0, debt - (System.nanoTime() - start));
    }
}
