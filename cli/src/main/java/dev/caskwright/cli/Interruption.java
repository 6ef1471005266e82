package dev.caskwright.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Tells a command that the process is to end (SIGINT, SIGTERM), so that it can stop in good order: the JVM waits for it, but not
 * for ever, since it may be waiting for its input. Closing says that it has stopped.
 */
final class Interruption implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 3;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private volatile boolean hasCome;
    private final Runnable late;
    private final Thread atEnd = new Thread(this::come, "caskwright-interruption");

    /** @param late what is done if the command does not stop in time: it waits for its input, say */
    Interruption(Runnable late) {
        this.late = late;
        Runtime.getRuntime().addShutdownHook(atEnd);
    }

    boolean hasCome() {
        return hasCome;
    }

    private void come() {
        hasCome = true;
        try {
            if (!stopped.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                late.run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stopped.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(atEnd);
        } catch (IllegalStateException e) {
            return; // the process is ending: it is what this waited for
        }
    }
}
