package dev.caskwright.moss;

import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.Probe;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What lies below the layers in memory, as it was at one moment. It is held by the stack and by each reader that is
 * under way, and gives back what it needs when the last one lets go. For any thread.
 */
abstract class Bottom {
    private final AtomicInteger holders = new AtomicInteger(1);

    /** Holds the bottom; returns false if it is gone, because the stack has another one by now. */
    final boolean acquire() {
        int count = holders.get();
        while (count > 0) {
            if (holders.compareAndSet(count, count + 1)) {
                return true;
            }
            count = holders.get();
        }
        return false;
    }

    /** Lets go. */
    final void release() {
        int left = holders.decrementAndGet();
        if (left < 0) {
            throw new IllegalStateException("bottom was let go more often than it was held: holders=" + left);
        }
        if (left == 0) {
            dispose();
        }
    }

    /** Gives back what is held. */
    abstract void dispose();

    /** Returns whether there is something below, so that layers can be written to it. */
    abstract boolean isPersistent();

    /** Returns the last version that is below. */
    abstract long version();

    /** Adds to a search what is below. */
    abstract void search(Probe probe) throws IOException;

    /** Adds cursors over what is below, newest first. */
    abstract void addSources(List<MergingCursor.Source> sources) throws IOException;

    /**
     * Writes layers, so that they survive a power loss when this returns. If it throws, they are not below, unless the
     * error is an {@link dev.caskwright.api.EngineFailedException}: then nobody knows.
     *
     * @param newestFirst what is to be written
     * @param version the last version in them
     * @return what opens the state below that has them; this one is held and let go by others as before
     */
    abstract Landing persist(List<Layer> newestFirst, long version) throws IOException;

    /**
     * Layers that are below, and are not seen there yet. It is made before they are written, so that what comes
     * afterwards can fail and be done again: to write the layers twice would apply their operands twice.
     */
    abstract static class Landing {
        /** The last version in the layers. */
        final long version;

        Landing(long version) {
            this.version = version;
        }

        /** Returns what is below, with the layers, held for the caller. If this fails, it may be called again. */
        abstract Bottom open() throws IOException;
    }

    /** Nothing below. */
    static final class Nothing extends Bottom {
        @Override
        void dispose() {}

        @Override
        boolean isPersistent() {
            return false;
        }

        @Override
        long version() {
            return 0;
        }

        @Override
        void search(Probe probe) {}

        @Override
        void addSources(List<MergingCursor.Source> sources) {}

        @Override
        Landing persist(List<Layer> newestFirst, long version) {
            throw new IllegalStateException("nothing is below");
        }
    }
}
