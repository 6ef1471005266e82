package dev.caskwright.server.raft;

import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.raft.Overlay;
import dev.caskwright.server.replication.ExecutionView;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The store as the commands of an entry see and change it: the store before the entry, and the changes of the entry so far. */
final class ReplayView extends ExecutionView {
    private final Overlay overlay;

    ReplayView(Overlay overlay) {
        this.overlay = overlay;
    }

    boolean isOver(Overlay other) {
        return overlay == other;
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) {
        overlay.put(key, value, options.expiresAtMillis(overlay.timeMillis()));
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return overlay.delete(key);
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) throws IOException {
        return overlay.expire(key, options.expiresAtMillis(overlay.timeMillis()));
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return overlay.get(key);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return overlay.contains(key);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return overlay.entry(key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        overlay.visit(visitor);
    }
}
