package dev.caskwright.raft;

import dev.caskwright.api.ReadView;
import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How far a store has come: a record in it, written in the same batch as what the entry changed. So the store itself knows which
 * entries are in it, whatever a crash took.
 *
 * <pre>
 * key    0xFF "raft"
 * 0        1       17      25       33       41                49
 * | format | group | term  | index  | time   | greatest expiry |     most significant byte first
 * </pre>
 *
 * @param group the group that the store belongs to
 * @param term the term of the last entry that is in the store
 * @param index its index, or -1 if there is none
 * @param timeMillis its time, which expiry goes by
 * @param greatestExpiry the latest time at which anything that was ever written expires; 0 if nothing does
 */
record Applied(UUID group, long term, long index, long timeMillis, long greatestExpiry) {
    private static final byte[] KEY = {(byte) 0xFF, 'r', 'a', 'f', 't'};
    private static final byte FORMAT = 1;
    private static final int LENGTH = 1 + 6 * Long.BYTES;

    /** Returns how far a store has come that has nothing of the group. */
    static Applied nothing(UUID group) {
        return new Applied(group, 0, -1, 0, 0);
    }

    /** Returns the key of the record. */
    static byte[] key() {
        return KEY.clone();
    }

    /** Returns whether a key is that of the record. */
    static boolean isKey(byte[] key) {
        return Arrays.equals(key, KEY);
    }

    /** Refuses the key of the record. */
    static void refuse(byte[] key) {
        if (isKey(key)) {
            throw new IllegalArgumentException(
                    "the key belongs to the node, which keeps its index of the log there: key=0xFF"
                            + " followed by \"raft\"; use another one");
        }
    }

    /** Returns what a store says, or null if it says nothing. */
    static @Nullable Applied read(ReadView store) throws IOException {
        byte[] value = store.get(KEY);
        if (value == null) {
            return null;
        }
        if (value.length != LENGTH || value[0] != FORMAT) {
            throw new UnsupportedFormatException(
                    "the store's record of the log is of another format: length=" + value.length
                            + ", format=" + (value.length == 0 ? -1 : value[0]) + ", expected length=" + LENGTH
                            + ", expected format=" + FORMAT + "; open it with the version that wrote it");
        }
        ByteBuffer in = ByteBuffer.wrap(value, 1, LENGTH - 1);
        return new Applied(
                new UUID(in.getLong(), in.getLong()), in.getLong(), in.getLong(), in.getLong(), in.getLong());
    }

    byte[] toBytes() {
        return ByteBuffer.allocate(LENGTH)
                .put(FORMAT)
                .putLong(group.getMostSignificantBits())
                .putLong(group.getLeastSignificantBits())
                .putLong(term)
                .putLong(index)
                .putLong(timeMillis)
                .putLong(greatestExpiry)
                .array();
    }
}
