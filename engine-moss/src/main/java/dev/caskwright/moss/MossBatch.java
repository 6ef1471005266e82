package dev.caskwright.moss;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.LittleEndian;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * Operations lie one after the other in one array, each as
 *
 *   kind 1 byte | number of the collection in this batch 4 | key length 4 | value length 4
 *   room for a prefix | key | value
 *
 * where numbers are little-endian. The room in front of the key takes the prefix of
 * the collection when the batch is written, so that keys are copied once.
 */
/**
 * Changes that are applied all or none, in the order in which they were added: of several to one key the last one wins,
 * operands add up, and a range delete covers what was put before it and not what comes after. Keys and values are
 * copied. A batch belongs to one thread while it is built or written, and can be written more than once.
 *
 * <p>{@link #child} gives access to a child collection within the same batch. A child that does not exist is made by
 * the first put or operand for it.
 */
public final class MossBatch {
    static final int HEADER = 1 + 3 * Integer.BYTES;

    /** Kind of an operation that deletes a child collection with all that is in it. The key is its name. */
    static final int DELETE_CHILD = 100;

    private static final int FIRST_LENGTH = 1 << 10;
    private static final int MOST_KEPT = 1 << 20;

    private final MossBatch root;
    private final int number;
    private final @Nullable MossBatch parent;
    private final byte[] name;

    // Of the root batch alone.
    private final List<MossBatch> parts = new ArrayList<>();
    private byte[] operations = new byte[0];
    private int used;
    private int count;
    private boolean hasOperands;
    private int additions; // operations that add an entry

    /** Makes an empty batch. */
    public MossBatch() {
        root = this;
        number = 0;
        parent = null;
        name = new byte[0];
        operations = new byte[FIRST_LENGTH];
        parts.add(this);
    }

    private MossBatch(MossBatch parent, byte[] name) {
        this.root = parent.root;
        this.number = root.parts.size();
        this.parent = parent;
        this.name = name;
        root.parts.add(this);
    }

    /** Returns the part of this batch that changes a child collection. */
    public MossBatch child(String childName) {
        byte[] bytes = KeySpace.name(childName);
        for (MossBatch part : root.parts) {
            if (part.parent == this && Arrays.equals(part.name, bytes)) {
                return part;
            }
        }
        return new MossBatch(this, bytes);
    }

    /** Adds a put. */
    public MossBatch put(byte[] key, byte[] value) {
        return add(Kind.PUT, key, 0, key.length, value, 0, value.length);
    }

    /** Adds a delete. */
    public MossBatch delete(byte[] key) {
        return add(Kind.DELETE, key, 0, key.length, key, 0, 0);
    }

    /** Adds an operand for the store's {@link MergeOperator}. */
    public MossBatch merge(byte[] key, byte[] operand) {
        root.hasOperands = true;
        return add(Kind.MERGE, key, 0, key.length, operand, 0, operand.length);
    }

    /**
     * Adds the delete of all keys from one on up to, not including, another one; null for {@code to} means to the last
     * key.
     */
    public MossBatch deleteRange(byte[] from, byte @Nullable [] to) {
        if (to == null) {
            return append(Kind.DELETE_RANGE, from, 0, from.length, from, 0, 0);
        }
        return append(Kind.DELETE_RANGE, from, 0, from.length, to, 0, checkKey(to.length));
    }

    /** Adds the delete of a child collection with all its keys and children. If there is none, nothing happens. */
    public MossBatch deleteChild(String childName) {
        byte[] bytes = KeySpace.name(childName);
        return append(DELETE_CHILD, bytes, 0, bytes.length, bytes, 0, 0);
    }

    /** Returns how many operations were added, to this collection and all others of the batch. */
    public int size() {
        return root.count;
    }

    /** Forgets all operations, of children too. Keeps up to 1 MiB of memory. */
    public void clear() {
        root.used = 0;
        root.count = 0;
        root.hasOperands = false;
        root.additions = 0;
        if (root.operations.length > MOST_KEPT) {
            root.operations = new byte[FIRST_LENGTH];
        }
    }

    MossBatch add(int kind, byte[] key, int keyOffset, int keyLength, byte[] value, int valueOffset, int valueLength) {
        checkKey(keyLength);
        return append(kind, key, keyOffset, keyLength, value, valueOffset, valueLength);
    }

    private static int checkKey(int length) {
        if (length == 0 || length > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "key must have 1 to " + StorageEngine.MAX_KEY_LENGTH + " bytes: length=" + length);
        }
        return length;
    }

    private MossBatch append(
            int kind, byte[] key, int keyOffset, int keyLength, byte[] value, int valueOffset, int valueLength) {
        int prefix = number == 0 ? KeySpace.ROOT_PREFIX : KeySpace.CHILD_PREFIX;
        int offset = root.reserve((long) HEADER + prefix + keyLength + valueLength);
        byte[] target = root.operations;
        target[offset] = (byte) kind;
        LittleEndian.putInt(target, offset + 1, number);
        LittleEndian.putInt(target, offset + 5, keyLength);
        LittleEndian.putInt(target, offset + 9, valueLength);
        target[offset + HEADER] = KeySpace.ROOT;
        System.arraycopy(key, keyOffset, target, offset + HEADER + prefix, keyLength);
        System.arraycopy(value, valueOffset, target, offset + HEADER + prefix + keyLength, valueLength);
        root.count++;
        root.additions += kind == Kind.PUT || kind == Kind.MERGE ? 1 : 0;
        return this;
    }

    private int reserve(long needed) {
        int offset = used;
        long length = offset + needed;
        if (length > operations.length) {
            if (length > Integer.MAX_VALUE - Long.BYTES) {
                throw new IllegalArgumentException(
                        "batch is too long: length=" + length + ", limit=2 GiB; split it into several");
            }
            long more = Math.min(Integer.MAX_VALUE - Long.BYTES, Math.max(length, 2L * operations.length));
            operations = Arrays.copyOf(operations, (int) more);
        }
        used = (int) length;
        return offset;
    }

    boolean isRoot() {
        return parent == null;
    }

    boolean hasOperands() {
        return root.hasOperands;
    }

    /** Returns whether the batch only deletes. */
    boolean isFreeing() {
        return root.additions == 0;
    }

    /** Returns the bytes of the operations. */
    int bytes() {
        return root.used;
    }

    int parts() {
        return root.parts.size();
    }

    MossBatch part(int partNumber) {
        return root.parts.get(partNumber);
    }

    @Nullable MossBatch parent() {
        return parent;
    }

    int number() {
        return number;
    }

    byte[] name() {
        return name;
    }

    /** Takes one operation; the key has room for its collection's prefix in front of it. */
    interface Visitor {
        void operation(
                int kind, int part, byte[] source, int prefixOffset, int keyLength, int valueLength, boolean isLast)
                throws IOException;
    }

    /** Shows the operations in their order. */
    void visit(Visitor visitor) throws IOException {
        byte[] source = root.operations;
        int end = root.used;
        int offset = 0;
        while (offset < end) {
            int part = LittleEndian.getInt(source, offset + 1);
            int keyLength = LittleEndian.getInt(source, offset + 5);
            int valueLength = LittleEndian.getInt(source, offset + 9);
            int prefix = part == 0 ? KeySpace.ROOT_PREFIX : KeySpace.CHILD_PREFIX;
            int next = offset + HEADER + prefix + keyLength + valueLength;
            visitor.operation(source[offset], part, source, offset + HEADER, keyLength, valueLength, next == end);
            offset = next;
        }
    }
}
