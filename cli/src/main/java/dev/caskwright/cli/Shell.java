package dev.caskwright.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What surrounds a command, so that tests can give it other surroundings.
 *
 * @param in standard input
 * @param out standard output, buffered; {@link Main} flushes it
 * @param err standard error
 * @param printsToTerminal whether standard output is a terminal, which is not given bytes that it would obey
 * @param showsProgress whether standard error is a terminal, where progress may be shown
 * @param stores opens stores
 * @param pause waits between two looks at a store that is followed
 */
record Shell(
        InputStream in,
        OutputStream out,
        PrintStream err,
        boolean printsToTerminal,
        boolean showsProgress,
        Stores stores,
        Pause pause) {
    /** The launcher, which can ask the system, says whether standard output is a terminal. The JDK's answer varies. */
    private static final String TERMINAL_PROPERTY = "caskwright.terminal";

    /** The same for standard error. */
    private static final String PROGRESS_PROPERTY = "caskwright.progress";

    /** On Linux, what standard output leads to. */
    private static final Path STANDARD_OUTPUT = Path.of("/proc/self/fd/1");

    private static final int OUTPUT_BUFFER_BYTES = 1 << 16;

    /** Waits for some milliseconds. */
    @FunctionalInterface
    interface Pause {
        void millis(long millis) throws InterruptedException;
    }

    /** Returns the surroundings of this process. */
    static Shell ofProcess() {
        OutputStream out = new StandardOutput(new FileOutputStream(FileDescriptor.out));
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        return new Shell(
                System.in,
                new BufferedOutputStream(out, OUTPUT_BUFFER_BYTES),
                err,
                Boolean.getBoolean(TERMINAL_PROPERTY) || isTerminal(),
                Boolean.getBoolean(PROGRESS_PROPERTY),
                new EngineStores(new GivingWay(err)::at),
                Thread::sleep);
    }

    /** Asks the system, for those who start the program without the launcher. */
    private static boolean isTerminal() {
        try {
            String target = Files.readSymbolicLink(STANDARD_OUTPUT).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return false; // not Linux, where only the launcher can tell
        }
    }

    /** Prints a line to standard output, with nothing in it that a terminal would obey. */
    void println(String line) throws IOException {
        out.write((Printable.line(line) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Prints one line to standard error, under the program's name, whatever line breaks the message has, and with nothing in
     * it that a terminal would obey.
     */
    void complain(String message) {
        complain(err, message);
    }

    static void complain(PrintStream err, String message) {
        err.println("caskwright: " + Printable.line(message.strip().replaceAll("\\s*\\R\\s*", "; ")));
    }

    /** Prints a stack trace to standard error, with nothing in it that a terminal would obey but its line breaks. */
    void explain(Throwable failure) {
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        err.print(Printable.lines(trace.toString()));
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
