package dev.caskwright.benchmarks;

import java.util.OptionalDouble;

/**
 * One figure that the project wants to reach, with what a run gave.
 *
 * @param work what is done
 * @param ours which of our combinations did it
 * @param target what it is measured against, with the bound: "at least 3 × LMDB"
 * @param bound the least value, or the greatest
 * @param isLeast whether {@code bound} is a lower bound
 * @param value what the run gave, in the unit of the bound; empty if not measured
 * @param unit unit of bound and value: {@code ×}, {@code ms}
 */
record Figure(
        String work, String ours, String target, double bound, boolean isLeast, OptionalDouble value, String unit) {
    /** Whether a figure was reached. */
    enum Verdict {
        REACHED("reached"),
        NOT_REACHED("not reached"),
        NOT_MEASURED("not measured");

        private final String words;

        Verdict(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    Verdict verdict() {
        if (value.isEmpty()) {
            return Verdict.NOT_MEASURED;
        }
        boolean holds = isLeast ? value.getAsDouble() >= bound : value.getAsDouble() <= bound;
        return holds ? Verdict.REACHED : Verdict.NOT_REACHED;
    }
}
