package dev.caskwright.testkit;

import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/**
 * Who runs the background tasks of stores in tests that do not say: the caller, so that a test is the same each time, or with
 * {@code -Dcaskwright.tasks=background} threads of their own, so that sealing and merging meet the test at any moment.
 */
public final class TestTasks {
    private static final String PROPERTY = "caskwright.tasks";
    private static final Executor THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "caskwright-test-tasks");
        thread.setDaemon(true);
        return thread;
    });

    private TestTasks() {}

    /** Returns whether tasks run in threads of their own. */
    public static boolean areInBackground() {
        String where = System.getProperty(PROPERTY, "caller");
        return switch (where) {
            case "caller" -> false;
            case "background" -> true;
            default -> throw new IllegalArgumentException(PROPERTY + " must be caller or background: " + where);
        };
    }

    /** Returns the executor of this run. */
    public static Executor executor() {
        return areInBackground() ? THREADS : Runnable::run;
    }
}
