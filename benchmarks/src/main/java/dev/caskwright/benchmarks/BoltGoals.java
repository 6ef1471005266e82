package dev.caskwright.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the bolt comparison is to show, and whether it did. */
final class BoltGoals {
    /** The store that is judged. */
    private static final String OURS = "bolt";

    /** What an entry takes in a leaf: element, key, value. */
    private static final long ENTRY_BYTES = 16 + 16 + BoltWork.VALUE_LENGTH;

    private static final List<Goal> GOALS = List.of(
            atLeast("get", 2, "bbolt", "get"),
            atLeast("get", 0.8, "lmdb", "get"),
            atLeast("scan-in-place", 0.8, "bbolt", "scan-in-place"),
            atLeast("scan-copied", 1, "lmdb", "scan-copied"),
            atLeast("load-random", 2, "bbolt", "load-random"),
            atLeast("load-random", 1, "mvstore", "load-random"),
            atLeast("load-random", 1, "xodus", "load-random"),
            atLeast("load-in-order", 1, "bbolt", "load-in-order"),
            atLeast("commit", 2, "bbolt", "commit"),
            atLeast("batch-forced-64", 10, "bbolt", "commit-forced"),
            atLeast("batch-forced-64", 1, "bbolt", "batch-forced-64"),
            atMost("commit-bytes", 1, "bbolt", "commit-bytes"),
            atMost("size-after-load", 1, "bbolt", "size-after-load"),
            atMost("size-after-overwriting", 1, "bbolt", "size-after-overwriting"),
            atLeast("load-beside-a-reader", 0.8, OURS, "load-beside-no-reader"));

    private BoltGoals() {}

    /**
     * One goal.
     *
     * @param figure the figure of ours
     * @param factor what the ratio to the other figure must be
     * @param isLeast whether it is at least that, otherwise at most
     * @param store whose the other figure is
     * @param other the other figure
     */
    private record Goal(String figure, double factor, boolean isLeast, String store, String other) {}

    private static Goal atLeast(String figure, double factor, String store, String other) {
        return new Goal(figure, factor, true, store, other);
    }

    private static Goal atMost(String figure, double factor, String store, String other) {
        return new Goal(figure, factor, false, store, other);
    }

    /**
     * Returns a Markdown table of the goals.
     *
     * @param medians by figure, then by store
     * @param small keys of the smaller parts
     */
    static String table(Map<String, Map<String, Double>> medians, long small) {
        StringBuilder text = new StringBuilder("| goal | found | |\n| --- | --- | --- |\n");
        for (Goal goal : GOALS) {
            Double mine = value(medians, goal.figure, OURS);
            Double others = value(medians, goal.other, goal.store);
            if (mine != null && others != null) {
                String wanted = String.format(
                        Locale.ROOT,
                        "%s %s %.2f × %s of %s",
                        goal.figure,
                        goal.isLeast ? "≥" : "≤",
                        goal.factor,
                        goal.other,
                        goal.store);
                boolean isReached = goal.isLeast ? mine >= goal.factor * others : mine <= goal.factor * others;
                row(text, wanted, mine / others, isReached, limit(medians, goal, others));
            }
        }
        double data = (double) small * ENTRY_BYTES;
        Double compacted = value(medians, "size-after-compaction", OURS);
        if (compacted != null) {
            row(text, "size-after-compaction ≤ 1.10 × the entries", compacted / data, compacted <= 1.1 * data, "");
        }
        Double forces = value(medians, "commit-forces", OURS);
        if (forces != null) {
            row(text, "commit-forces ≤ 2, those of bbolt's source", forces, forces <= 2, "");
        }
        return text.toString();
    }

    private static void row(StringBuilder text, String wanted, double found, boolean isReached, String limit) {
        String verdict = isReached ? "reached" : "**missed**" + limit;
        text.append(String.format(Locale.ROOT, "| %s | %.2f | %s |%n", wanted, found, verdict));
    }

    /** Returns the limit of a figure that was measured in the same run, as a ratio like that of the goal. */
    private static String limit(Map<String, Map<String, Double>> medians, Goal goal, double others) {
        Double limit = value(medians, goal.figure + "-limit", OURS);
        return limit == null ? "" : String.format(Locale.ROOT, "; the limit is %.2f", limit / others);
    }

    private static @Nullable Double value(Map<String, Map<String, Double>> medians, String figure, String store) {
        Map<String, Double> byStore = medians.get(figure);
        return byStore == null ? null : byStore.get(store);
    }
}
