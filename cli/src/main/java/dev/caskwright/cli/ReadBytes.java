package dev.caskwright.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/** How many bytes this process has read of files, as the system counts them; 0 where it does not, or where files are mapped. */
final class ReadBytes {
    private static final Path COUNTS = Path.of("/proc/self/io");
    private static final String READ = "rchar: ";

    private ReadBytes() {}

    /** Returns what tells the bytes read from now on. */
    static LongSupplier sinceNow() {
        long start = now();
        return () -> now() - start;
    }

    private static long now() {
        try {
            for (String line : Files.readAllLines(COUNTS)) {
                if (line.startsWith(READ)) {
                    return Long.parseLong(line.substring(READ.length()));
                }
            }
            return 0;
        } catch (IOException | NumberFormatException e) {
            return 0; // not Linux
        }
    }
}
