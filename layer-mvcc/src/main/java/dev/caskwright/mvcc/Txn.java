package dev.caskwright.mvcc;

import java.util.List;

/**
 * Compares, then does one list of operations if all comparisons hold, else another, as one step with one revision. Immutable.
 */
public record Txn(List<Comparison> comparisons, List<Operation> then, List<Operation> otherwise) {
    /** Keeps copies of the lists. */
    public Txn {
        comparisons = List.copyOf(comparisons);
        then = List.copyOf(then);
        otherwise = List.copyOf(otherwise);
    }
}
