package dev.caskwright.server.command;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Which places, of keys that clients of any member watch, have not changed since when. It is part of the store, so that all members
 * agree on it, also after a restart: a record for each place that is watched, removed by the first change of a key of that place.
 * Other changes cost a look at an array. Keys of the same place are taken for each other, so that a transaction may fail though its
 * keys have not changed, and never the other way round.
 *
 * <pre>
 * key    0xFF | 'w' | place (2)
 * value  number of the change after which nothing has changed there (8)
 * </pre>
 */
final class WatchTable {
    private static final int PLACES = 1 << 14;
    private static final int SPREAD = 0x9E3779B9;
    private static final int SHIFT = 18;
    private static final int RECORD_BYTES = 4;

    private final long[] since = new long[PLACES];

    static int place(byte[] key) {
        return Arrays.hashCode(key) * SPREAD >>> SHIFT;
    }

    private static byte[] record(int place) {
        return ByteBuffer.allocate(RECORD_BYTES)
                .put((byte) 0xFF)
                .put((byte) 'w')
                .putShort((short) place)
                .array();
    }

    /** Reads the table of a store. */
    void load(StorageEngine store) throws IOException {
        for (int place = 0; place < PLACES; place++) {
            byte[] number = store.get(record(place));
            since[place] = number == null ? 0 : ByteBuffer.wrap(number).getLong();
        }
    }

    /** Begins to watch a place, unless it is watched; returns the number of the change after which nothing has changed there. */
    long watch(StorageEngine store, int place, long change) throws IOException {
        if (since[place] == 0) {
            byte[] number = ByteBuffer.allocate(Long.BYTES).putLong(change).array();
            store.put(record(place), number, WriteOptions.WRITE);
            since[place] = change;
        }
        return since[place];
    }

    /** Notes a change. */
    void changed(StorageEngine store, int place) throws IOException {
        if (since[place] != 0) {
            store.delete(record(place), WriteOptions.WRITE);
            since[place] = 0;
        }
    }

    void changedAll(StorageEngine store) throws IOException {
        for (int place = 0; place < PLACES; place++) {
            changed(store, place);
        }
    }

    /** Returns whether nothing has changed since. */
    boolean isUnchanged(int place, long number) {
        return since[place] != 0 && since[place] <= number;
    }
}
