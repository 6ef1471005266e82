package dev.caskwright.index.btree;

import dev.caskwright.api.spi.index.KeyIndex;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Copies a tree into a new one without its empty nodes, a few keys at a time. For the writer only.
 *
 * <p>What has been copied, all keys up to {@link #reached}, is kept equal in both trees; what lies above exists in the
 * source alone. So the target is complete as soon as nothing lies above.
 */
final class Rebuild {
    private final Tree source;
    private final Tree target;
    private final int keysPerStep;
    private byte @Nullable [] reached;
    private volatile long copied;

    Rebuild(Tree source, Tree target, int keysPerStep) {
        this.source = source;
        this.target = target;
        this.keysPerStep = keysPerStep;
    }

    Tree target() {
        return target;
    }

    /** Returns about how many keys the target has. */
    long copied() {
        return copied;
    }

    /** Makes a change, which the source has seen, in the target too if it belongs there. */
    void apply(byte[] key, long locator) {
        byte[] limit = reached;
        if (limit == null || Arrays.compareUnsigned(key, limit) > 0) {
            return;
        }
        if (locator == KeyIndex.ABSENT) {
            target.map().remove(key);
        } else {
            target.map().put(key, locator);
        }
    }

    /** Copies the next keys; returns whether the target is complete. */
    boolean step() {
        // A new iterator each time: one that is older than the last change might still see what was there before.
        Iterator<Map.Entry<Object, Long>> entries = source.ascending(reached, false);
        long before = copied;
        long after = before;
        while (after - before < keysPerStep && entries.hasNext()) {
            Map.Entry<Object, Long> entry = entries.next();
            byte[] key = (byte[]) entry.getKey();
            target.map().put(key, entry.getValue());
            reached = key;
            after++;
        }
        copied = after;
        return !entries.hasNext();
    }
}
