package dev.caskwright.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * What surrounds a command, so that tests can give it other surroundings.
 *
 * @param in standard input
 * @param out standard output, buffered; {@link Main} flushes it
 * @param err standard error
 * @param showsProgress whether standard error is a terminal, where progress may be shown
 * @param stores opens stores
 * @param pause waits between two looks at a store that is followed
 */
record Shell(InputStream in, OutputStream out, PrintStream err, boolean showsProgress, Stores stores, Pause pause) {
    /** The launcher, which can ask the system, says whether standard error is a terminal. The JDK's answer varies. */
    private static final String PROGRESS_PROPERTY = "caskwright.progress";

    private static final int OUTPUT_BUFFER_BYTES = 1 << 16;

    /** Waits for some milliseconds. */
    @FunctionalInterface
    interface Pause {
        void millis(long millis) throws InterruptedException;
    }

    /** Returns the surroundings of this process. */
    static Shell ofProcess() {
        OutputStream out = new StandardOutput(new FileOutputStream(FileDescriptor.out));
        return new Shell(
                System.in,
                new BufferedOutputStream(out, OUTPUT_BUFFER_BYTES),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                Boolean.getBoolean(PROGRESS_PROPERTY),
                new BitcaskStores(),
                Thread::sleep);
    }

    /** Prints a line to standard output. */
    void println(String line) throws IOException {
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Prints one line to standard error, under the program's name, whatever line breaks the message has. */
    void complain(String message) {
        err.println("caskwright: " + message.strip().replaceAll("\\s*\\R\\s*", "; "));
    }

    /** Returns a progress line that shows itself only on a terminal. */
    Progress progress(String verb, String unit) {
        return new Progress(showsProgress ? err : null, verb, unit);
    }

    /** Returns the same for work that comes in one piece. */
    Progress progress(String verb) {
        return progress(verb, "");
    }
}
