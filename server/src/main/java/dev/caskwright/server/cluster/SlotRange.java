package dev.caskwright.server.cluster;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Slots that follow each other, and who has them.
 *
 * @param first the first slot, 0 to 16,383
 * @param last the last slot, not less than the first
 * @param master who executes commands on their keys, or null if nobody does at present: then they are answered {@code -CLUSTERDOWN}
 * @param replicas who has their keys too, and answers reads of clients that have said {@code READONLY}
 */
public record SlotRange(int first, int last, @Nullable ClusterNode master, List<ClusterNode> replicas) {
    public SlotRange {
        if (first < 0 || last < first || last >= HashSlot.SLOTS) {
            throw new IllegalArgumentException(
                    "slots out of range: first=" + first + ", last=" + last + ", allowed=0.." + (HashSlot.SLOTS - 1));
        }
        replicas = List.copyOf(replicas);
    }
}
