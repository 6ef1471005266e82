package dev.caskwright.server.store;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.resp.Request;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys that the next commands will ask for, read together: the engine overlaps the waits for memory of several keys, which are most
 * of what a get costs. What was read holds until {@link #forget}, which is called before each change of the store, and when
 * the commands that it was read for have had their turn. Used under the keyspace's lock, and only if {@link Keyspace#mayReadAhead}.
 */
public final class Ahead {
    /** How many keys are read together: as many as the engine looks up at once. */
    public static final int MOST_KEYS = 64;

    private static final Logger LOG = LoggerFactory.getLogger(Ahead.class);
    private static final byte[][] NONE = {};

    private final StorageEngine engine;
    private final Changes changes;
    private byte[][] keys = NONE;
    private byte[] @Nullable [] values = NONE;
    private int next;

    Ahead(StorageEngine engine, Changes changes) {
        this.engine = engine;
        this.changes = changes;
    }

    /** Reads keys, with the bytes of their slots, which are asked for next, in this order. */
    public void read(byte[][] wanted) {
        forget();
        try {
            values = engine.getAll(wanted);
            keys = wanted;
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            // The command that asks for the key meets it again, and tells its client; the others are none the wiser.
            LOG.debug("keys cannot be read together", e);
        }
    }

    /** Returns whether an argument of a request is the next of the keys. */
    public boolean isNext(byte slot, Request request, int i) {
        if (next < keys.length && request.isPrefixed(keys[next], slot, i)) {
            return true;
        }
        forget(); // a command of which this is not known did not run
        return false;
    }

    /** Returns the stored value of the next key, or null. */
    public byte @Nullable [] take() throws IOException {
        int taken = next++;
        changes.beforeRead(keys[taken]);
        return values[taken];
    }

    /** Forgets what was read. */
    public void forget() {
        keys = NONE;
        values = NONE;
        next = 0;
    }
}
