package dev.caskwright.moss;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.LayerCursor;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A walk over an ordered lower level, in the direction in which it was last sent. */
final class EngineCursor extends LayerCursor {
    private final Snapshot snapshot;
    private @Nullable Cursor entries;

    EngineCursor(Snapshot snapshot) {
        this.snapshot = snapshot;
    }

    private boolean open(Range range) throws IOException {
        close();
        entries = snapshot.ordered().range(range);
        return step();
    }

    private boolean step() throws IOException {
        Entry entry = entries == null ? null : entries.next();
        if (entry == null) {
            return false;
        }
        keySource = entry.key();
        keyOffset = 0;
        keyLength = keySource.length;
        valueSource = entry.value();
        valueOffset = StoredValue.valueOffset(valueSource);
        valueLength = valueSource.length - valueOffset;
        version = StoredValue.version(valueSource);
        kind = Kind.PUT;
        return true;
    }

    @Override
    public boolean first() throws IOException {
        return open(Range.all());
    }

    @Override
    public boolean last() throws IOException {
        return open(Range.all().descending(true));
    }

    @Override
    public boolean atOrAfter(byte[] key) throws IOException {
        return open(Range.all().from(key, true));
    }

    @Override
    public boolean before(byte[] key) throws IOException {
        return open(Range.all().to(key, false).descending(true));
    }

    @Override
    public boolean next() throws IOException {
        return step();
    }

    @Override
    public boolean previous() throws IOException {
        return step();
    }

    @Override
    public void close() {
        if (entries != null) {
            entries.close();
            entries = null;
        }
    }
}
