package dev.caskwright.moss;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MemTable;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.Probe;
import dev.caskwright.moss.memory.RangeSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A stack and the last version of its active table that is to be seen: all that a reader needs. Immutable. */
final class View {
    final Store store;
    final Stack stack;
    final long version;

    private View(Store store, Stack stack) {
        this.store = store;
        this.stack = stack;
        this.version = stack.active.visible();
    }

    /** Returns a state with nothing above what is below. */
    static View over(Store store, Bottom bottom) {
        return new View(store, Stack.empty(new MemTable(RangeSet.EMPTY, bottom.version()), bottom));
    }

    /** Returns the present state, whose bottom is not held. */
    static View now(Store store) {
        return new View(store, store.stack());
    }

    /** Returns the present state with its bottom held. */
    static View held(Store store) throws EngineClosedException {
        while (true) {
            store.ensureOpen();
            View view = now(store);
            if (view.stack.bottom.acquire()) {
                return view;
            }
            // The stack was replaced between the two looks: the next one has another bottom.
        }
    }

    /** Searches the layers in memory, and then what is below, which must be held. */
    Probe search(byte[] key) throws IOException {
        Probe probe = new Probe(key, store.hash(key));
        searchMemory(probe);
        searchBelow(probe);
        return probe;
    }

    private void searchBelow(Probe probe) throws IOException {
        if (!probe.isDone()) {
            stack.bottom.search(probe);
        }
        probe.resolve(store.resolver);
    }

    /** Searches the layers in memory. */
    void searchMemory(Probe probe) throws IOException {
        stack.active.search(probe, version);
        Layer[] layers = stack.layers;
        for (int i = 0; i < layers.length && !probe.isDone(); i++) {
            layers[i].search(probe, layers[i].lastVersion());
        }
    }

    /** Returns the present entry of a key. */
    static Probe searchNow(Store store, byte[] key) throws IOException {
        while (true) {
            store.ensureOpen();
            View view = now(store);
            Probe probe = new Probe(key, store.hash(key));
            view.searchMemory(probe);
            if (probe.isDone()) {
                probe.resolve(store.resolver);
                return probe;
            }
            if (view.stack.bottom.acquire()) {
                try {
                    view.searchBelow(probe);
                    return probe;
                } finally {
                    view.stack.bottom.release();
                }
            }
            // The stack was replaced meanwhile, and its bottom is gone: the whole view is taken again.
        }
    }

    /** Returns a cursor over everything; what is below must be held. */
    MergingCursor cursor(boolean isDescending) throws IOException {
        List<MergingCursor.Source> sources = new ArrayList<>();
        sources.add(new MergingCursor.Source(stack.active.cursor(version), stack.active.ranges()));
        addLayers(sources, stack.layers);
        stack.bottom.addSources(sources);
        return new MergingCursor(sources, isDescending, true, store.resolver);
    }

    static void addLayers(List<MergingCursor.Source> sources, Layer[] layers) throws IOException {
        for (Layer layer : layers) {
            sources.add(new MergingCursor.Source(layer.cursor(layer.lastVersion()), layer.ranges()));
        }
    }
}
