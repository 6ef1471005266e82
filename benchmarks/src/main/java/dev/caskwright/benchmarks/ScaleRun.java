package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;

/**
 * Measures contenders over numbers of keys: {@code ./caskwright bench --scale}. Sizes go up, and at each size contenders
 * take turns, and the report is rewritten after each; one that does not get through a size in the time it may take is not asked about larger ones.
 */
final class ScaleRun {
    private static final double READ_SECONDS = 8;
    private static final int NEW_JVMS = 5;

    private final BenchOptions options;
    private final PrintStream log;
    private final ChildJvm children;

    ScaleRun(BenchOptions options, PrintStream log) {
        this.options = options;
        this.log = log;
        this.children = new ChildJvm(options.stores());
    }

    void run(Results results) throws IOException, InterruptedException {
        EnumSet<Contender> left = EnumSet.copyOf(options.contenders());
        for (long keys : options.sizes()) {
            for (Contender contender : options.contenders()) {
                if (left.contains(contender) && !measure(contender, keys, results)) {
                    left.remove(contender);
                }
                // It may take an hour: what there is by then should not go with a run that is cut short.
                if (!results.samples().isEmpty()) {
                    Report.write(results, options.out());
                }
            }
        }
    }

    /** Returns whether the contender got through. */
    private boolean measure(Contender contender, long keys, Results results) throws IOException, InterruptedException {
        ChildJvm.Step step = new ChildJvm.Step(
                ChildMain.Task.SCALE_FILL,
                contender.id(),
                keys,
                options.valueSize(),
                Durability.WRITE,
                EnumSet.of(Work.FILL),
                READ_SECONDS);
        long start = System.nanoTime();
        Path directory = Files.createTempDirectory(options.stores(), "store-");
        boolean isThrough = true;
        try {
            List<ChildMain.Task> tasks = new ArrayList<>();
            tasks.add(ChildMain.Task.SCALE_FILL);
            tasks.add(ChildMain.Task.SCALE_OPEN_KILLED);
            // What takes a JVM from its start to its first get differs from one start to the next.
            tasks.addAll(Collections.nCopies(NEW_JVMS, ChildMain.Task.SCALE_OPEN_CLEAN));
            tasks.add(ChildMain.Task.SCALE_OPEN_WARM);
            tasks.add(ChildMain.Task.SCALE_READ);
            long deadline = start + (long) (options.capSeconds() * 1e9);
            for (ChildMain.Task task : tasks) {
                children.run(step.as(task), directory, deadline).forEach(results::add);
            }
        } catch (ChildJvm.ChildFailedException e) {
            results.addFailure(e.description());
            isThrough = false;
        } catch (ChildJvm.OutOfTimeException e) {
            results.addFailure(contender.label() + " at " + Text.grouped(keys) + " keys: stopped after "
                    + Math.round(options.capSeconds()) + " s, while " + e.task().words());
            isThrough = false;
        } finally {
            SideFiles.deleteTree(directory);
        }
        log.printf(
                Locale.ROOT,
                "%,13d keys  %-18s %7.1f s%s%n",
                keys,
                contender.id(),
                (System.nanoTime() - start) / 1e9,
                isThrough ? "" : "  NOT FINISHED");
        return isThrough;
    }
}
