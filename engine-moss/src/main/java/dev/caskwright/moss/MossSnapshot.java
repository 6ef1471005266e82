package dev.caskwright.moss;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.moss.memory.Probe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A store as it was at one moment. Opening one takes a pointer and copies nothing; while it is open, the layers that it
 * shows stay in memory, and files that it may need stay on disk. Safe for any number of threads; the caller closes it,
 * and closing it twice is fine. Closing the engine closes it.
 */
public final class MossSnapshot implements Snapshot, MossView, OrderedView {
    private final Store store;
    private final View view;
    private final Runnable holder = this::close;
    private final CollectionView root = new CollectionView(new ViewSource() {
        @Override
        public View hold() throws EngineClosedException {
            return MossSnapshot.this.hold();
        }

        @Override
        public boolean isOpen() {
            return MossSnapshot.this.store.holders.contains(holder);
        }
    });

    /** Makes a snapshot of a view whose bottom is held for it; closing lets go of it. */
    MossSnapshot(Store store, View view) {
        this.store = store;
        this.view = view;
        store.holders.add(holder);
        if (store.isClosed()) {
            close();
        }
    }

    private View hold() throws EngineClosedException {
        // The engine's own hold is taken for the call, so that a close that comes meanwhile takes nothing away.
        if (!store.holders.contains(holder) || !view.stack.bottom.acquire()) {
            throw new EngineClosedException("snapshot or its engine is closed");
        }
        return view;
    }

    private Probe search(byte[] key) throws IOException {
        View held = hold();
        try {
            return held.search(key);
        } finally {
            held.stack.bottom.release();
        }
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return EntryReads.get(this::search, key, target);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return EntryReads.contains(this::search, key);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return EntryReads.entry(this::search, key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        EntryReads.visit(root, visitor);
    }

    @Override
    public Cursor cursor() throws IOException {
        return range(Range.all());
    }

    @Override
    public Cursor range(Range range) throws IOException {
        return EntryReads.cursor(iterator(range));
    }

    @Override
    public long version() {
        return view.version;
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return root.get(key);
    }

    @Override
    public MossIterator iterator(Range range) throws IOException {
        return root.iterator(range);
    }

    @Override
    public MossView child(String name) {
        return root.child(name);
    }

    @Override
    public boolean exists() throws IOException {
        return root.exists();
    }

    @Override
    public List<String> childNames() throws IOException {
        return root.childNames();
    }

    @Override
    public void close() {
        if (store.holders.remove(holder)) {
            view.stack.bottom.release();
        }
    }
}
