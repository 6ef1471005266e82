package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.CommitToken;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The leases of a store, and which keys go with them. Only differences of the clock count. Safe for any number of threads. */
final class Leases {
    private static final long MILLIS = 1_000;

    private final InstantSource clock;
    private final Map<Long, Held> all = new HashMap<>(); // guarded by this, as all else
    private final TreeMap<byte[], Long> byKey = new TreeMap<>(Arrays::compareUnsigned);

    private final Set<Long> missing = new HashSet<>(); // numbers that keys name, and that no lease has
    private long changes;

    /** A key that goes with a lease, or with none if that is 0. */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Attachment(byte[] key, long lease) {}

    /** A lease that has been granted; another one that is granted later with the same number is another object. */
    static final class Held {
        private final long id;
        private final long ttl;
        private final @Nullable CommitToken granted; // null if it was read from the store
        private final TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
        private long endsAtMillis; // guarded by the leases, as all else
        private boolean isEnding;

        private Held(long id, long ttl, @Nullable CommitToken granted, long endsAtMillis) {
            this.id = id;
            this.ttl = ttl;
            this.granted = granted;
            this.endsAtMillis = endsAtMillis;
        }

        long id() {
            return id;
        }

        private boolean isDurable() {
            return granted == null || granted.isDone();
        }
    }

    Leases(InstantSource clock) {
        this.clock = clock;
    }

    /** Forgets everything, and takes what is stored: each lease lives for what was left of it, as far as that was noted. */
    synchronized void load(List<Schema.StoredLease> stored, List<Attachment> attached) {
        Map<Long, Held> before = new HashMap<>(all);
        changes++;
        all.clear();
        byKey.clear();
        missing.clear();
        for (Schema.StoredLease lease : stored) {
            Held known = before.get(lease.id());
            long left = lease.remaining() > 0 ? lease.remaining() : lease.ttl();
            // One that was granted again with the same number, and was lost, says nothing about the one before it.
            long endsAt = known != null && known.isDurable() ? known.endsAtMillis : end(left);
            all.put(lease.id(), new Held(lease.id(), lease.ttl(), null, endsAt));
        }
        attached.forEach(each -> attach(each.key, each.lease));
    }

    private long end(long seconds) {
        long now = clock.millis();
        return seconds > (Long.MAX_VALUE - Math.max(0, now)) / MILLIS ? Long.MAX_VALUE : now + seconds * MILLIS;
    }

    /** Returns how often a lease, or what goes with one, has changed; the time that is left aside. */
    synchronized long changes() {
        return changes;
    }

    synchronized boolean contains(long id) {
        return all.containsKey(id);
    }

    synchronized int size() {
        return all.size();
    }

    synchronized void grant(long id, long ttl, CommitToken token) {
        Held held = new Held(id, ttl, token, end(ttl));
        changes++;
        all.put(id, held);
        if (missing.remove(id)) { // keys of a file of somebody else's: after a restart they would go with it, too
            byKey.forEach((key, lease) -> {
                if (lease == id) {
                    held.keys.add(key);
                }
            });
        }
    }

    /** Forgets a lease; its keys are deleted by the caller, who has them from {@link #keys}. */
    synchronized void remove(long id) {
        Held held = all.remove(id);
        changes++;
        if (held != null) {
            held.keys.forEach(byKey::remove);
        }
    }

    /** Lets a key go with a lease from now on, or with none if that is 0. */
    synchronized void attach(byte[] key, long id) {
        Long before = id == 0 ? byKey.remove(key) : byKey.put(key, id);
        if (id != 0 || before != null) {
            changes++;
        }
        if (before != null && before != id) {
            Held held = all.get(before);
            if (held != null) {
                held.keys.remove(key);
            }
        }
        Held held = id == 0 ? null : all.get(id);
        if (held != null) {
            held.keys.add(key);
        } else if (id != 0) {
            missing.add(id);
        }
    }

    synchronized List<byte[]> keys(long id) {
        Held held = all.get(id);
        return held == null ? List.of() : new ArrayList<>(held.keys);
    }

    /** Lets a lease live for its whole time from now on; returns that, or null if there is none or it has ended. */
    synchronized @Nullable Long keepAlive(long id) {
        Held held = all.get(id);
        if (held == null || held.isEnding || held.endsAtMillis <= clock.millis()) {
            return null;
        }
        held.endsAtMillis = end(held.ttl);
        return held.ttl;
    }

    synchronized @Nullable Lease get(long id) {
        Held held = all.get(id);
        return held == null ? null : new Lease(id, held.ttl, remaining(held), new ArrayList<>(held.keys));
    }

    /** Returns how many seconds are left, and a part of one as a whole one. */
    private long remaining(Held held) {
        long now = clock.millis();
        long end = held.endsAtMillis;
        if (end == Long.MAX_VALUE || (now < 0 && end > Long.MAX_VALUE + now)) {
            return Long.MAX_VALUE / MILLIS;
        }
        return -Math.floorDiv(now - end, MILLIS);
    }

    /** Returns the numbers of all leases, in order. */
    synchronized List<Long> ids() {
        List<Long> ids = new ArrayList<>(all.keySet());
        ids.sort(null);
        return ids;
    }

    /** Returns the leases that have ended, in the order of their numbers. */
    synchronized List<Held> ended() {
        long now = clock.millis();
        List<Held> ended = new ArrayList<>();
        for (Held held : all.values()) {
            if (held.endsAtMillis <= now) {
                ended.add(held);
            }
        }
        ended.sort(Comparator.comparingLong(Held::id));
        return ended;
    }

    /** Lets nobody keep a lease alive any more; returns false if it is not the one of its number, or has not ended. */
    synchronized boolean startEnding(Held held) {
        held.isEnding = all.get(held.id) == held && held.endsAtMillis <= clock.millis();
        return held.isEnding;
    }

    synchronized void stopEnding(Held held) {
        held.isEnding = false;
    }

    /** Returns all leases as they are to be stored, with what is left of each. */
    synchronized List<Schema.StoredLease> toStore() {
        List<Schema.StoredLease> stored = new ArrayList<>();
        all.forEach((id, held) -> {
            long left = remaining(held);
            stored.add(new Schema.StoredLease(id, held.ttl, left >= held.ttl ? 0 : Math.max(1, left)));
        });
        return stored;
    }
}
