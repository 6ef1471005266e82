package dev.caskwright.moss;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Computes the value of a key from operands that were written for it, as in counters, sets or appended lists. An
 * operator must give the same result for the same input whenever it is asked: it is called when keys are read and when
 * layers are merged, by any thread, and more than once. What it throws fails the read; a merge or a persist step that
 * it fails is tried again, and nothing is lost.
 */
public interface MergeOperator {
    /**
     * Returns the operator's name, 1 to 255 bytes of UTF-8, never changed: a store that has operands needs the operator
     * of that name when it is opened.
     */
    String name();

    /**
     * Returns the value of a key.
     *
     * @param base the value that the operands apply to, or null if there is none
     * @param operands the operands, oldest first, at least one
     */
    byte[] merge(byte[] key, byte @Nullable [] base, List<byte[]> operands);

    /**
     * Joins two operands that follow each other into one that has the same effect on any base, or returns null if that
     * cannot be done without the base.
     */
    default byte @Nullable [] mergePartially(byte[] key, byte[] older, byte[] newer) {
        return null;
    }
}
