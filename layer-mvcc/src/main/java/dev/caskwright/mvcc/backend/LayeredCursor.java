package dev.caskwright.mvcc.backend;

import dev.caskwright.mvcc.map.MapCursor;
import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Walks over a store's cursor with overlays on top of it: of a key that several have, the uppermost counts. */
final class LayeredCursor implements OrderedStore.Cursor {
    private final OrderedStore.Cursor base;
    private final Layer[] layers; // the uppermost first
    private final int direction; // 1 ascending, -1 descending
    private boolean isBaseThere;
    private boolean isStarted;
    private byte[] key = Overlay.REMOVED;
    private byte @Nullable [] value; // null if it is the base's

    private static final class Layer {
        final MapCursor<byte[]> cursor;
        boolean isThere;

        Layer(MapCursor<byte[]> cursor, boolean isThere) {
            this.cursor = cursor;
            this.isThere = isThere;
        }
    }

    private final byte @Nullable [] end; // the first key that no longer belongs to the walk, in its direction

    LayeredCursor(
            OrderedStore.Cursor base,
            PersistentMap<byte[]>[] overlays,
            byte @Nullable [] from,
            byte @Nullable [] to,
            boolean descending) {
        this.base = base;
        this.direction = descending ? -1 : 1;
        this.end = descending ? from : to;
        this.layers = new Layer[overlays.length];
        for (int i = 0; i < layers.length; i++) {
            MapCursor<byte[]> cursor = overlays[i].cursor();
            layers[i] = new Layer(cursor, descending ? cursor.seekBefore(to) : cursor.seek(from));
            checkEnd(layers[i]);
        }
    }

    private void checkEnd(Layer layer) {
        if (layer.isThere && end != null) {
            int order = layer.cursor.compareTo(end);
            layer.isThere = direction > 0 ? order < 0 : order >= 0;
        }
    }

    @Override
    public boolean next() throws IOException {
        if (!isStarted) {
            isStarted = true;
            isBaseThere = base.next();
        } else if (value == null && isBaseThere) {
            isBaseThere = base.next();
        }
        while (true) {
            byte[] least = isBaseThere ? base.key() : null;
            byte[] upper = null;
            for (Layer layer : layers) {
                if (layer.isThere) {
                    int order = least == null ? -1 : direction * layer.cursor.compareTo(least);
                    if (order < 0 || (order == 0 && upper == null)) {
                        least = layer.cursor.key();
                        upper = layer.cursor.value();
                    }
                }
            }
            if (least == null) {
                return false;
            }
            if (upper == null) {
                key = least;
                value = null;
                return true;
            }
            skip(least);
            if (upper != Overlay.REMOVED) {
                key = least;
                value = upper;
                return true;
            }
        }
    }

    /** Moves everything that is at a key on. */
    private void skip(byte[] passed) throws IOException {
        if (isBaseThere && Arrays.equals(base.key(), passed)) {
            isBaseThere = base.next();
        }
        for (Layer layer : layers) {
            if (layer.isThere && layer.cursor.compareTo(passed) == 0) {
                layer.isThere = direction > 0 ? layer.cursor.next() : layer.cursor.previous();
                checkEnd(layer);
            }
        }
    }

    @Override
    public byte[] key() {
        return key;
    }

    @Override
    public byte[] value() throws IOException {
        byte[] own = value;
        return own != null ? own : base.value();
    }

    @Override
    public void close() {
        base.close();
    }
}
