package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.CommitToken;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/*
 * Revisions wait here from their write until they are durable. Then the events go to the watches that are live, which is to say, have
 * told everything before. A watch that is behind reads from the store until it has come to what was delivered last, and becomes live.
 * Locks: a watch's own is taken within the hub's.
 */
/** Brings what has become durable to the watches, in the order of the revisions. Safe for any number of threads. */
final class WatchHub {
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>(); // guarded by this, as all else
    private final Set<Watch> all = new HashSet<>();
    private final TreeMap<byte[], List<Watch>> liveByKey = new TreeMap<>(Arrays::compareUnsigned);
    private final List<Watch> liveRanges = new ArrayList<>();
    private @Nullable CommitToken lastToken;
    private long delivered;
    private boolean isClosed;

    /** A revision that is not durable yet. */
    private record Waiting(long revision, List<Event> events, CommitToken token) {}

    /** Sets up to which revision everything is durable and needs no delivery. */
    synchronized void start(long revision) {
        delivered = revision;
    }

    /** Takes the events of a revision when they can be read. */
    void add(long revision, List<Event> events, CommitToken token) {
        boolean isNew;
        synchronized (this) {
            waiting.add(new Waiting(revision, events, token));
            isNew = lastToken != token;
            lastToken = token;
        }
        if (isNew) {
            token.whenDone(this::deliver);
        }
    }

    /** Forgets what waits, after a commit that failed. The store is at {@code revision}, and has everything up to that. */
    synchronized void discard(long revision) {
        waiting.clear();
        if (revision > delivered) {
            fallBehind(delivered + 1); // what failed is there
            delivered = revision;
        }
        for (Watch watch : all) {
            watch.goBack(revision + 1);
        }
    }

    private synchronized void deliver() {
        Throwable failure = null;
        for (Waiting first = waiting.peek(); first != null && first.token.isDone(); first = waiting.peek()) {
            try {
                deliver(first.revision, first.events);
            } catch (RuntimeException | Error e) { // for want of memory, say
                failure = failure == null ? e : failure;
                fallBehind(first.revision);
            }
            delivered = first.revision;
            waiting.remove(); // last: if it is not known who was offered it, it is offered again
        }
        if (failure instanceof RuntimeException unchecked) {
            throw unchecked;
        } else if (failure instanceof Error error) {
            throw error;
        }
    }

    /** Lets all watches that are live read from the store, from a revision on, what they have not been offered. */
    private void fallBehind(long revision) {
        for (Watch watch : all) {
            watch.fallBehind(revision);
        }
        liveByKey.clear();
        liveRanges.clear();
    }

    private void deliver(long revision, List<Event> events) {
        if (events.size() == 1 && liveRanges.isEmpty()) {
            List<Watch> interested = liveByKey.get(events.get(0).keyValue().key());
            if (interested != null) {
                offer(interested, revision, events);
                if (interested.isEmpty()) {
                    liveByKey.remove(events.get(0).keyValue().key());
                }
            }
            return;
        }
        Set<Watch> offered = new HashSet<>();
        List<Watch> full = new ArrayList<>();
        for (Event event : events) {
            List<Watch> interested = liveByKey.getOrDefault(event.keyValue().key(), List.of());
            for (Watch watch : interested) {
                if (offered.add(watch)) {
                    List<Event> wanted = watch.wanted(events);
                    if (!watch.offer(revision, wanted, Watch.bytes(wanted))) {
                        full.add(watch);
                    }
                }
            }
        }
        for (Watch watch : liveRanges) {
            List<Event> wanted = watch.wanted(events);
            if (!wanted.isEmpty() && !watch.offer(revision, wanted, Watch.bytes(wanted))) {
                full.add(watch);
            }
        }
        full.forEach(this::retire);
    }

    /** Offers an event that all of them want. */
    private static void offer(List<Watch> watches, long revision, List<Event> events) {
        int kept = 0;
        long bytes = Watch.bytes(events); // one event: all of it or nothing
        for (int i = 0; i < watches.size(); i++) {
            Watch watch = watches.get(i);
            List<Event> wanted = watch.filters() ? watch.wanted(events) : events;
            if (wanted.isEmpty() || watch.offer(revision, wanted, bytes)) {
                watches.set(kept++, watch);
            }
        }
        watches.subList(kept, watches.size()).clear();
    }

    /** Adds a watch; it is behind until it has come to what was delivered. */
    synchronized void register(Watch watch) {
        all.add(watch);
        if (isClosed) {
            watch.end();
        }
    }

    /** Makes a watch live if it has told everything that was delivered; returns up to which revision that is. */
    synchronized long join(Watch watch) {
        if (all.contains(watch) && watch.becomeLive(delivered)) {
            boolean isAdded = false;
            try {
                addLive(watch);
                isAdded = true;
            } finally {
                if (!isAdded) {
                    watch.fallBehind(delivered + 1);
                }
            }
        }
        return delivered;
    }

    private void addLive(Watch watch) {
        KeyRange range = watch.range();
        if (range.isSingle()) {
            liveByKey.computeIfAbsent(range.from(), key -> new ArrayList<>()).add(watch);
        } else {
            liveRanges.add(watch);
        }
    }

    synchronized long delivered() {
        return delivered;
    }

    synchronized int size() {
        return all.size();
    }

    /** Takes a watch from those that are live. */
    private void retire(Watch watch) {
        KeyRange range = watch.range();
        if (!range.isSingle()) {
            liveRanges.remove(watch);
            return;
        }
        List<Watch> same = liveByKey.get(range.from());
        if (same != null) {
            same.remove(watch);
            if (same.isEmpty()) {
                liveByKey.remove(range.from());
            }
        }
    }

    synchronized void remove(Watch watch) {
        all.remove(watch);
        retire(watch);
    }

    /** Lets all who wait look what has become of the store. */
    synchronized void wake() {
        all.forEach(Watch::wake);
    }

    synchronized void close() {
        isClosed = true;
        for (Iterator<Watch> each = all.iterator(); each.hasNext(); ) {
            each.next().end();
            each.remove();
        }
    }
}
