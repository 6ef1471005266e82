package dev.caskwright.raft;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Facet;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A view of a store without the node's own record. */
abstract class HidingView implements ReadView {
    /** A read of whichever view is the present one. */
    @FunctionalInterface
    interface Read<R> {
        @Nullable R of(ReadView view) throws IOException;
    }

    /** Runs a read over the present view. */
    abstract <R> @Nullable R read(Read<R> read) throws IOException;

    /** Returns whether the view is in order. */
    abstract boolean isOrdered();

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return Applied.isKey(key) ? null : read(view -> view.get(key));
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        if (Applied.isKey(key)) {
            return ABSENT;
        }
        Integer length = read(view -> view.get(key, target));
        return length == null ? ABSENT : length;
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return !Applied.isKey(key) && Boolean.TRUE.equals(read(view -> view.contains(key)));
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return Applied.isKey(key) ? null : read(view -> view.entry(key));
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
        return new HidingCursor(open(ReadView::cursor));
    }

    private Cursor open(Read<Cursor> opening) throws IOException {
        Cursor cursor = read(opening);
        if (cursor == null) {
            throw new IOException("the store handed out no cursor");
        }
        return cursor;
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
        return new HidingCursor(
                open(view -> view.ordered()
                        .range(range.limit(range.limit() == Long.MAX_VALUE ? Long.MAX_VALUE : range.limit() + 1))),
                range.limit());
    }

    /** Leaves out the node's own record. */
    private static final class HidingCursor implements Cursor {
        private final Cursor all;
        private long left;

        HidingCursor(Cursor all) {
            this(all, Long.MAX_VALUE);
        }

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
            if (entry != null && Applied.isKey(entry.key())) {
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
