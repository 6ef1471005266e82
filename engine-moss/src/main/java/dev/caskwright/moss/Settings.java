package dev.caskwright.moss;

import dev.caskwright.api.Durability;
import java.time.InstantSource;
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
 * @param maxHeldKeyBytes the most that keys of a lower level without order may take
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
        boolean hasThreads,
        boolean isReadOnly,
        int keptCheckpoints,
        InstantSource clock) {}
