package dev.caskwright.cli;

import dev.caskwright.api.spi.engine.Backends;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.TreeSet;

/** What the commands ask of directories, besides what engines do with them. */
final class Directories {
    private Directories() {}

    static boolean isEmptyOrMissing(Path directory) throws IOException {
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            return true;
        }
        if (!Files.isDirectory(directory)) {
            throw new NotDirectoryException(directory.toString());
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            return !entries.iterator().hasNext();
        }
    }

    /**
     * Has a copy that a command makes go to no place that is its source or lies in it, nor to one around it, by whatever
     * names. Comes before either is touched.
     */
    static void refuseOverlap(Path source, Path target) throws IOException {
        if (Backends.ioManager("standard").overlap(source, target)) {
            throw new UsageException("source and target must not be the same, nor one of them lie in the other: "
                    + source + ", " + target);
        }
    }

    /** Returns a text that changes when a file of the directory is added, removed, grown or written. */
    static String fingerprint(Path directory) throws IOException {
        TreeSet<String> files = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                try {
                    var attributes = Files.readAttributes(entry, BasicFileAttributes.class);
                    files.add(entry.getFileName() + " " + attributes.size() + " " + attributes.lastModifiedTime());
                } catch (NoSuchFileException e) {
                    // Removed since it was listed, as merges do: the next look finds another list of names.
                    files.add(entry.getFileName() + " gone");
                }
            }
        }
        return String.join("\n", files);
    }

    /** Returns the length of a file, or of all files in a directory, as far as it can be told; for progress. */
    static long bytesIn(Path place) {
        if (Files.isRegularFile(place, LinkOption.NOFOLLOW_LINKS)) {
            return place.toFile().length();
        }
        long bytes = 0;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(place)) {
            for (Path entry : entries) {
                bytes += entry.toFile().length();
            }
        } catch (IOException | DirectoryIteratorException e) {
            return bytes; // what is there changes while it is looked at
        }
        return bytes;
    }
}
