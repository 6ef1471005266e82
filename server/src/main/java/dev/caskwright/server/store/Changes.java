package dev.caskwright.server.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Learns of each change under the keyspace's lock: counts it, tells those who watch the key, and lets the gate know that it is
 * not durable yet.
 */
public final class Changes {
    private final Gate gate;
    private final Map<Bytes, Set<Watcher>> watched = new HashMap<>();
    private long count;
    private @Nullable Listener listener;

    /** Is told of all changes, by the thread that makes them. */
    public interface Listener {
        /** A key has changed, or may have. */
        void changed(byte[] key);

        /** All keys of a database have changed. */
        void changedAll();
    }

    /** Is told once of a change to a key that it watches. */
    public interface Watcher {
        /** A key that was watched has changed, or may have. */
        void watchedKeyChanged();

        /** Returns whether a key was there when the watch of it began. */
        boolean wasThere(Bytes key);
    }

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
        if (listener != null) {
            listener.changed(key);
        }
        if (!watched.isEmpty()) {
            tell(watched.get(new Bytes(key)));
        }
    }

    /** All keys of a database may have changed, and others may have come. */
    void changedAll(byte slot) {
        changedAll(slot, false);
    }

    /** All keys of a database are gone. A watched key that was not there has not changed. */
    void emptied(byte slot) {
        changedAll(slot, true);
    }

    private void changedAll(byte slot, boolean onlyThoseThere) {
        count++;
        gate.changedEverything();
        if (listener != null) {
            listener.changedAll();
        }
        for (Map.Entry<Bytes, Set<Watcher>> entry : watched.entrySet()) {
            if (entry.getKey().array()[0] == slot) {
                for (Watcher watcher : new ArrayList<>(entry.getValue())) {
                    if (!onlyThoseThere || watcher.wasThere(entry.getKey())) {
                        watcher.watchedKeyChanged();
                    }
                }
            }
        }
    }

    private static void tell(@Nullable Set<Watcher> watchers) {
        if (watchers != null) {
            List<Watcher> all = new ArrayList<>(watchers);
            all.forEach(Watcher::watchedKeyChanged);
        }
    }

    /** Returns how many changes there were since the server began. */
    public long count() {
        return count;
    }

    /** Tells the watcher of changes to the key from now on. */
    public void watch(Bytes key, Watcher watcher) {
        watched.computeIfAbsent(key, k -> new LinkedHashSet<>()).add(watcher);
    }

    /** Ends a watch. */
    public void unwatch(Bytes key, Watcher watcher) {
        Set<Watcher> watchers = watched.get(key);
        if (watchers != null && watchers.remove(watcher) && watchers.isEmpty()) {
            watched.remove(key);
        }
    }

    /** Returns how many keys are watched. */
    public int watchedKeys() {
        return watched.size();
    }
}
