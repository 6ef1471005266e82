package dev.caskwright.balance;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A discovery that asks a source every so often: a file, the domain name system. A source that fails leaves the last list in
 * force, and so does one that has no endpoints at all, until it has said so for a while: an empty list is more often a fault of
 * the registry than the end of a service.
 */
public final class PolledDiscovery implements Discovery {
    private final Source source;
    private final Duration interval;
    private final int emptyAnswersBelieved;
    private final ScheduledExecutorService scheduler;
    private volatile @Nullable Exception failure;

    /** Where the endpoints are asked for. */
    @FunctionalInterface
    public interface Source {
        /** Returns the endpoints of now. */
        ServiceList endpoints() throws IOException;
    }

    /**
     * Makes a discovery that asks in a thread of its own, and believes that there is no endpoint after 30 seconds.
     *
     * @param interval from one question to the next, at least a millisecond
     */
    public PolledDiscovery(Source source, Duration interval) {
        this(source, interval, Duration.ofSeconds(30), newThread());
    }

    /**
     * Makes a discovery.
     *
     * @param heldBack for how long an answer without endpoints is held back
     * @param scheduler where the questions are asked; it is not shut down
     */
    public PolledDiscovery(Source source, Duration interval, Duration heldBack, ScheduledExecutorService scheduler) {
        this.source = Objects.requireNonNull(source, "source");
        this.interval = interval;
        this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
        long millis = interval.toMillis();
        if (millis < 1) {
            throw new IllegalArgumentException("an interval is at least a millisecond: " + interval);
        }
        this.emptyAnswersBelieved = (int) Math.min(Integer.MAX_VALUE, heldBack.toMillis() / millis + 1);
    }

    private static ScheduledExecutorService newThread() {
        return Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "caskwright-discovery");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Returns why the last question was not answered, or null if it was. */
    public @Nullable Exception failure() {
        return failure;
    }

    @Override
    public Watch watch(Consumer<ServiceList> listener) {
        Polling polling = new Polling(Objects.requireNonNull(listener, "listener"));
        polling.poll();
        ScheduledFuture<?> repeated = scheduler.scheduleWithFixedDelay(
                polling::poll, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
        return () -> {
            polling.end();
            repeated.cancel(false);
        };
    }

    private final class Polling {
        private final Consumer<ServiceList> listener;
        private @Nullable ServiceList last; // guarded by this
        private int emptyAnswers; // guarded by this
        private boolean isEnded; // guarded by this

        Polling(Consumer<ServiceList> listener) {
            this.listener = listener;
        }

        synchronized void poll() {
            if (isEnded) {
                return;
            }
            ServiceList found;
            try {
                found = source.endpoints();
                failure = null;
            } catch (IOException | RuntimeException e) {
                failure = e; // the last list stays in force; the next question may be answered
                return;
            }
            ServiceList known = last;
            emptyAnswers = found.size() == 0 ? emptyAnswers + 1 : 0;
            if (known != null && (found.equals(known) || isHeldBack(known, found))) {
                return;
            }
            last = found;
            listener.accept(found);
        }

        private boolean isHeldBack(ServiceList known, ServiceList found) {
            return known.size() > 0 && found.size() == 0 && emptyAnswers < emptyAnswersBelieved;
        }

        synchronized void end() {
            isEnded = true;
        }
    }
}
