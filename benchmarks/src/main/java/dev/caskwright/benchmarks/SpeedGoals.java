package dev.caskwright.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the comparison of speed and space is to show, and whether it did. */
final class SpeedGoals {
    private static final String HASHMAP = "hashmap-mmap";
    private static final String STANDARD = "hashmap-standard";
    private static final String SORTED = "sorted-mmap";
    private static final String BTREE = "btree-mmap";
    private static final String COMPACT = "compact-mmap";
    private static final String LMDB = "lmdb";
    private static final String ROCKSDB = "rocksdb";
    private static final String CHRONICLE = "chronicle";
    private static final double MEBIBYTE = 1 << 20;

    private static final List<Goal> GOALS = List.of(
            atLeast("range-10", SORTED, 1, LMDB),
            atLeast("range-100", SORTED, 0.7, LMDB),
            atLeast("range-1000", SORTED, 0.7, LMDB),
            atLeast("range-100-merged", SORTED, 1.2, LMDB),
            atLeast("range-1000-merged", SORTED, 1.2, LMDB),
            atLeast("range-100-merged", SORTED, 1, "mvstore"),
            atLeast("range-1000-merged", SORTED, 1, "mvstore"),
            atLeast("scan-in-order", SORTED, 1, LMDB),
            new Goal("scan", HASHMAP, 1.5, true, "scan-in-order", LMDB),
            atLeast("fill", SORTED, 0.6, HASHMAP),
            atLeast("get", SORTED, 0.7, HASHMAP),
            fixed("directory", HASHMAP, 1.30),
            fixed("directory", COMPACT, 1.30),
            fixed("growth-most", HASHMAP, 2.5),
            fixed("growth-most", STANDARD, 2.5),
            atMost("paced-100-p999-micros", HASHMAP, ROCKSDB),
            atMost("paced-100-p999-micros", STANDARD, ROCKSDB),
            atMost("paced-1024-p999-micros", HASHMAP, ROCKSDB),
            atMost("paced-1024-p999-micros", STANDARD, ROCKSDB),
            fixed("writers-p9999-micros", HASHMAP, 8_000),
            fixed("open-dead-millis", HASHMAP, 600),
            fixed("open-dead-millis", SORTED, 600),
            fixed("open-dead-millis", COMPACT, 600),
            fixed("open-dead-millis", BTREE, 600),
            fixed("reopen-millis", HASHMAP, 10),
            fixed("reopen-millis", SORTED, 50),
            fixed("reopen-millis", BTREE, 50),
            fixed("reopen-millis-large", HASHMAP, 60),
            fixed("close-millis-large", HASHMAP, 300),
            fixed("large-peak-mebibytes", HASHMAP, 2_662),
            fixed("heap-beside-index-bytes", HASHMAP, 8 * MEBIBYTE),
            atLeast("mix-5", HASHMAP, 1, CHRONICLE),
            atLeast("mix-50", HASHMAP, 0.8, CHRONICLE),
            atLeast("overwrite-64k", HASHMAP, 1.2, LMDB),
            atLeast("overwrite-64k", HASHMAP, 1, STANDARD),
            atLeast("overwrite-1024k", HASHMAP, 1.2, LMDB),
            atLeast("overwrite-1024k", HASHMAP, 1, STANDARD),
            new Goal("get-64", HASHMAP, 2.5, true, "get-single", HASHMAP),
            new Goal("forced-64", STANDARD, 0.5, true, "bare-forced-64", "bare"));

    private SpeedGoals() {}

    /**
     * One goal.
     *
     * @param figure the figure of ours
     * @param store the store of ours
     * @param factor what the ratio to the other figure must be, or what the figure must be if there is no other
     * @param isLeast whether it is at least that, otherwise at most
     * @param other the other figure, or empty
     * @param peer whose the other figure is
     */
    private record Goal(String figure, String store, double factor, boolean isLeast, String other, String peer) {
        String words() {
            String bound = String.format(Locale.ROOT, "%s of %s %s %,.2f", figure, store, isLeast ? "≥" : "≤", factor);
            return other.isEmpty() ? bound : bound + " × " + (other.equals(figure) ? "" : other + " of ") + peer;
        }
    }

    private static Goal atLeast(String figure, String store, double factor, String peer) {
        return new Goal(figure, store, factor, true, figure, peer);
    }

    private static Goal atMost(String figure, String store, String peer) {
        return new Goal(figure, store, 1, false, figure, peer);
    }

    private static Goal fixed(String figure, String store, double most) {
        return new Goal(figure, store, most, false, "", "");
    }

    /**
     * Returns a Markdown table of the goals that were measured.
     *
     * @param medians by figure, then by store
     */
    static String table(Map<String, Map<String, Double>> medians) {
        StringBuilder text = new StringBuilder("| goal | found | |\n| --- | --- | --- |\n");
        for (Goal goal : GOALS) {
            Double mine = value(medians, goal.figure, goal.store);
            Double others = goal.other.isEmpty() ? Double.valueOf(1) : value(medians, goal.other, goal.peer);
            if (mine != null && others != null) {
                double found = mine / others;
                boolean isReached = goal.isLeast ? found >= goal.factor : found <= goal.factor;
                text.append(String.format(
                        Locale.ROOT,
                        "| %s | %,.2f | %s |%n",
                        goal.words(),
                        found,
                        isReached ? "reached" : "**missed**"));
            }
        }
        return text.toString();
    }

    private static @Nullable Double value(Map<String, Map<String, Double>> medians, String figure, String store) {
        return medians.getOrDefault(figure, Map.of()).get(store);
    }
}
