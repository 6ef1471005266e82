package dev.caskwright.importer;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The numbered files of a log. */
final class LogFiles {
    private LogFiles() {}

    /**
     * Returns the files of a directory whose whole names match, by the number in the first group; there must be one at least. They may
     * be other than regular files, or links to nothing, which is an error to whoever opens them: left out here, nobody would know.
     */
    static List<Path> of(Path directory, Pattern name) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new NotDirectoryException(directory.toString());
        }
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.filter(file -> name.matcher(nameOf(file)).matches())
                    .sorted(Comparator.comparing(file -> number(file, name)))
                    .toList();
        }
        if (files.isEmpty()) {
            throw new IOException("no file there has a name of this format, " + name + ": " + directory);
        }
        return files;
    }

    /** Returns the number in the name of a file, however long. */
    static BigInteger number(Path file, Pattern name) {
        Matcher matcher = name.matcher(nameOf(file));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a file of the log: " + file);
        }
        return new BigInteger(matcher.group(1));
    }

    private static String nameOf(Path file) {
        return String.valueOf(file.getFileName());
    }
}
