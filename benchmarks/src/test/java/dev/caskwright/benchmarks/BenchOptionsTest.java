package dev.caskwright.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BenchOptionsTest {
    @Test
    void readsEveryOption() {
        BenchOptions options = BenchOptions.parse(
                "--keys",
                "5000",
                "--value-size",
                "20",
                "--contenders",
                "lmdb,rocksdb",
                "--work",
                "get,sync",
                "--out",
                "o",
                "--dir",
                "d",
                "--quick-seconds",
                "60",
                "--rounds",
                "4");
        assertThat(options.keys()).isEqualTo(5000);
        assertThat(options.valueSize()).isEqualTo(20);
        assertThat(options.contenders()).containsExactly(Contender.LMDB, Contender.ROCKSDB);
        assertThat(options.works()).containsExactly(Work.GET, Work.SYNC);
        assertThat(options.out()).isEqualTo(Path.of("o"));
        assertThat(options.stores()).isEqualTo(Path.of("d"));
        assertThat(options.seconds()).isEqualTo(60);
        assertThat(options.rounds()).isEqualTo(4);
        assertThat(options.full()).isFalse();
    }

    @Test
    void fullMeansEverything() {
        BenchOptions options = BenchOptions.parse("--full");
        assertThat(options.contenders()).containsExactly(Contender.values());
        assertThat(options.works()).containsExactly(Work.values());
        assertThat(options.rounds()).isGreaterThan(2);
    }

    @Test
    void aRunOverSizesHasSizesInOrder() {
        BenchOptions options = BenchOptions.parse("--scale", "--keys", "30000,1000", "--cap-seconds", "7");
        assertThat(options.isScale()).isTrue();
        assertThat(options.sizes()).containsExactly(1_000L, 30_000L);
        assertThat(options.keys()).isEqualTo(1_000);
        assertThat(options.capSeconds()).isEqualTo(7);
        assertThat(options.valueSize()).isEqualTo(20);
        assertThat(options.contenders()).contains(Contender.COMPACT_MMAP, Contender.ROCKSDB, Contender.LMDB);
        assertThat(BenchOptions.parse("--scale").sizes()).endsWith(100_000_000L);
        assertThat(BenchOptions.parse().isScale()).isFalse();
        assertThat(BenchOptions.parse().valueSize()).isEqualTo(100);
    }

    @ParameterizedTest
    @CsvSource({
        "--keys,'1000,2000',--scale",
        "--keys,lots,whole number",
        "--keys,10,from 1000",
        "--contenders,leveldb,known=",
        "--work,dance,known=",
        "--colour,red,unknown option"
    })
    void wrongOptionsSayWhatIsWrong(String name, String value, String message) {
        assertThatThrownBy(() -> BenchOptions.parse(name, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void contendersTakeTurnsAndStartInAnotherOrder() {
        BenchOptions options =
                BenchOptions.parse("--contenders", "lmdb,rocksdb,heap-map", "--work", "fill,sync,open", "--full");
        Plan plan = new Plan(options);
        assertThat(subjects(plan.round(0), ChildMain.Task.STORE)).startsWith("lmdb", "rocksdb", "heap-map");
        assertThat(subjects(plan.round(1), ChildMain.Task.STORE)).startsWith("rocksdb", "heap-map", "lmdb");
        assertThat(subjects(plan.round(0), ChildMain.Task.OPEN_CLEAN)).doesNotContain("heap-map");
    }

    private static List<String> subjects(List<ChildJvm.Step> steps, ChildMain.Task task) {
        return steps.stream()
                .filter(step -> step.task() == task)
                .map(ChildJvm.Step::subject)
                .toList();
    }
}
