package dev.caskwright.moss;

import dev.caskwright.moss.memory.Keys;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.Probe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Turns the operations of a batch into writes: gives keys the prefix of their collection, makes collections that are
 * missing, and deletes those that are to go with all their children. Used under the store's lock.
 */
final class BatchPlan {
    private static final byte[] NOTHING = {};
    private static final int UNKNOWN = -1;
    private static final int MISSING = -2;

    private final Store store;

    // Of the batch at hand: what it has changed of the entries that the engine keeps itself.
    private final TreeMap<byte[], byte[]> changed = new TreeMap<>(Arrays::compareUnsigned);
    private int[] numbers = new int[0];
    private boolean isOperatorNoted;

    BatchPlan(Store store) {
        this.store = store;
    }

    /** Forgets what was read before: the store has another content from now on. */
    void forgetContent() {
        isOperatorNoted = false;
    }

    void fill(MossBatch batch, Operations operations) throws IOException {
        MossBatch root = batch.part(0);
        changed.clear();
        numbers = new int[root.parts()];
        forgetNumbers();
        if (root.hasOperands()) {
            noteOperator(operations);
        }
        root.visit((kind, part, source, prefixOffset, keyLength, valueLength, isLast) ->
                add(operations, root.part(part), kind, source, prefixOffset, keyLength, valueLength));
    }

    private void forgetNumbers() {
        Arrays.fill(numbers, UNKNOWN);
        numbers[0] = 0;
    }

    private void add(
            Operations operations,
            MossBatch part,
            int kind,
            byte[] source,
            int prefixOffset,
            int keyLength,
            int valueLength)
            throws IOException {
        boolean isMaking = kind == Kind.PUT || kind == Kind.MERGE;
        int number = number(part, isMaking, operations);
        if (number == MISSING) {
            return; // there is nothing to delete
        }
        int prefixLength = number == 0 ? KeySpace.ROOT_PREFIX : KeySpace.CHILD_PREFIX;
        int keyOffset = prefixOffset + prefixLength;
        if (kind == MossBatch.DELETE_CHILD) {
            deleteChild(number, Arrays.copyOfRange(source, keyOffset, keyOffset + keyLength), operations);
            return;
        }
        if (number != 0) {
            KeySpace.putChildPrefix(source, prefixOffset, number);
        }
        int valueOffset = keyOffset + keyLength;
        if (kind == Kind.DELETE_RANGE) {
            byte[] prefix = KeySpace.prefix(number);
            byte[] to = valueLength == 0
                    ? endOf(prefix)
                    : KeySpace.key(prefix, Arrays.copyOfRange(source, valueOffset, valueOffset + valueLength));
            int fromEnd = prefixOffset + prefixLength + keyLength;
            if (Arrays.compareUnsigned(source, prefixOffset, fromEnd, to, 0, to.length) < 0) {
                operations.add(kind, source, prefixOffset, prefixLength + keyLength, to, 0, to.length);
            }
            return;
        }
        store.settings.checkStored(prefixLength + keyLength, valueLength);
        operations.add(kind, source, prefixOffset, prefixLength + keyLength, source, valueOffset, valueLength);
    }

    private static byte[] endOf(byte[] prefix) {
        byte[] end = Keys.endOfPrefix(prefix);
        if (end == null) {
            throw new IllegalStateException("prefix has no end: first=" + prefix[0]);
        }
        return end;
    }

    /**
     * Returns the number of the collection that a part is about, {@link #MISSING} if there is none and none is to be
     * made.
     */
    private int number(MossBatch part, boolean isMaking, Operations operations) throws IOException {
        int known = numbers[part.number()];
        MossBatch parent = part.parent();
        if (known >= 0 || parent == null || known == MISSING && !isMaking) {
            return known;
        }
        int parentNumber = number(parent, isMaking, operations);
        int number = MISSING;
        if (parentNumber != MISSING) {
            byte[] entry = KeySpace.childEntry(parentNumber, part.name());
            byte[] stored = read(entry);
            if (stored != null) {
                number = KeySpace.number(stored);
            } else if (isMaking) {
                number = nextNumber();
                write(KeySpace.NEXT_NUMBER, KeySpace.number(number + 1), operations);
                write(entry, KeySpace.number(number), operations);
            }
        }
        numbers[part.number()] = number;
        return number;
    }

    private int nextNumber() throws IOException {
        byte[] stored = read(KeySpace.NEXT_NUMBER);
        int number = stored == null ? 1 : KeySpace.number(stored);
        if (number == Integer.MAX_VALUE) {
            throw new MossException(
                    MossException.Reason.UNSUPPORTED,
                    "no numbers for further collections are left: made=" + (number - 1)
                            + "; copy the store into a new one");
        }
        return number;
    }

    private void deleteChild(int parent, byte[] name, Operations operations) throws IOException {
        byte[] entry = KeySpace.childEntry(parent, name);
        byte[] stored = read(entry);
        if (stored == null) {
            return;
        }
        changed.put(entry, NOTHING);
        operations.add(Kind.DELETE, entry, 0, entry.length, NOTHING, 0, 0);
        deleteContent(KeySpace.number(stored), operations);
        forgetNumbers();
    }

    private void deleteContent(int number, Operations operations) throws IOException {
        byte[] prefix = KeySpace.prefix(number);
        byte[] end = endOf(prefix);
        operations.add(Kind.DELETE_RANGE, prefix, 0, prefix.length, end, 0, end.length);
        SortedMap<byte[], byte[]> children = children(number);
        for (byte[] child : children.values()) {
            deleteContent(KeySpace.number(child), operations);
        }
        if (!children.isEmpty()) {
            byte[] entries = KeySpace.childEntry(number, NOTHING);
            byte[] entriesEnd = endOf(entries);
            operations.add(Kind.DELETE_RANGE, entries, 0, entries.length, entriesEnd, 0, entriesEnd.length);
        }
        for (byte[] entry : children.keySet()) {
            changed.put(entry, NOTHING);
        }
    }

    /** Returns the entries of a collection's children, as the batch sees them so far. */
    private SortedMap<byte[], byte[]> children(int number) throws IOException {
        SortedMap<byte[], byte[]> children = new TreeMap<>(Arrays::compareUnsigned);
        byte[] from = KeySpace.childEntry(number, NOTHING);
        byte[] to = endOf(from);
        View view = View.held(store);
        MergingCursor cursor = view.cursor(false);
        try {
            cursor.startAt(from);
            while (cursor.next() && cursor.compareKey(to) < 0) {
                children.put(cursor.key(), cursor.value());
            }
        } finally {
            cursor.close();
            view.stack.bottom.release();
        }
        for (var change : changed.subMap(from, to).entrySet()) {
            if (change.getValue().length == 0) {
                children.remove(change.getKey());
            } else {
                children.put(change.getKey(), change.getValue());
            }
        }
        return children;
    }

    private byte @Nullable [] read(byte[] key) throws IOException {
        byte[] mine = changed.get(key);
        if (mine != null) {
            return mine.length == 0 ? null : mine;
        }
        Probe probe = View.searchNow(store, key);
        return probe.value();
    }

    private void write(byte[] key, byte[] value, Operations operations) {
        changed.put(key, value);
        operations.add(Kind.PUT, key, 0, key.length, value, 0, value.length);
    }

    /** Notes the name of the operator with the first operand that is written, so that opening can ask for it. */
    void noteOperator(Operations operations) throws IOException {
        MergeOperator operator = store.resolver.operator();
        if (operator == null) {
            throw new MossException(
                    MossException.Reason.OPERATOR_MISSING,
                    "an operand needs a merge operator: open the store with one");
        }
        if (!isOperatorNoted) {
            byte[] name = operator.name().getBytes(StandardCharsets.UTF_8);
            isOperatorNoted =
                    Arrays.equals(name, View.searchNow(store, KeySpace.OPERATOR).value());
            if (!isOperatorNoted) {
                operations.add(Kind.PUT, KeySpace.OPERATOR, 0, KeySpace.OPERATOR.length, name, 0, name.length);
            }
        }
    }
}
