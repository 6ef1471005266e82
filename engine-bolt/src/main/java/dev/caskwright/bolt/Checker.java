package dev.caskwright.bolt;

import dev.caskwright.bolt.check.Reachable;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.PageStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

/** Checks that each page of a state is used exactly once: by a bucket, by the freelist, or as a free page. */
final class Checker {
    /** How many problems are told at most. */
    static final int MAX_PROBLEMS = 1_000;

    private final List<String> problems = new ArrayList<>();
    private long problemCount;

    private Checker() {}

    /**
     * Checks a state.
     *
     * @param freelistPages pages of the run that has the freelist, 0 if there is none
     * @param isFree whether the freelist has a page
     */
    static CheckReport check(PageStore store, Meta meta, long freelistPages, LongPredicate isFree) throws IOException {
        Checker checker = new Checker();
        Reachable reachable = Reachable.of(store, meta, checker::problem);
        if (meta.freelist() != Meta.NO_FREELIST) {
            reachable.add("freelist", meta.freelist(), freelistPages);
        }
        long free = 0;
        for (long page = 2; page < meta.highWater(); page++) {
            boolean isUsed = reachable.contains(page);
            boolean isListed = isFree.test(page);
            if (isListed) {
                free++;
            }
            if (isUsed && isListed) {
                checker.problem("page is used and free: page=" + page);
            } else if (!isUsed && !isListed) {
                checker.problem("page is neither used nor free: page=" + page);
            }
        }
        return new CheckReport(
                List.copyOf(checker.problems),
                checker.problemCount,
                meta.highWater(),
                free,
                reachable.buckets(),
                reachable.keys());
    }

    /** Checks a state of a file without a freelist, in which every page that is not used is free. */
    static CheckReport checkWithoutFreelist(PageStore store, Meta meta) throws IOException {
        Checker checker = new Checker();
        Reachable reachable = Reachable.of(store, meta, checker::problem);
        long free = 0;
        for (long page = 2; page < meta.highWater(); page++) {
            free += reachable.contains(page) ? 0 : 1;
        }
        return new CheckReport(
                List.copyOf(checker.problems),
                checker.problemCount,
                meta.highWater(),
                free,
                reachable.buckets(),
                reachable.keys());
    }

    private void problem(String problem) {
        problemCount++;
        if (problems.size() < MAX_PROBLEMS) {
            problems.add(problem);
        }
    }
}
