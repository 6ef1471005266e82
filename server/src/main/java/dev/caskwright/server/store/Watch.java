package dev.caskwright.server.store;

/** That a client watches a key. Used under the keyspace's lock. */
public final class Watch {
    private final Changes changes;
    private final long begun; // how many changes there were by then
    private final Object client;
    private final boolean wasThere;
    private Bytes key;
    private boolean hasChanged;

    Watch(Changes changes, Object client, Bytes key, boolean wasThere) {
        this.changes = changes;
        this.begun = changes.count();
        this.client = client;
        this.key = key;
        this.wasThere = wasThere;
    }

    /** Returns who watches. */
    Object client() {
        return client;
    }

    /** Returns the key, with the slot that its database has now. */
    public Bytes key() {
        return key;
    }

    /** Returns whether the key was there when the watch began. */
    public boolean wasThere() {
        return wasThere;
    }

    /** Returns whether the key has changed since, or may have. */
    public boolean hasChanged() {
        return hasChanged || changes.untold() > begun;
    }

    void change() {
        hasChanged = true;
    }

    /** The database has another slot, and there the key is or is not. */
    void move(Bytes to, boolean isThere) {
        key = to;
        hasChanged |= wasThere || isThere;
    }
}
