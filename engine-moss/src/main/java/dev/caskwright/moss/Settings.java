package dev.caskwright.moss;

import dev.caskwright.api.Durability;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.moss.memory.LittleEndian;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a builder was told.
 *
 * @param tableBytes so long gets a memory table, about, before it is sealed
 * @param maxMemoryBytes the most that layers which are not yet written may take
 * @param cleanBytes the most that layers which are written, and kept, may take
 * @param persistBytes so much is written at once, about; and as soon as so much waits
 * @param persistMillis what is older than this is written even if it is little; 0 means never
 * @param writeDeadlineMillis how long a write waits for memory
 * @param isOverEngine whether another engine is below, whose limits hold for keys and values as they are stored there
 * @param maxHeldKeyBytes the most that keys of a lower level without order may take
 * @param threads makes the threads that merge, persist and compact; null leaves that to the caller
 */
record Settings(
        Durability durability,
        @Nullable MergeOperator operator,
        long tableBytes,
        long maxMemoryBytes,
        long cleanBytes,
        long persistBytes,
        long persistMillis,
        long writeDeadlineMillis,
        long maxHeldKeyBytes,
        boolean isOverEngine,
        @Nullable ThreadFactory threads,
        boolean isReadOnly,
        Retention retention,
        LongSupplier random) {

    boolean hasThreads() {
        return threads != null;
    }

    long writeDeadlineNanos() {
        return TimeUnit.MILLISECONDS.toNanos(writeDeadlineMillis);
    }

    /** Refuses a key, with what stands in front of it, or a value that the engine below cannot hold. */
    void checkStored(int keyLength, int valueLength) {
        if (!isOverEngine) {
            return;
        }
        if (keyLength > StorageEngine.MAX_KEY_LENGTH) {
            throw new IllegalArgumentException("key is too long for the lower level, which needs "
                    + KeySpace.CHILD_PREFIX + " bytes more of a child's and " + KeySpace.ROOT_PREFIX
                    + " of the root's: length=" + keyLength + ", limit=" + StorageEngine.MAX_KEY_LENGTH);
        }
        if (valueLength > StorageEngine.MAX_VALUE_LENGTH - LittleEndian.LONGEST) {
            throw new IllegalArgumentException("value is too long for the lower level: length=" + valueLength
                    + ", limit=" + (StorageEngine.MAX_VALUE_LENGTH - LittleEndian.LONGEST));
        }
    }
}
