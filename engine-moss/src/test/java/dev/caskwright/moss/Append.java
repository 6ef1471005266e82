package dev.caskwright.moss;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Appends operands to the value: a result that shows the order and the number of the operands. Joins those of even
 * length.
 */
final class Append implements MergeOperator {
    @Override
    public String name() {
        return "append";
    }

    @Override
    public byte[] merge(byte[] key, byte @Nullable [] base, List<byte[]> operands) {
        byte[] value = base == null ? new byte[0] : base;
        for (byte[] operand : operands) {
            value = join(value, operand);
        }
        return value;
    }

    @Override
    public byte @Nullable [] mergePartially(byte[] key, byte[] older, byte[] newer) {
        return older.length % 2 == 0 ? join(older, newer) : null;
    }

    static byte[] join(byte[] left, byte[] right) {
        byte[] both = new byte[left.length + right.length];
        System.arraycopy(left, 0, both, 0, left.length);
        System.arraycopy(right, 0, both, left.length, right.length);
        return both;
    }
}
