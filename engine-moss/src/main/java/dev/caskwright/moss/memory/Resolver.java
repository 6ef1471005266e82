package dev.caskwright.moss.memory;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Applies the merge operator of a store. */
public interface Resolver {
    /**
     * Returns the value of a key.
     *
     * @param base the value that the operands apply to, or null
     * @param newestFirst the operands
     */
    byte[] resolve(byte[] key, byte @Nullable [] base, List<byte[]> newestFirst) throws IOException;

    /** Returns the operands joined as far as the operator can, newest first. */
    List<byte[]> join(byte[] key, List<byte[]> newestFirst) throws IOException;
}
