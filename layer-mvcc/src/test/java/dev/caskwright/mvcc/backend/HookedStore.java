package dev.caskwright.mvcc.backend;

import java.io.IOException;
import java.io.OutputStream;

/**
 * A store that does something just before a view of it is opened, a value of a range is read, or a commit: what another thread might do
 * at that very moment, or a failure.
 */
public final class HookedStore implements OrderedStore {
    private final OrderedStore store;
    private Hook hook;
    private Hook valueHook;
    private Hook commitHook;
    private Hook committedHook;
    private boolean isFailing;

    /** What is done. */
    @FunctionalInterface
    public interface Hook {
        void run() throws IOException;
    }

    /** Wraps a store. */
    public HookedStore(OrderedStore store) {
        this.store = store;
    }

    /** Does something before the next view. */
    public void beforeNextView(Hook next) {
        hook = next;
    }

    /** Does something before each value that a cursor reads from now on; null for nothing. */
    public void beforeValues(Hook each) {
        valueHook = each;
    }

    /** Does something before the next commit, which fails as that does. */
    public void beforeNextCommit(Hook next) {
        commitHook = next;
    }

    /** Does something after the next commit, which fails as that does although it was done. */
    public void afterNextCommit(Hook next) {
        committedHook = next;
    }

    /** Lets commits fail from now on, or succeed. */
    public void failCommits(boolean fails) {
        isFailing = fails;
    }

    @Override
    public View openView() throws IOException {
        Hook now = hook;
        hook = null;
        if (now != null) {
            now.run();
        }
        return new HookedView(store.openView());
    }

    private final class HookedView implements View {
        private final View view;

        HookedView(View view) {
            this.view = view;
        }

        @Override
        public byte[] get(Bucket bucket, byte[] key) throws IOException {
            return view.get(bucket, key);
        }

        @Override
        public Cursor range(Bucket bucket, byte[] from, byte[] to, boolean descending) throws IOException {
            return new HookedCursor(view.range(bucket, from, to, descending));
        }

        @Override
        public void close() {
            view.close();
        }
    }

    private final class HookedCursor implements Cursor {
        private final Cursor cursor;

        HookedCursor(Cursor cursor) {
            this.cursor = cursor;
        }

        @Override
        public boolean next() throws IOException {
            return cursor.next();
        }

        @Override
        public byte[] key() {
            return cursor.key();
        }

        @Override
        public byte[] value() throws IOException {
            if (valueHook != null) {
                valueHook.run();
            }
            return cursor.value();
        }

        @Override
        public void close() {
            cursor.close();
        }
    }

    @Override
    public void commit(Changes changes) throws IOException {
        Hook now = commitHook;
        commitHook = null;
        if (now != null) {
            now.run();
        }
        if (isFailing) {
            throw new IOException("failed (simulated)");
        }
        store.commit(changes);
        Hook then = committedHook;
        committedHook = null;
        if (then != null) {
            then.run();
        }
    }

    @Override
    public long size() throws IOException {
        return store.size();
    }

    @Override
    public long sizeInUse() throws IOException {
        return store.sizeInUse();
    }

    @Override
    public void defragment() throws IOException {
        store.defragment();
    }

    @Override
    public void copyTo(OutputStream target) throws IOException {
        store.copyTo(target);
    }

    @Override
    public Throwable health() {
        return store.health();
    }

    @Override
    public void close() throws IOException {
        store.close();
    }
}
