package dev.caskwright.server.cluster;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Who has which slots of a cluster at one moment, as one of its nodes sees it. Immutable. */
public final class ClusterView {
    private final long epoch;
    private final ClusterNode self;
    private final List<ClusterNode> nodes;
    private final List<SlotRange> ranges;
    private final @Nullable SlotRange[] bySlot = new SlotRange[HashSlot.SLOTS];
    private final BitSet own = new BitSet(HashSlot.SLOTS);
    private int servedSlots;

    /**
     * Makes a view.
     *
     * @param epoch a number that grows with each change; clients are shown it
     * @param self which node sees this, one of {@code nodes}
     * @param nodes all nodes that are there
     * @param ranges who has which slots, in any order; slots in none of them have nobody
     * @throws IllegalArgumentException if two ranges overlap, or one names a node that is not among {@code nodes}
     */
    public ClusterView(long epoch, ClusterNode self, List<ClusterNode> nodes, List<SlotRange> ranges) {
        this.epoch = epoch;
        this.self = self;
        this.nodes = List.copyOf(nodes);
        this.ranges = merged(ranges);
        check(self);
        for (SlotRange range : this.ranges) {
            range.replicas().forEach(this::check);
            ClusterNode master = range.master();
            if (master != null) {
                check(master);
                servedSlots += range.last() - range.first() + 1;
            }
            for (int slot = range.first(); slot <= range.last(); slot++) {
                bySlot[slot] = range;
            }
            own.set(range.first(), range.last() + 1, self.equals(master));
        }
    }

    private void check(ClusterNode node) {
        if (!nodes.contains(node)) {
            throw new IllegalArgumentException("not one of the nodes of the cluster: " + node + ", nodes=" + nodes);
        }
    }

    /** Makes one of what is beside each other and has the same nodes. */
    private static List<SlotRange> merged(List<SlotRange> ranges) {
        List<SlotRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingInt(SlotRange::first));
        List<SlotRange> merged = new ArrayList<>();
        for (SlotRange range : sorted) {
            SlotRange before = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (before != null && range.first() <= before.last()) {
                throw new IllegalArgumentException("ranges of slots overlap: " + before + ", " + range);
            }
            if (before != null
                    && range.first() == before.last() + 1
                    && Objects.equals(range.master(), before.master())
                    && range.replicas().equals(before.replicas())) {
                merged.set(
                        merged.size() - 1,
                        new SlotRange(before.first(), range.last(), range.master(), range.replicas()));
            } else {
                merged.add(range);
            }
        }
        return List.copyOf(merged);
    }

    /** Returns a number that grows with each change. */
    public long epoch() {
        return epoch;
    }

    /** Returns which node sees this. */
    public ClusterNode self() {
        return self;
    }

    /** Returns all nodes. */
    public List<ClusterNode> nodes() {
        return nodes;
    }

    /** Returns who has which slots, in the order of the slots; what is beside each other has different nodes. */
    public List<SlotRange> ranges() {
        return ranges;
    }

    /** Returns whether this node is the master of a slot. */
    public boolean isOwn(int slot) {
        return own.get(slot);
    }

    /** Returns who has a slot, or null if nobody has. */
    public @Nullable SlotRange range(int slot) {
        return bySlot[slot];
    }

    /** Returns how many slots have a master. */
    public int servedSlots() {
        return servedSlots;
    }

    @Override
    public String toString() {
        return "epoch=" + epoch + ", self=" + self + ", " + ranges;
    }
}
