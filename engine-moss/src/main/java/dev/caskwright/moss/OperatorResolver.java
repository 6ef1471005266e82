package dev.caskwright.moss;

import dev.caskwright.moss.memory.Resolver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Calls the user's operator with keys as the user knows them, and gives its failures a type. */
final class OperatorResolver implements Resolver {
    private final @Nullable MergeOperator operator;

    OperatorResolver(@Nullable MergeOperator operator) {
        this.operator = operator;
    }

    @Nullable MergeOperator operator() {
        return operator;
    }

    /** Refuses data that was written with another operator; its name is null if it has no operands. */
    void check(byte @Nullable [] stored) throws MossException {
        if (stored == null) {
            return;
        }
        String name = new String(stored, StandardCharsets.UTF_8);
        if (operator == null || !operator.name().equals(name)) {
            throw new MossException(
                    MossException.Reason.OPERATOR_MISSING,
                    "the data needs the merge operator that it was written with: name=" + name + ", given="
                            + (operator == null ? "none" : operator.name()));
        }
    }

    @Override
    public byte[] resolve(byte[] key, byte @Nullable [] base, List<byte[]> newestFirst) throws IOException {
        List<byte[]> oldestFirst = new ArrayList<>(newestFirst);
        Collections.reverse(oldestFirst);
        MergeOperator called = needed();
        byte[] value;
        try {
            value = called.merge(userKey(key), base, oldestFirst);
        } catch (RuntimeException e) {
            throw failed(called, e);
        }
        if (value == null) {
            throw failed(called, null);
        }
        return value;
    }

    @Override
    public List<byte[]> join(byte[] key, List<byte[]> newestFirst) throws IOException {
        MergeOperator called = needed();
        byte[] userKey = userKey(key);
        List<byte[]> joined = new ArrayList<>();
        byte[] newer = newestFirst.get(0);
        for (int i = 1; i < newestFirst.size(); i++) {
            byte[] older = newestFirst.get(i);
            byte @Nullable [] both;
            try {
                both = called.mergePartially(userKey, older, newer);
            } catch (RuntimeException e) {
                throw failed(called, e);
            }
            if (both == null) {
                joined.add(newer);
                newer = older;
            } else {
                newer = both;
            }
        }
        joined.add(newer);
        return joined;
    }

    private MergeOperator needed() throws MossException {
        if (operator == null) {
            throw new MossException(
                    MossException.Reason.OPERATOR_MISSING, "there are operands, and no merge operator was given");
        }
        return operator;
    }

    private static byte[] userKey(byte[] key) {
        int prefix = key[0] == KeySpace.ROOT ? KeySpace.ROOT_PREFIX : KeySpace.CHILD_PREFIX;
        return Arrays.copyOfRange(key, prefix, key.length);
    }

    private static MossException failed(MergeOperator operator, @Nullable RuntimeException cause) {
        return new MossException(
                MossException.Reason.OPERATOR_FAILED,
                "merge operator failed: name=" + operator.name() + (cause == null ? ", result=null" : ""),
                cause);
    }
}
