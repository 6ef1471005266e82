package dev.caskwright.index.btree;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import kotlin.collections.LongIterator;
import org.jspecify.annotations.Nullable;
import org.mapdb.Serializer;
import org.mapdb.Store;

/**
 * Keeps the nodes of one tree as objects on the heap, found by number.
 *
 * <p>Written because the store that MapDB has for this guards every read with a lock that a writer holds, and its other
 * stores decode a node at every visit. Nodes never change: MapDB replaces a node by writing another one under its number.
 * So a read is one ordered load, and any number of readers may run beside the one writer.
 */
final class NodeStore implements Store {
    private static final int PAGE_BITS = 10;
    private static final int PAGE_SIZE = 1 << PAGE_BITS;
    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Object[].class);

    private volatile Object[][] pages = new Object[0][];
    private int count;

    /** Returns the number of nodes, and the two records beside them. For the writer, or as an estimate for others. */
    int count() {
        return count;
    }

    /** Returns the bytes of the pages, without what they point to. */
    long pageBytes() {
        return (long) pages.length * (16 + PAGE_SIZE * (long) BTreeKeyIndex.REFERENCE_BYTES);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <R> R get(long recid, Serializer<R> serializer) {
        int index = (int) recid - 1;
        return (R) SLOT.getAcquire(pages[index >>> PAGE_BITS], index & (PAGE_SIZE - 1));
    }

    @Override
    public <R> long put(R record, Serializer<R> serializer) {
        int index = count;
        if (index >>> PAGE_BITS == pages.length) {
            Object[][] grown = Arrays.copyOf(pages, pages.length + 1);
            grown[pages.length] = new Object[PAGE_SIZE];
            pages = grown;
        }
        count = index + 1;
        long recid = index + 1L;
        update(recid, record, serializer);
        return recid;
    }

    @Override
    public <R> void update(long recid, R record, Serializer<R> serializer) {
        int index = (int) recid - 1;
        SLOT.setRelease(pages[index >>> PAGE_BITS], index & (PAGE_SIZE - 1), record);
    }

    @Override
    public <R> boolean compareAndSwap(
            long recid, @Nullable R expectedOldRecord, R newRecord, Serializer<R> serializer) {
        if (!Objects.equals(get(recid, serializer), expectedOldRecord)) {
            return false;
        }
        update(recid, newRecord, serializer);
        return true;
    }

    @Override
    public long preallocate() {
        throw new UnsupportedOperationException("a tree writes a node when it makes it");
    }

    @Override
    public <R> void delete(long recid, Serializer<R> serializer) {
        throw new UnsupportedOperationException("a tree never gives a node back");
    }

    @Override
    public LongIterator getAllRecids() {
        throw new UnsupportedOperationException("a tree finds its nodes by itself");
    }

    @Override
    public Iterable<String> getAllFiles() {
        return List.of();
    }

    @Override
    public void commit() {}

    @Override
    public void compact() {}

    @Override
    public void close() {}

    @Override
    public void verify() {}

    @Override
    public boolean isClosed() {
        return false;
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public boolean fileLoad() {
        return false;
    }

    @Override
    public boolean isThreadSafe() {
        return false;
    }

    @Override
    public void checkThreadSafe() {
        throw new UnsupportedOperationException("one writer at a time");
    }
}
