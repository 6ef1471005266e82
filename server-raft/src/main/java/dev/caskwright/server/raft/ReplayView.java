package dev.caskwright.server.raft;

import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.raft.Overlay;
import dev.caskwright.server.replication.ExecutionView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The store as the commands of an entry see and change it: the store before the entry, and the changes of the entry so far. */
final class ReplayView extends ExecutionView {
    private final ReadView before;
    private final Overlay overlay;
    private long index = -1;

    /** The keys that the entry has changed so far. */
    private final Map<ByteBuffer, byte[]> touched = new LinkedHashMap<>();

    ReplayView(ReadView before, Overlay overlay) {
        this.before = before;
        this.overlay = overlay;
    }

    boolean isOver(Overlay other) {
        return overlay == other;
    }

    /** Begins a command. */
    void begin() {
        if (overlay.index() != index) {
            index = overlay.index();
            touched.clear();
        }
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) {
        touched.put(ByteBuffer.wrap(key), key);
        overlay.put(key, value, options.expiresAtMillis(overlay.timeMillis()));
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        touched.put(ByteBuffer.wrap(key), key);
        return overlay.delete(key);
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) throws IOException {
        touched.put(ByteBuffer.wrap(key), key);
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
        boolean[] goesOn = {true};
        before.visit(entry -> touched.containsKey(ByteBuffer.wrap(entry.key())) || (goesOn[0] = visitor.visit(entry)));
        for (byte[] key : touched.values()) {
            Entry entry = goesOn[0] ? overlay.entry(key) : null;
            if (entry != null) {
                goesOn[0] = visitor.visit(entry);
            }
        }
    }
}
