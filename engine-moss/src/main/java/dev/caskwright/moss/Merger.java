package dev.caskwright.moss;

import dev.caskwright.api.Retry;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.RangeSet;
import dev.caskwright.moss.memory.Segment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/*
 * Layers have tiers: up to four tables' bytes are tier 0, up to sixteen tier 1, and so on. When four neighbours of a
 * tier have gathered they are joined to one, which usually is of the next tier. So an entry is copied once for each
 * tier, and there are at most three layers of each and what came since.
 */
/** Joins layers above the base into larger ones. One merge runs at a time. */
final class Merger {
    private static final int FEWEST = 4;
    private static final int MOST_LAYERS = 24;
    private static final int CHECK_EVERY = 1024;

    private final Store store;
    private long wanted; // under the lock: full merges asked for
    private long done; // under the lock: the last one that was asked for before one finished
    private long merges; // under the lock
    private @Nullable Throwable failure; // under the lock: why full merges that were asked for last were given up
    private final Background background;

    Merger(Store store) {
        this.store = store;
        this.background = new Background(store, "merge", store::isClosed, new Work());
    }

    /** Asks for all layers above the base to become one; returns a ticket. Under the lock. */
    long wantAll() {
        store.work.signalAll();
        return ++wanted;
    }

    /** Returns the last ticket that was served. Under the lock. */
    long done() {
        return done;
    }

    long merges() {
        return merges;
    }

    /** Returns why the full merges that were asked for last were given up, or null. Under the lock. */
    @Nullable Throwable failure() {
        return failure;
    }

    /** Returns what is being tried again, or null. */
    @Nullable Retry trouble() {
        return background.trouble();
    }

    /** Merges as there is need until the store is closed. */
    void run() {
        background.run();
    }

    /** Nothing is lost by a failure: the layers stay as they are. An operator, or memory, may be there again later. */
    private final class Work implements Background.Work {
        @Override
        public boolean step() throws IOException {
            try {
                return Merger.this.step();
            } catch (Throwable e) {
                giveUpWanted(e);
                throw e;
            }
        }

        @Override
        public void await() throws InterruptedException {
            awaitNeed();
        }
    }

    private void giveUpWanted(Throwable cause) {
        store.lock.lock();
        try {
            failure = cause;
            done = wanted;
            store.progress.signalAll();
        } finally {
            store.lock.unlock();
        }
    }

    private void awaitNeed() throws InterruptedException {
        store.lock.lock();
        try {
            while (!store.isClosed() && wanted == done && pick(store.stack()) == null) {
                store.work.await();
            }
        } finally {
            store.lock.unlock();
        }
    }

    /** A run of neighbours. */
    private record Run(int from, int to) {}

    /** Merges once if there is need; returns whether there was. */
    boolean step() throws IOException {
        Run run;
        Stack stack;
        long ticket;
        store.lock.lock();
        try {
            ticket = wanted;
            boolean isForAll = ticket > done;
            if (isForAll) {
                store.seal();
            }
            stack = store.stack();
            run = isForAll ? new Run(0, stack.base) : pick(stack);
            if (run == null) {
                return false;
            }
            if (isForAll && isDoneAlready(stack)) {
                finish(ticket);
                return true;
            }
        } finally {
            store.lock.unlock();
        }
        Layer[] layers = Arrays.copyOfRange(stack.layers, run.from, run.to);
        Segment result = join(layers, run.to == stack.layers.length && !stack.bottom.isPersistent());
        store.lock.lock();
        try {
            Stack present = store.stack();
            if (isAboveBase(present, layers)) {
                store.become(present.merged(layers[0], layers.length, result));
            }
            merges++;
            if (ticket > done) {
                finish(ticket);
            }
            store.progress.signalAll();
            store.work.signalAll();
        } finally {
            store.lock.unlock();
        }
        return true;
    }

    private static boolean isDoneAlready(Stack stack) {
        return stack.base == 0 || stack.base == 1 && stack.layers[0] instanceof Segment;
    }

    private void finish(long ticket) {
        failure = null;
        done = ticket;
        store.progress.signalAll();
    }

    /** Returns whether the persister left these layers alone meanwhile. */
    private static boolean isAboveBase(Stack stack, Layer[] layers) {
        for (int i = 0; i < stack.base; i++) {
            if (stack.layers[i] == layers[layers.length - 1]) {
                return true;
            }
        }
        return false;
    }

    private @Nullable Run pick(Stack stack) {
        // Another engine is given a layer as one batch, so none may get too long for it.
        long most = store.settings.isOverEngine() ? store.settings.persistBytes() : Long.MAX_VALUE;
        if (stack.base > MOST_LAYERS && most == Long.MAX_VALUE) {
            return new Run(0, stack.base);
        }
        int from = 0;
        while (from < stack.base) {
            int tier = tier(stack.layers[from]);
            int to = from;
            long bytes = 0;
            while (to < stack.base && tier(stack.layers[to]) <= tier && bytes + stack.layers[to].bytes() <= most) {
                bytes += stack.layers[to].bytes();
                to++;
            }
            if (to - from >= FEWEST) {
                return new Run(from, to);
            }
            from = Math.max(to, from + 1);
        }
        return null;
    }

    private int tier(Layer layer) {
        int tier = 0;
        for (long bytes = 4 * store.settings.tableBytes(); bytes < layer.bytes() && tier < 16; bytes *= 4) {
            tier++;
        }
        return tier;
    }

    /** Joins layers, newest first. With nothing below them, what is deleted goes. */
    private Segment join(Layer[] layers, boolean isBottom) throws IOException {
        List<MergingCursor.Source> sources = new ArrayList<>();
        View.addLayers(sources, layers);
        RangeSet ranges = RangeSet.EMPTY;
        for (Layer layer : layers) {
            ranges = ranges.with(layer.ranges());
        }
        Segment.Builder builder = new Segment.Builder();
        MergingCursor cursor = new MergingCursor(sources, false, isBottom, store.resolver);
        cursor.start();
        while (cursor.next()) {
            add(builder, cursor);
            if (builder.count() % CHECK_EVERY == 0 && store.isClosed()) {
                throw new CancellationException("store is closed");
            }
        }
        Layer oldest = layers[layers.length - 1];
        return builder.build(
                isBottom ? RangeSet.EMPTY : ranges,
                oldest.firstVersion(),
                layers[0].lastVersion(),
                layers[0].endsBatch());
    }

    private void add(Segment.Builder builder, MergingCursor cursor) {
        int hash = (int) store.hash.hash(cursor.keySource(), cursor.keyOffset(), cursor.keyLength());
        builder.add(
                cursor.kind(),
                cursor.keySource(),
                cursor.keyOffset(),
                cursor.keyLength(),
                cursor.valueSource(),
                cursor.kind() == Kind.DELETE ? 0 : cursor.valueOffset(),
                cursor.valueLength(),
                cursor.version(),
                hash);
    }
}
