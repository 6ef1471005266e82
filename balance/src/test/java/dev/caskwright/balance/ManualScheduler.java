package dev.caskwright.balance;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A scheduler whose repeated tasks run when a test says so, whatever the clock says. */
final class ManualScheduler extends ScheduledThreadPoolExecutor {
    private static final long NEVER_DAYS = 10_000;

    private final List<Runnable> repeated = new ArrayList<>();

    ManualScheduler() {
        super(1);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long first, long delay, TimeUnit unit) {
        repeated.add(task);
        return schedule(() -> {}, NEVER_DAYS, TimeUnit.DAYS);
    }

    void runAll() {
        repeated.forEach(Runnable::run);
    }
}
