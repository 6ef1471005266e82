package dev.caskwright.it.features;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Shortens a list of steps that fails, by leaving out ever smaller parts of it as long as it still fails. */
final class Shrinker {
    private static final int MAX_RUNS = 400;

    private Shrinker() {}

    static <S> List<S> shrink(List<S> failing, Predicate<List<S>> fails) {
        List<S> shortest = failing;
        int runs = 0;
        int part = Math.max(1, shortest.size() / 2);
        while (runs < MAX_RUNS) {
            boolean isShorter = false;
            for (int from = 0; from < shortest.size() && runs < MAX_RUNS; ) {
                List<S> candidate = without(shortest, from, part);
                runs++;
                if (fails.test(candidate)) {
                    shortest = candidate;
                    isShorter = true;
                } else {
                    from += part;
                }
            }
            if (part == 1 && !isShorter) {
                break;
            }
            part = Math.max(1, part / 2);
        }
        return shortest;
    }

    private static <S> List<S> without(List<S> steps, int from, int count) {
        List<S> left = new ArrayList<>(steps.subList(0, from));
        left.addAll(steps.subList(Math.min(steps.size(), from + count), steps.size()));
        return left;
    }
}
