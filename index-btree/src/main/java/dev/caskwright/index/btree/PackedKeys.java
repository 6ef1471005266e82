package dev.caskwright.index.btree;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;
import org.mapdb.DataInput2;
import org.mapdb.DataOutput2;
import org.mapdb.serializer.GroupSerializer;

/**
 * Holds the keys of a node in one byte array, ordered as unsigned bytes.
 *
 * <pre>
 * 0       2        4                        4 + 4 * count (0 extra where all keys have one length)
 * | count | length | end of each key, 4 B   | keys ...
 * </pre>
 *
 * {@code length} is that of every key, or 0 if they differ, and only then there are ends. Compared with an array of arrays
 * this takes a third of the memory for 16-byte keys, and a search stays within two or three cache lines.
 *
 * <p>A key on its own is a {@code byte[]}. A search may also be given a {@link LeafProbe}, which takes note of the last
 * block that was searched. The type parameter is {@code Object} for that alone.
 */
final class PackedKeys implements GroupSerializer<Object> {
    static final PackedKeys INSTANCE = new PackedKeys();

    /** The bytes of a block beside its keys, if all have the same length. */
    static final int HEADER_BYTES = 4;
    /** The bytes that a key needs beside its own, in a block with keys of different lengths. */
    static final int END_BYTES = Integer.BYTES;

    private static final int LENGTH_OFFSET = 2;
    private static final byte[] EMPTY = new byte[HEADER_BYTES];
    private static final VarHandle CHAR = MethodHandles.byteArrayViewVarHandle(char[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private PackedKeys() {}

    /** A key to search for, which learns in what block the search ended: the leaf's, after a get of the tree. */
    static final class LeafProbe {
        private final byte[] key;
        private byte[] block = EMPTY;

        LeafProbe(byte[] key) {
            this.key = key;
        }

        /** Returns the first key of the block, or null if that is empty. */
        byte @Nullable [] firstKey() {
            return count(block) == 0 ? null : key(block, 0);
        }
    }

    @Override
    public int valueArraySearch(Object keys, Object key) {
        if (key instanceof LeafProbe probe) {
            probe.block = (byte[]) keys;
            return search(probe.block, probe.key);
        }
        return search((byte[]) keys, (byte[]) key);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public int valueArraySearch(Object keys, Object key, Comparator comparator) {
        return valueArraySearch(keys, key);
    }

    @Override
    public Object valueArrayGet(Object keys, int pos) {
        return key((byte[]) keys, pos);
    }

    @Override
    public int valueArraySize(Object keys) {
        return count((byte[]) keys);
    }

    @Override
    public Object valueArrayEmpty() {
        return EMPTY;
    }

    @Override
    public Object valueArrayPut(Object keys, int pos, Object newValue) {
        byte[] block = (byte[]) keys;
        byte[] key = (byte[]) newValue;
        int count = count(block);
        int length = count == 0 || length(block) == key.length ? key.length : 0;
        byte[] target = newBlock(count + 1, length, dataBytes(block, 0, count) + key.length);
        copy(block, 0, pos, target, 0);
        put(key, target, pos);
        copy(block, pos, count, target, pos + 1);
        return target;
    }

    @Override
    public Object valueArrayUpdateVal(Object keys, int pos, Object newValue) {
        return valueArrayPut(valueArrayDeleteValue(keys, pos + 1), pos, newValue);
    }

    @Override
    public Object valueArrayFromArray(Object[] objects) {
        Object block = EMPTY;
        for (int i = 0; i < objects.length; i++) {
            block = valueArrayPut(block, i, objects[i]);
        }
        return block;
    }

    @Override
    public Object valueArrayCopyOfRange(Object keys, int from, int to) {
        byte[] block = (byte[]) keys;
        byte[] target = newBlock(to - from, length(block), dataBytes(block, from, to));
        copy(block, from, to, target, 0);
        return target;
    }

    /** Removes the key before {@code pos}: this is how MapDB counts here. */
    @Override
    public Object valueArrayDeleteValue(Object keys, int pos) {
        byte[] block = (byte[]) keys;
        int count = count(block);
        int length = length(block);
        byte[] target = newBlock(count - 1, length, dataBytes(block, 0, pos - 1) + dataBytes(block, pos, count));
        copy(block, 0, pos - 1, target, 0);
        copy(block, pos, count, target, pos - 1);
        return target;
    }

    @Override
    public int compare(Object first, Object second) {
        return Arrays.compareUnsigned((byte[]) first, (byte[]) second);
    }

    @Override
    public void valueArraySerialize(DataOutput2 out, Object vals) throws IOException {
        throw new UnsupportedOperationException("nodes stay objects");
    }

    @Override
    public Object valueArrayDeserialize(DataInput2 in, int size) throws IOException {
        throw new UnsupportedOperationException("nodes stay objects");
    }

    @Override
    public void serialize(DataOutput2 out, Object value) throws IOException {
        throw new UnsupportedOperationException("nodes stay objects");
    }

    @Override
    public Object deserialize(DataInput2 input, int available) throws IOException {
        throw new UnsupportedOperationException("nodes stay objects");
    }

    /** Returns the place of the key, or {@code -1 - place} of where it would be. */
    private static int search(byte[] block, byte[] key) {
        int length = length(block);
        return length >= Long.BYTES && key.length >= Long.BYTES
                ? searchByPrefix(block, length, key)
                : searchByBytes(block, key);
    }

    private static int searchByPrefix(byte[] block, int length, byte[] key) {
        long prefix = (long) LONG.get(key, 0) ^ Long.MIN_VALUE;
        int low = 0;
        int high = count(block) - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int start = HEADER_BYTES + middle * length;
            long other = (long) LONG.get(block, start) ^ Long.MIN_VALUE;
            int order = Long.compare(other, prefix);
            if (order == 0) {
                order = Arrays.compareUnsigned(block, start + Long.BYTES, start + length, key, Long.BYTES, key.length);
            }
            if (order < 0) {
                low = middle + 1;
            } else if (order > 0) {
                high = middle - 1;
            } else {
                return middle;
            }
        }
        return -1 - low;
    }

    private static int searchByBytes(byte[] block, byte[] key) {
        int low = 0;
        int high = count(block) - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order =
                    Arrays.compareUnsigned(block, start(block, middle), start(block, middle + 1), key, 0, key.length);
            if (order < 0) {
                low = middle + 1;
            } else if (order > 0) {
                high = middle - 1;
            } else {
                return middle;
            }
        }
        return -1 - low;
    }

    private static int count(byte[] block) {
        return (char) CHAR.get(block, 0);
    }

    private static int length(byte[] block) {
        return (char) CHAR.get(block, LENGTH_OFFSET);
    }

    /** Returns where a key starts, which for {@code index == count} is the end of the block. */
    private static int start(byte[] block, int index) {
        int length = length(block);
        if (length != 0) {
            return HEADER_BYTES + index * length;
        }
        int data = HEADER_BYTES + count(block) * END_BYTES;
        return index == 0 ? data : data + (int) INT.get(block, HEADER_BYTES + (index - 1) * END_BYTES);
    }

    private static int dataBytes(byte[] block, int from, int to) {
        return start(block, to) - start(block, from);
    }

    private static byte[] key(byte[] block, int index) {
        return Arrays.copyOfRange(block, start(block, index), start(block, index + 1));
    }

    private static byte[] newBlock(int count, int length, int dataBytes) {
        if (count == 0) {
            return EMPTY;
        }
        byte[] block = new byte[HEADER_BYTES + (length == 0 ? count * END_BYTES : 0) + dataBytes];
        CHAR.set(block, 0, (char) count);
        CHAR.set(block, LENGTH_OFFSET, (char) length);
        return block;
    }

    /** Copies some keys; those before {@code at} must be in the target already. */
    private static void copy(byte[] block, int from, int to, byte[] target, int at) {
        if (from == to) {
            return;
        }
        int source = start(block, from);
        int destination = start(target, at);
        System.arraycopy(block, source, target, destination, start(block, to) - source);
        if (length(target) == 0) {
            int data = HEADER_BYTES + count(target) * END_BYTES;
            for (int i = 0; i < to - from; i++) {
                setEnd(target, at + i, destination - data + start(block, from + i + 1) - source);
            }
        }
    }

    private static void put(byte[] key, byte[] target, int at) {
        int destination = start(target, at);
        System.arraycopy(key, 0, target, destination, key.length);
        if (length(target) == 0) {
            setEnd(target, at, destination - (HEADER_BYTES + count(target) * END_BYTES) + key.length);
        }
    }

    private static void setEnd(byte[] block, int index, int end) {
        INT.set(block, HEADER_BYTES + index * END_BYTES, end);
    }
}
