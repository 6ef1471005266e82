package dev.caskwright.server.infinispan;

import dev.caskwright.server.cluster.HashSlot;
import org.infinispan.commons.marshall.WrappedByteArray;
import org.infinispan.configuration.cache.HashConfiguration;
import org.infinispan.distribution.ch.KeyPartitioner;

/**
 * Puts keys into segments by their slot of Redis Cluster: each segment is a range of slots that follow each other, so that who owns
 * the segment has the slots. Safe for any number of threads.
 */
public final class SlotPartitioner implements KeyPartitioner {
    private volatile int segments = 1;

    /** Called by Infinispan. */
    public SlotPartitioner() {}

    @Override
    public void init(HashConfiguration configuration) {
        segments = configuration.numSegments();
    }

    @Override
    public void init(KeyPartitioner other) {
        if (other instanceof SlotPartitioner partitioner && partitioner.segments > 1) {
            segments = partitioner.segments;
        }
    }

    @Override
    public int getSegment(Object key) {
        byte[] bytes = key instanceof WrappedByteArray wrapped ? wrapped.getBytes() : (byte[]) key;
        return segment(HashSlot.of(bytes), segments);
    }

    /** Returns the segment of a slot. */
    static int segment(int slot, int segments) {
        return (int) ((long) slot * segments / HashSlot.SLOTS);
    }

    /** Returns the first slot of a segment; that of the segment behind the last is the number of slots. */
    static int firstSlot(int segment, int segments) {
        return (int) (((long) segment * HashSlot.SLOTS + segments - 1) / segments);
    }
}
