package dev.caskwright.moss.memory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One search for a key through layers, newest first: what has been found so far. Get, snapshot and conditional writes
 * all read by it. For one thread.
 */
public final class Probe {
    private static final int SEARCHING = -1;

    final byte[] key;
    final int hash;

    private long tableHash;
    private boolean hasTableHash;
    private int state = SEARCHING;
    private byte @Nullable [] source;
    private int offset;
    private int length;
    private long version;
    private @Nullable List<byte[]> operands;

    /** Starts a search. The hash is the one that the layers were built with. */
    public Probe(byte[] key, int hash) {
        this.key = key;
        this.hash = hash;
    }

    /** Returns the key. */
    public byte[] key() {
        return key;
    }

    /** Returns its hash. */
    public int hash() {
        return hash;
    }

    /** Returns the hash that memory tables filter by; it is computed once. */
    long tableHash() {
        if (!hasTableHash) {
            tableHash = MemTable.filterHash(key);
            hasTableHash = true;
        }
        return tableHash;
    }

    /** Returns whether lower layers cannot change the answer. */
    public boolean isDone() {
        return state != SEARCHING;
    }

    /** Takes a value, where the layer has it. */
    public void put(byte[] array, int from, int count, long entryVersion) {
        state = Kind.PUT;
        source = array;
        offset = from;
        length = count;
        note(entryVersion);
    }

    /** Takes the absence of the key in all lower layers. */
    public void delete(long entryVersion) {
        state = Kind.DELETE;
        note(entryVersion);
    }

    /** Takes one operand. */
    public void merge(byte[] array, int from, int count, long entryVersion) {
        operands().add(Arrays.copyOfRange(array, from, from + count));
        note(entryVersion);
    }

    /** Takes stored operands. */
    public void merges(byte[] array, int from, int count, long entryVersion) {
        Operands.addTo(operands(), array, from, count);
        note(entryVersion);
    }

    /** Takes an entry of a layer. */
    public void take(int kind, byte[] array, int from, int count, long entryVersion) {
        switch (kind) {
            case Kind.PUT -> put(array, from, count, entryVersion);
            case Kind.DELETE -> delete(entryVersion);
            case Kind.MERGE -> merge(array, from, count, entryVersion);
            case Kind.MERGES -> merges(array, from, count, entryVersion);
            default -> throw new IllegalStateException("no kind of an entry: " + kind);
        }
    }

    private List<byte[]> operands() {
        List<byte[]> known = operands;
        if (known == null) {
            known = new ArrayList<>();
            operands = known;
        }
        return known;
    }

    /** The newest entry of a key is met first. */
    private void note(long entryVersion) {
        if (version == 0) {
            version = entryVersion;
        }
    }

    /** Returns whether there are operands, so that the base has to be of the same moment. */
    public boolean hasOperands() {
        return operands != null;
    }

    /** Returns whether the key has a value. */
    public boolean isPresent() {
        return operands != null || state == Kind.PUT;
    }

    /** Returns the version of the newest entry that was found, or 0. */
    public long version() {
        return version;
    }

    /** Applies operands that were found to the value below them. */
    public void resolve(Resolver resolver) throws IOException {
        if (operands != null) {
            byte[] value = resolver.resolve(key, base(), operands);
            source = value;
            offset = 0;
            length = value.length;
            state = Kind.PUT;
            operands = null;
        }
    }

    private byte @Nullable [] base() {
        return state == Kind.PUT && source != null ? Arrays.copyOfRange(source, offset, offset + length) : null;
    }

    /** Returns a copy of the value, or null if there is none; operands have been applied before. */
    public byte @Nullable [] value() {
        return base();
    }

    /** Returns the length of the value, or -1. */
    public int length() {
        return state == Kind.PUT ? length : -1;
    }

    /** Returns the array that has the value. */
    public byte @Nullable [] source() {
        return source;
    }

    /** Returns where the value begins. */
    public int offset() {
        return offset;
    }
}
