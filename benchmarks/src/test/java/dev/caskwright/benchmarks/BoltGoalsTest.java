package dev.caskwright.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class BoltGoalsTest {
    @Test
    void aGoalThatIsMissedIsToldWithItsLimit() {
        String table = BoltGoals.table(
                Map.of(
                        "get", Map.of("bbolt", 100.0, "bolt", 150.0, "lmdb", 160.0),
                        "get-limit", Map.of("bolt", 210.0),
                        "commit-bytes", Map.of("bbolt", 10.0, "bolt", 10.0)),
                1_000);
        assertThat(table)
                .contains(
                        "| get ≥ 2.00 × get of bbolt | 1.50 | **missed**; the limit is 2.10 |",
                        "| get ≥ 0.80 × get of lmdb | 0.94 | reached |",
                        "| commit-bytes ≤ 1.00 × commit-bytes of bbolt | 1.00 | reached |")
                .doesNotContain("load-random");
    }

    @Test
    void aCompactFileIsComparedWithItsEntries() {
        assertThat(BoltGoals.table(Map.of("size-after-compaction", Map.of("bolt", 132_000.0)), 1_000))
                .contains("the entries | 1.00 | reached |");
    }
}
