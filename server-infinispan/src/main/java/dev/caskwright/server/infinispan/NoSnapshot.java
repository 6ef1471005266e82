package dev.caskwright.server.infinispan;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Snapshot;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Shows the keys of a node as they are, for walks: a cache has no snapshots. */
final class NoSnapshot implements Snapshot {
    private final LocalKeys keys;

    NoSnapshot(LocalKeys keys) {
        this.keys = keys;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return keys.get(key);
    }

    @Override
    public boolean contains(byte[] key) {
        return keys.contains(key);
    }

    @Override
    public @Nullable Entry entry(byte[] key) {
        return keys.entry(key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        keys.visit(visitor);
    }

    @Override
    public Cursor cursor() {
        return keys.cursor();
    }

    @Override
    public long version() {
        return Entry.NO_VERSION;
    }

    @Override
    public void close() {}
}
