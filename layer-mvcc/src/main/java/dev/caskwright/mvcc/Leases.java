package dev.caskwright.mvcc;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The leases of a store, and which keys go with them. Only differences of the clock count. Safe for any number of threads. */
final class Leases {
    private static final long MILLIS = 1_000;

    private final InstantSource clock;
    private final Map<Long, Held> all = new HashMap<>(); // guarded by this, as all else
    private final TreeMap<byte[], Long> byKey = new TreeMap<>(Arrays::compareUnsigned);

    /** A lease that has been granted. */
    private static final class Held {
        final long ttl;
        final TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
        long endsAtMillis;

        Held(long ttl, long endsAtMillis) {
            this.ttl = ttl;
            this.endsAtMillis = endsAtMillis;
        }
    }

    Leases(InstantSource clock) {
        this.clock = clock;
    }

    /** Forgets everything, and takes what is stored: each lease lives for what was left of it, as far as that was noted. */
    synchronized void load(List<Schema.StoredLease> stored, Map<byte[], Long> attached) {
        Map<Long, Held> before = new HashMap<>(all);
        all.clear();
        byKey.clear();
        for (Schema.StoredLease lease : stored) {
            Held known = before.get(lease.id());
            long left = lease.remaining() > 0 ? lease.remaining() : lease.ttl();
            all.put(lease.id(), new Held(lease.ttl(), known != null ? known.endsAtMillis : end(left)));
        }
        attached.forEach(this::attach);
    }

    private long end(long seconds) {
        long now = clock.millis();
        return seconds > (Long.MAX_VALUE - Math.max(0, now)) / MILLIS ? Long.MAX_VALUE : now + seconds * MILLIS;
    }

    synchronized boolean contains(long id) {
        return all.containsKey(id);
    }

    synchronized int size() {
        return all.size();
    }

    synchronized void grant(long id, long ttl) {
        all.put(id, new Held(ttl, end(ttl)));
    }

    /** Forgets a lease; its keys are deleted by the caller, who has them from {@link #keys}. */
    synchronized void remove(long id) {
        Held held = all.remove(id);
        if (held != null) {
            held.keys.forEach(byKey::remove);
        }
    }

    /** Lets a key go with a lease from now on, or with none if that is 0. */
    synchronized void attach(byte[] key, long id) {
        Long before = id == 0 ? byKey.remove(key) : byKey.put(key, id);
        if (before != null && before != id) {
            Held held = all.get(before);
            if (held != null) {
                held.keys.remove(key);
            }
        }
        Held held = id == 0 ? null : all.get(id);
        if (held != null) {
            held.keys.add(key);
        }
    }

    synchronized List<byte[]> keys(long id) {
        Held held = all.get(id);
        return held == null ? List.of() : new ArrayList<>(held.keys);
    }

    /** Lets a lease live for its whole time from now on; returns that, or null if there is none or it has ended. */
    synchronized @Nullable Long keepAlive(long id) {
        Held held = all.get(id);
        if (held == null || held.endsAtMillis <= clock.millis()) {
            return null;
        }
        held.endsAtMillis = end(held.ttl);
        return held.ttl;
    }

    synchronized @Nullable Lease get(long id) {
        Held held = all.get(id);
        return held == null ? null : new Lease(id, held.ttl, remaining(held), new ArrayList<>(held.keys));
    }

    private long remaining(Held held) {
        return Math.floorDiv(held.endsAtMillis - clock.millis() + MILLIS - 1, MILLIS);
    }

    /** Returns the numbers of all leases, in order. */
    synchronized List<Long> ids() {
        List<Long> ids = new ArrayList<>(all.keySet());
        ids.sort(null);
        return ids;
    }

    /** Returns the numbers of the leases that have ended, in order. */
    synchronized List<Long> ended() {
        long now = clock.millis();
        List<Long> ended = new ArrayList<>();
        all.forEach((id, held) -> {
            if (held.endsAtMillis <= now) {
                ended.add(id);
            }
        });
        ended.sort(null);
        return ended;
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
