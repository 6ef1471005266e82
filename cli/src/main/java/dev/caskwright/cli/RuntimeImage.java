package dev.caskwright.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The class files and resources of the JDK that runs us: real data that every machine has. */
final class RuntimeImage {
    private static final URI IMAGE = URI.create("jrt:/");

    private RuntimeImage() {}

    /** Returns the paths of all files of the image, in an order that is the same on every run. */
    static List<Path> files() throws IOException {
        FileSystem image = FileSystems.getFileSystem(IMAGE);
        try (Stream<Path> files = Files.walk(image.getPath("/modules"))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
