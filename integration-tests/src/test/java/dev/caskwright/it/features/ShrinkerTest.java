package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ShrinkerTest {
    @Test
    void onlyWhatTheFailureNeedsIsLeft() {
        List<Integer> steps = IntStream.range(0, 300).boxed().toList();
        assertThat(Shrinker.shrink(steps, each -> each.containsAll(List.of(7, 150, 299))))
                .containsExactly(7, 150, 299);
        assertThat(Shrinker.shrink(steps, each -> true)).isEmpty();
        assertThat(Shrinker.shrink(steps, each -> each.size() == 300)).hasSize(300);
    }
}
