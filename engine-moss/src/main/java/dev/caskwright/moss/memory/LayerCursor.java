package dev.caskwright.moss.memory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A walk over the entries of one layer, one a key. Before a first move it is nowhere. The fields show the present entry
 * and are valid until the next move. For one thread.
 */
public abstract class LayerCursor {
    /** The array that has the key. */
    public byte[] keySource = new byte[0];

    /** Where the key begins. */
    public int keyOffset;

    /** The length of the key. */
    public int keyLength;

    /** {@link Kind#PUT}, {@link Kind#DELETE}, or {@link Kind#MERGE} if there are only operands. */
    public int kind;

    /** The array that has the value. */
    public byte[] valueSource = keySource;

    /** Where the value begins. */
    public int valueOffset;

    /** The length of the value. */
    public int valueLength;

    /** The version of the newest part of the entry. */
    public long version;

    /** Operands on top of the value or the delete, newest first; null if there are none. */
    public @Nullable List<byte[]> operands;

    /** Moves to the least key; returns whether there is one. */
    public abstract boolean first() throws IOException;

    /** Moves to the greatest key; returns whether there is one. */
    public abstract boolean last() throws IOException;

    /** Moves to the least key that is at or after this one. */
    public abstract boolean atOrAfter(byte[] key) throws IOException;

    /** Moves to the greatest key that is before this one. */
    public abstract boolean before(byte[] key) throws IOException;

    /** Moves to the next key. */
    public abstract boolean next() throws IOException;

    /** Moves to the key before. */
    public abstract boolean previous() throws IOException;

    /** Gives back what the cursor holds. */
    public void close() {}

    /** Takes stored operands apart, if the present entry has them. */
    protected final void takeOperands() {
        operands = null;
        if (kind == Kind.MERGES) {
            List<byte[]> found = new ArrayList<>();
            Operands.addTo(found, valueSource, valueOffset, valueLength);
            operands = found;
            kind = Kind.MERGE;
        }
    }

    final int compare(LayerCursor other) {
        return Arrays.compareUnsigned(
                keySource,
                keyOffset,
                keyOffset + keyLength,
                other.keySource,
                other.keyOffset,
                other.keyOffset + other.keyLength);
    }

    /** Returns the order of the present key and another one. */
    public final int compareKey(byte[] key) {
        return Arrays.compareUnsigned(keySource, keyOffset, keyOffset + keyLength, key, 0, key.length);
    }

    /** Returns a copy of the key. */
    public final byte[] key() {
        return Arrays.copyOfRange(keySource, keyOffset, keyOffset + keyLength);
    }

    /** Returns a copy of the value. */
    public final byte[] value() {
        return Arrays.copyOfRange(valueSource, valueOffset, valueOffset + valueLength);
    }
}
