package dev.caskwright.bolt;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Range;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A walk over the entries of a bucket in the order of their keys, at one moment. */
final class BucketEntries implements Cursor {
    private final BucketView view;
    private final StatePin pin;
    private final Range range;
    private final Runnable onClose;
    private long left;
    private @Nullable BoltCursor cursor; // null until the first entry
    private boolean isAtEnd;
    private boolean isClosed;

    /** @param onClose gives back what the cursor alone holds */
    BucketEntries(BucketView view, StatePin pin, Range range, Runnable onClose) {
        this.view = view;
        this.pin = pin;
        this.range = range;
        this.onClose = onClose;
        this.left = range.limit();
    }

    @Override
    public @Nullable Entry next() throws IOException {
        if (isClosed) {
            throw new EngineClosedException("the cursor is closed");
        }
        BoltTransaction transaction = pin.enter();
        try {
            return isAtEnd || left == 0 ? null : walk(transaction);
        } finally {
            pin.leave();
        }
    }

    private @Nullable Entry walk(BoltTransaction transaction) throws IOException {
        BoltCursor at = cursor;
        boolean isThere;
        if (at == null) {
            at = view.bucket(transaction).cursor();
            cursor = at;
            isThere = start(at);
        } else {
            isThere = move(at);
        }
        for (; isThere; isThere = move(at)) {
            byte[] key = at.key();
            if (!range.isBeforeEnd(key)) {
                break;
            }
            byte[] value = at.value();
            if (value != null) {
                left--;
                return new Entry(key, value, Entry.NO_VERSION, Entry.NEVER);
            }
        }
        isAtEnd = true;
        return null;
    }

    private boolean move(BoltCursor at) throws IOException {
        return range.isDescending() ? at.previous() : at.next();
    }

    private boolean start(BoltCursor at) throws IOException {
        byte[] start = range.start();
        if (!range.isDescending()) {
            if (start == null) {
                return at.first();
            }
            return at.seek(start) && (range.isStartInclusive() || !at.isAt(start) || at.next());
        }
        if (start == null || !at.seek(start)) {
            return at.last();
        }
        return (at.isAt(start) && range.isStartInclusive()) || at.previous();
    }

    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            onClose.run();
        }
    }
}
