package dev.caskwright.api.spi.engine;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Facet;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.ValueReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A view of a store without one record of it, which its keeper has put there for itself: how far it has got, say. For keepers that show
 * the store to others. As safe for threads as what {@link #readCurrent} reads.
 */
public abstract class HidingView implements ReadView {
    /** A read of the view that is the current one. */
    @FunctionalInterface
    public interface Read<R> {
        /** Reads; null stands for what is absent. */
        @Nullable R of(ReadView view) throws IOException;
    }

    /** Opens a cursor over a view. */
    @FunctionalInterface
    public interface Opening {
        /** Opens it. */
        Cursor of(ReadView view) throws IOException;
    }

    /** Makes a view; subclasses say of what. */
    protected HidingView() {}

    /** Returns whether a key is that of the hidden record. There is one such key. */
    protected abstract boolean isHidden(byte[] key);

    /** Runs a read over the current view. */
    protected abstract <R> @Nullable R readCurrent(Read<R> read) throws IOException;

    /** Returns whether the view is in order. */
    protected abstract boolean isOrdered();

    /** Opens a cursor over the current view; it may have to keep that until it is closed. */
    protected Cursor open(Opening opening) throws IOException {
        Cursor cursor = readCurrent(opening::of);
        if (cursor == null) {
            throw new IllegalStateException("the store handed out no cursor");
        }
        return cursor;
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return isHidden(key) ? null : readCurrent(view -> view.get(key));
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        Integer length = isHidden(key) ? null : readCurrent(view -> view.get(key, target));
        return length == null ? ABSENT : length;
    }

    @Override
    public byte[] @Nullable [] getAll(byte[]... keys) throws IOException {
        byte[] @Nullable [] values = readCurrent(view -> view.getAll(keys));
        if (values == null) {
            throw new IllegalStateException("the store handed out no values");
        }
        for (int i = 0; i < keys.length; i++) {
            if (isHidden(keys[i])) {
                values[i] = null;
            }
        }
        return values;
    }

    @Override
    public <R> @Nullable R read(byte[] key, ValueReader<R> reader) throws IOException {
        return isHidden(key) ? null : readCurrent(view -> view.read(key, reader));
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return !isHidden(key) && Boolean.TRUE.equals(readCurrent(view -> view.contains(key)));
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return isHidden(key) ? null : readCurrent(view -> view.entry(key));
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        try (Cursor all = cursor()) {
            for (Entry entry = all.next(); entry != null; entry = all.next()) {
                if (!visitor.visit(entry)) {
                    return;
                }
            }
        }
    }

    @Override
    public Cursor cursor() throws IOException {
        return new HidingCursor(open(ReadView::cursor), Long.MAX_VALUE);
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        if (kind == OrderedView.class && isOrdered()) {
            OrderedView hiding = this::range;
            return Optional.of(kind.cast(hiding));
        }
        return ReadView.super.facet(kind);
    }

    /** Walks a range; the limit counts what is shown. */
    private Cursor range(Range range) throws IOException {
        long limit = range.limit();
        Range wider = range.limit(limit == Long.MAX_VALUE ? limit : limit + 1);
        return new HidingCursor(open(view -> view.ordered().range(wider)), limit);
    }

    /** Leaves out the hidden record. */
    private final class HidingCursor implements Cursor {
        private final Cursor all;
        private long left;

        HidingCursor(Cursor all, long limit) {
            this.all = all;
            this.left = limit;
        }

        @Override
        public @Nullable Entry next() throws IOException {
            if (left == 0) {
                return null;
            }
            Entry entry = all.next();
            if (entry != null && isHidden(entry.key())) {
                entry = all.next();
            }
            left--;
            return entry;
        }

        @Override
        public void close() {
            all.close();
        }
    }
}
