package dev.caskwright.server.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Learns of each change under the keyspace's lock: counts it, notes it for those who watch the key, and lets the gate know that it
 * is not durable yet.
 */
public final class Changes {
    private final Gate gate;
    private Map<Bytes, Map<Object, Watch>> watched = new HashMap<>();
    private long count;
    private long untold; // the last change of which not all who watch could be told
    private @Nullable Listener listener;

    /** Is told of all changes, by the thread that makes them. */
    public interface Listener {
        /** A key has changed, or may have. */
        void changed(byte[] key);

        /** All keys of a database have changed. */
        void changedAll();
    }

    /** That a key is watched in another slot. */
    private record Move(Watch watch, Bytes to, boolean isThere) {}

    Changes(Gate gate) {
        this.gate = gate;
    }

    /** Tells the listener of all changes from now on. */
    public void listener(Listener next) {
        listener = next;
    }

    void beforeRead(byte[] key) throws IOException {
        gate.readKey(key);
    }

    void changed(byte[] key) {
        count++;
        gate.changedKey(key);
        boolean isTold = false;
        try {
            if (listener != null) {
                listener.changed(key);
            }
            if (!watched.isEmpty()) {
                Map<Object, Watch> watches = watched.get(new Bytes(key));
                if (watches != null) {
                    watches.values().forEach(Watch::change);
                }
            }
            isTold = true;
        } finally {
            if (!isTold) { // for want of memory, say
                changedUnknown();
            }
        }
    }

    /** Lets everything count as changed. */
    private void changedUnknown() {
        untold = count;
        gate.changedEverything();
    }

    /** Returns the last change of which not all who watch could be told; for them it counts as one of their keys. */
    long untold() {
        return untold;
    }

    /**
     * Databases have other slots than before. Keys that were there, or are there now, have changed for those who watch them; all
     * are watched in the new slot from now on.
     *
     * @param next the new slot of each slot that a database had
     * @param isThere tells of a key, with its new slot, whether it is there
     */
    void moved(byte[] next, Predicate<byte[]> isThere) {
        count++;
        gate.changedEverything();
        boolean isTold = false;
        try {
            if (listener != null) {
                listener.changedAll();
            }
            if (!watched.isEmpty()) {
                move(next, isThere);
            }
            isTold = true;
        } finally {
            if (!isTold) {
                changedUnknown();
            }
        }
    }

    private void move(byte[] next, Predicate<byte[]> isThere) {
        Map<Bytes, Map<Object, Watch>> after = new HashMap<>();
        List<Move> moves = new ArrayList<>();
        watched.forEach((key, watches) -> {
            byte[] moved = key.array().clone();
            moved[0] = next[moved[0] & 0xFF];
            Bytes to = new Bytes(moved);
            after.put(to, watches);
            if (!to.equals(key)) {
                boolean isAnyInDoubt = false;
                for (Watch watch : watches.values()) {
                    isAnyInDoubt |= !watch.hasChanged() && !watch.wasThere();
                }
                boolean isThereNow = isAnyInDoubt && isThere.test(moved);
                watches.values().forEach(watch -> moves.add(new Move(watch, to, isThereNow)));
            }
        });
        watched = after; // from here on nothing takes memory, so that all of it is done
        for (int i = 0; i < moves.size(); i++) {
            Move move = moves.get(i);
            move.watch.move(move.to, move.isThere);
        }
    }

    /** Returns how many changes there were since the server began. */
    public long count() {
        return count;
    }

    /** Returns whether a client watches a key. */
    public boolean isWatched(Bytes key, Object client) {
        Map<Object, Watch> watches = watched.get(key);
        return watches != null && watches.containsKey(client);
    }

    /** Begins a watch. The client does not watch the key yet. */
    public Watch watch(Bytes key, Object client, boolean isThere) {
        Watch watch = new Watch(this, client, key, isThere);
        boolean isWatched = false;
        try {
            watched.computeIfAbsent(key, k -> new HashMap<>()).put(client, watch);
            isWatched = true;
        } finally {
            if (!isWatched) {
                unwatch(watch);
            }
        }
        return watch;
    }

    /** Ends a watch. */
    public void unwatch(Watch watch) {
        Map<Object, Watch> watches = watched.get(watch.key());
        if (watches != null) {
            watches.remove(watch.client(), watch);
            if (watches.isEmpty()) {
                watched.remove(watch.key());
            }
        }
    }

    /** Returns how many keys are watched. */
    public int watchedKeys() {
        return watched.size();
    }
}
