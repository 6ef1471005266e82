package dev.caskwright.cli;

import java.io.PrintStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One line on the terminal that tells how far long work has come. Without a terminal it does nothing. For one thread. */
final class Progress implements AutoCloseable {
    private static final long INTERVAL_NANOS = 200_000_000;
    private static final String ERASE_LINE = "\r\u001b[K";

    private final @Nullable PrintStream terminal;
    private final String verb;
    private final String unit;
    private final long start = System.nanoTime();
    private long shown = start;
    private long done;

    Progress(@Nullable PrintStream terminal, String verb, String unit) {
        this.terminal = terminal;
        this.verb = verb;
        this.unit = unit;
        if (terminal != null) {
            terminal.print(verb + " ...");
            terminal.flush();
        }
    }

    /** Counts one more. */
    void step() {
        done++;
        if (terminal == null) {
            return;
        }
        long now = System.nanoTime();
        if (now - shown >= INTERVAL_NANOS) {
            shown = now;
            terminal.print(ERASE_LINE + verb + " " + line(now));
            terminal.flush();
        }
    }

    /** Leaves a last line on the terminal that says what was done. */
    void finish(String summary) {
        if (terminal != null) {
            terminal.println(ERASE_LINE + summary);
        }
    }

    /** Leaves a last line on the terminal with the count and the rate. */
    void finish() {
        finish(verb + " " + line(System.nanoTime()));
    }

    /** Clears the line, so that an error message does not stand behind it. */
    @Override
    public void close() {
        if (terminal != null) {
            terminal.print(ERASE_LINE);
            terminal.flush();
        }
    }

    private String line(long now) {
        double seconds = Math.max(1, now - start) / 1e9;
        return String.format(Locale.ROOT, "%,d %s (%,.0f/s)", done, unit, done / seconds);
    }
}
