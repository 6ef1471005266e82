package dev.caskwright.mvcc;

import dev.caskwright.api.EngineClosedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Tells the changes of a range of keys, from some revision on: each once, in the order of the revisions, all of one revision
 * together. A change is told when it is durable, so none that was told is lost by a crash, and a watch from the revision after the
 * last one told goes on where this one ended, also after a restart.
 *
 * <p>What it does not fetch fast enough is not kept for it: it reads that from the store later, unless a compaction takes it. Then it
 * says so, and has ended.
 *
 * <p>Safe for any number of threads; each event is told to one. The caller closes it.
 */
public final class Watch implements AutoCloseable {
    /** How many bytes of events are kept, or read in one go, unless one revision alone has more. */
    static final long MAX_BYTES = Math.min(8L << 20, Runtime.getRuntime().maxMemory() / 64);

    private final MvccStore store;
    private final WatchHub hub;
    private final WatchRequest request;
    private final Object reading = new Object(); // held while the store is read; taken before the other lock
    private @Nullable WatchBatch fetched; // guarded by reading; what no caller has got yet
    private final List<Told> buffer =
            new ArrayList<>(); // guarded by this, as all else; a deque loses all for want of memory
    private int buffered;
    private long bufferedBytes;
    private long next; // the first revision that was not told or buffered
    private boolean isFromNow; // nobody has asked for the revision that is next
    private boolean isLive;
    private boolean isEnded;
    private @Nullable MvccException failure;

    /** What waits to be fetched. */
    private record Told(long revision, List<Event> events) {}

    Watch(MvccStore store, WatchHub hub, WatchRequest request, long next) {
        this.store = store;
        this.hub = hub;
        this.request = request;
        this.next = next;
        this.isFromNow = request.revision() == 0;
    }

    KeyRange range() {
        return request.range();
    }

    /** Returns whether some events of the range are not wanted. */
    boolean filters() {
        return !request.wantsPuts() || !request.wantsDeletes();
    }

    boolean wants(Event event) {
        return (event.kind() == Event.Kind.PUT ? request.wantsPuts() : request.wantsDeletes())
                && request.range().contains(event.keyValue().key());
    }

    static long bytes(List<Event> events) {
        long bytes = 0;
        for (Event event : events) {
            bytes += event.keyValue().key().length + event.keyValue().value().length;
        }
        return bytes;
    }

    List<Event> wanted(List<Event> events) {
        List<Event> wanted = new ArrayList<>();
        for (Event event : events) {
            if (wants(event)) {
                wanted.add(event);
            }
        }
        return wanted;
    }

    // ---------------------------------------------------------------- for the hub, which holds its lock

    /** Takes events; returns false if there are too many already: then it reads them from the store later. */
    synchronized boolean offer(long revision, List<Event> events, long bytes) {
        if (revision < next) {
            return true; // read from the store before it was delivered
        }
        if (isEnded) {
            return false;
        }
        boolean isFull = buffered + events.size() > request.bufferedEvents() || bufferedBytes + bytes > MAX_BYTES;
        if (!isLive || (isFull && !buffer.isEmpty())) {
            isLive = false;
            next = revision;
            notifyAll();
            return false;
        }
        buffer.add(new Told(revision, events));
        buffered += events.size();
        bufferedBytes += bytes;
        next = revision + 1;
        isFromNow = false;
        notifyAll();
        return true;
    }

    /** Reads from the store what it has not been offered, from a revision on. */
    synchronized void fallBehind(long revision) {
        if (isLive) {
            isLive = false;
            next = Math.max(next, revision);
            notifyAll();
        }
    }

    /** Goes live if everything up to {@code delivered} was told or buffered. */
    synchronized boolean becomeLive(long delivered) {
        if (isLive || isEnded || next <= delivered) {
            return false;
        }
        isLive = true;
        return true;
    }

    /** Is told that the latest revisions are gone: {@code first} is the next one. */
    synchronized void goBack(long first) {
        if (isFromNow) {
            next = Math.min(next, first);
        }
    }

    synchronized void wake() {
        notifyAll();
    }

    synchronized void end() {
        isEnded = true;
        notifyAll();
    }

    // ---------------------------------------------------------------- for callers

    /**
     * Returns what there is to tell now. There may be no events in it, if the watch has come on without any.
     *
     * @return null if nothing has become durable since the last call
     * @throws MvccException with {@link MvccException.Reason#COMPACTED} if changes that are to be told are gone: the watch has ended
     * @throws EngineClosedException if the watch or the store was closed
     */
    public @Nullable WatchBatch poll() throws IOException {
        synchronized (reading) {
            WatchBatch batch = fetched == null ? fetch() : fetched;
            if (batch == null) {
                store.checkUsable();
                batch = isBehind() ? catchUp() : fetch(); // again: it may have got events, and fallen behind since
            }
            if (batch == null) {
                return null;
            }
            fetched = batch; // should that fail which follows, the next caller gets it
            WatchBatch whole = withPrevious(batch);
            fetched = null;
            return whole;
        }
    }

    /**
     * Waits for events, for a time.
     *
     * @return null if there are none after that time
     * @throws IOException as {@link #poll}
     */
    public @Nullable WatchBatch take(long timeout, TimeUnit unit) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + unit.toNanos(timeout);
        while (true) {
            WatchBatch batch = poll();
            if (batch != null && !batch.events().isEmpty()) {
                return batch;
            }
            synchronized (this) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return null;
                }
                if (buffer.isEmpty() && isLive && !isEnded) {
                    TimeUnit.NANOSECONDS.timedWait(this, left);
                } else if (batch == null && !isLive && !isEnded) {
                    // What it waits for is written, and not durable yet.
                    TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, TimeUnit.MILLISECONDS.toNanos(1)));
                }
            }
        }
    }

    /** Returns whether what is to be told next is in the store only. It stays so until {@link #catchUp}. */
    private synchronized boolean isBehind() throws IOException {
        MvccException failed = failure;
        if (failed != null) {
            throw failed;
        }
        if (isEnded) {
            throw new EngineClosedException("the watch is closed");
        }
        return !isLive && buffer.isEmpty();
    }

    private synchronized @Nullable WatchBatch fetch() {
        if (buffer.isEmpty()) {
            return null;
        }
        List<Event> events = new ArrayList<>(buffered);
        for (int i = 0; i < buffer.size(); i++) {
            events.addAll(buffer.get(i).events);
        }
        WatchBatch batch = new WatchBatch(events, buffer.get(buffer.size() - 1).revision);
        buffer.clear(); // last: up to here there may be no memory
        buffered = 0;
        bufferedBytes = 0;
        return batch;
    }

    /** Reads from the store what was not buffered. */
    private @Nullable WatchBatch catchUp() throws IOException {
        long from = next(); // nobody else changes it while the watch is not live, but for going back
        if (hub.join(this) < from) {
            return null;
        }
        WatchBatch batch;
        try {
            batch = store.history(this, from, hub.delivered(), request.bufferedEvents());
        } catch (MvccException e) {
            if (e.reason() == MvccException.Reason.COMPACTED) {
                fail(e);
            }
            throw e;
        }
        synchronized (this) {
            next = batch.revision() + 1;
            isFromNow = false;
        }
        hub.join(this);
        return batch;
    }

    private synchronized long next() {
        return next;
    }

    private synchronized void fail(MvccException cause) {
        failure = cause;
        isEnded = true;
        notifyAll();
    }

    private WatchBatch withPrevious(WatchBatch batch) throws IOException {
        if (!request.wantsPrevious()) {
            return batch;
        }
        List<Event> events = new ArrayList<>(batch.events().size());
        for (Event event : batch.events()) {
            events.add(new Event(event.kind(), event.keyValue(), store.previous(event)));
        }
        return new WatchBatch(events, batch.revision());
    }

    /** Ends the watch. Closing twice is fine. */
    @Override
    public void close() {
        end();
        hub.remove(this);
    }
}
