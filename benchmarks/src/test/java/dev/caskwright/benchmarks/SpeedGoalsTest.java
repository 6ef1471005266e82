package dev.caskwright.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class SpeedGoalsTest {
    @Test
    void goalsAreJudgedBesideAPeerOrByThemselves() {
        String table = SpeedGoals.table(Map.of(
                "range-10", Map.of("sorted-mmap", 150.0, "lmdb", 200.0),
                "scan", Map.of("hashmap-mmap", 90.0),
                "scan-in-order", Map.of("lmdb", 60.0),
                "directory", Map.of("hashmap-mmap", 1.31, "compact-mmap", 1.3)));
        assertThat(table)
                .contains(
                        "| range-10 of sorted-mmap ≥ 1.00 × lmdb | 0.75 | **missed** |",
                        "| scan of hashmap-mmap ≥ 1.50 × scan-in-order of lmdb | 1.50 | reached |",
                        "| directory of hashmap-mmap ≤ 1.30 | 1.31 | **missed** |",
                        "| directory of compact-mmap ≤ 1.30 | 1.30 | reached |")
                .doesNotContain("range-100");
    }
}
