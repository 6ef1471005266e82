package dev.caskwright.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One line on the terminal that tells how far long work has come, how fast, and how long it will still take. Without a terminal it
 * does nothing but count. The work is done by one thread; where it comes in one piece, another looks at {@linkplain #watch what is
 * done of it}.
 */
final class Progress implements AutoCloseable {
    private static final long INTERVAL_NANOS = 200_000_000;
    private static final long WATCH_MILLIS = 500;
    private static final long LEAST_NANOS = 1_000_000_000; // no rate is worth telling before
    private static final String ERASE_LINE = "\r\u001b[K";

    private final @Nullable PrintStream terminal;
    private final String verb;
    private final String unit;
    private final long start = System.nanoTime();
    private long shown = start;
    private volatile long done;
    private volatile @Nullable LongSupplier bytes;
    private volatile long totalBytes;
    private @Nullable Thread watcher;

    Progress(@Nullable PrintStream terminal, String verb, String unit) {
        this.terminal = terminal;
        this.verb = verb;
        this.unit = unit;
        if (terminal != null) {
            terminal.print(verb + " ...");
            terminal.flush();
        }
    }

    /**
     * Tells what part of the work is done in bytes.
     *
     * @param bytesDone may be called by another thread
     * @param total how many bytes there are to be done, about; 0 if that is not known
     */
    void watch(LongSupplier bytesDone, long total) {
        if (terminal == null) {
            return;
        }
        totalBytes = total;
        bytes = bytesDone;
        if (unit.isEmpty()) {
            Thread thread = new Thread(this::look, "caskwright-progress");
            thread.setDaemon(true);
            watcher = thread;
            thread.start();
        }
    }

    private void look() {
        try {
            while (true) {
                Thread.sleep(WATCH_MILLIS);
                show(System.nanoTime());
            }
        } catch (InterruptedException | RuntimeException e) {
            return; // it is done, or what is looked at has gone: the work itself will say so
        }
    }

    /** Counts one more. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // by the thread that does the work only
    void step() {
        done++;
        if (terminal == null) {
            return;
        }
        long now = System.nanoTime();
        if (now - shown >= INTERVAL_NANOS) {
            shown = now;
            show(now);
        }
    }

    /** Returns how often {@link #step} was called. */
    long done() {
        return done;
    }

    private void show(long now) {
        if (terminal != null) {
            terminal.print(ERASE_LINE + verb + " " + line(now, true));
            terminal.flush();
        }
    }

    /** Leaves a last line on the terminal that says what was done. */
    void finish(String summary) {
        endWatch();
        if (terminal != null) {
            terminal.println(ERASE_LINE + summary);
        }
    }

    /** Leaves a last line on the terminal with the count and the rate. */
    void finish() {
        finish(verb + " " + line(System.nanoTime(), false));
    }

    /** Clears the line, so that an error message does not stand behind it. */
    @Override
    public void close() {
        endWatch();
        if (terminal != null) {
            terminal.print(ERASE_LINE);
            terminal.flush();
        }
    }

    private void endWatch() {
        Thread thread = watcher;
        watcher = null;
        if (thread == null) {
            return;
        }
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private String line(long now, boolean goesOn) {
        double seconds = Math.max(1, now - start) / 1e9;
        StringBuilder line = new StringBuilder();
        if (!unit.isEmpty()) {
            line.append(String.format(Locale.ROOT, "%,d %s (%,.0f/s)", done, unit, done / seconds));
        }
        LongSupplier supplier = bytes;
        if (goesOn && supplier != null) {
            addBytes(line, supplier.getAsLong(), seconds, now - start >= LEAST_NANOS);
        }
        return line.toString();
    }

    private void addBytes(StringBuilder line, long read, double seconds, boolean hasRate) {
        if (read <= 0) {
            return;
        }
        line.append(line.isEmpty() ? "" : ", ").append(Human.bytes(read));
        if (totalBytes > 0) {
            line.append(" of about ").append(Human.bytes(totalBytes));
        }
        if (hasRate) {
            line.append(", ").append(Human.bytes(read / seconds)).append("/s");
        }
        if (hasRate && totalBytes > read) {
            line.append(", ")
                    .append(Human.time(Duration.ofMillis((long) ((totalBytes - read) / (read / seconds) * 1_000))))
                    .append(" left");
        }
    }
}
