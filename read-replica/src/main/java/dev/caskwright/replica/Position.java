package dev.caskwright.replica;

import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.ReadView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * How far a copy has come: a record in its store, written in the same batch as the changes that brought it there. So the store
 * itself knows which changes are in it, whatever a crash took.
 *
 * <pre>
 * key    0xFF "replica"
 * 0        1      9         17        25
 * | format | copy | history | version |     most significant byte first
 * </pre>
 *
 * <p>The source may have such a record, too, if it was a replica once, and any value under the key. What does not name the copy that it
 * is read in counts for nothing.
 */
final class Position {
    private static final byte[] KEY = {(byte) 0xFF, 'r', 'e', 'p', 'l', 'i', 'c', 'a'};
    private static final byte FORMAT = 1;
    private static final int LENGTH = 1 + 3 * Long.BYTES;

    private Position() {}

    /** Returns the key of the record. */
    static byte[] key() {
        return KEY.clone();
    }

    /** Returns whether a key is that of the record. */
    static boolean isKey(byte[] key) {
        return Arrays.equals(key, KEY);
    }

    /** Returns the moment of the source that a copy has come to: without a record of its own, it is as it came. */
    static Moment read(ReadView store, ReplicaFiles.Current copy) throws IOException {
        byte[] value = store.get(KEY);
        if (value == null || value.length != LENGTH || value[0] != FORMAT) {
            return copy.start();
        }
        ByteBuffer in = ByteBuffer.wrap(value, 1, LENGTH - 1);
        return in.getLong() == copy.id() ? new Moment(in.getLong(), in.getLong()) : copy.start();
    }

    /** Returns the value of the record. */
    static byte[] bytes(ReplicaFiles.Current copy, Moment moment) {
        return ByteBuffer.allocate(LENGTH)
                .put(FORMAT)
                .putLong(copy.id())
                .putLong(moment.history())
                .putLong(moment.version())
                .array();
    }
}
