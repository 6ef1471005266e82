package dev.caskwright.replica;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.owner.AskedStore;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.TreeSet;

/** The store of a directory, be it open in another process or not. */
final class DirectorySource implements ReplicaSource {
    private final Path directory;
    private final Opening opening;
    private boolean wasAsked;

    DirectorySource(Path directory, Opening opening) {
        this.directory = Objects.requireNonNull(directory, "directory");
        this.opening = Objects.requireNonNull(opening, "opening");
    }

    @Override
    public void look(Look look) throws IOException {
        try (StorageEngine store = opening.open()) {
            wasAsked = store instanceof AskedStore;
            look.at(store);
        }
    }

    /** Tells nothing of a store that a process has open: its writes need not show in the files. */
    @Override
    public String fingerprint() throws IOException {
        if (wasAsked) {
            return "";
        }
        TreeSet<String> files = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                try {
                    var attributes = Files.readAttributes(entry, BasicFileAttributes.class);
                    files.add(entry.getFileName() + " " + attributes.size() + " " + attributes.lastModifiedTime() + " "
                            + attributes.fileKey());
                } catch (NoSuchFileException e) {
                    files.add(entry.getFileName() + " gone"); // since it was listed; the next list has other names
                }
            }
        }
        return String.join("\n", files);
    }
}
