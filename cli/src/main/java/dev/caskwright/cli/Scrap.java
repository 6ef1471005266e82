package dev.caskwright.cli;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** A place beside a store for a copy that is thrown away, also when the program is interrupted. */
final class Scrap implements AutoCloseable {
    private final Path path;
    private final Thread atEnd = new Thread(this::delete, "caskwright-scrap");

    private Scrap(Path path) {
        this.path = path;
    }

    /** Returns a place on the file system of a store. Nothing is there yet. */
    static Scrap beside(Path store) {
        Path absolute = store.toAbsolutePath().normalize();
        Scrap scrap = new Scrap(absolute.resolveSibling(
                absolute.getFileName() + ".checking-" + ProcessHandle.current().pid() + "-" + System.nanoTime()));
        Runtime.getRuntime().addShutdownHook(scrap.atEnd);
        return scrap;
    }

    Path path() {
        return path;
    }

    private void delete() {
        try {
            SideFiles.deleteTree(path);
        } catch (IOException e) {
            throw new UncheckedIOException("the copy that was checked could not be deleted: " + path, e);
        }
    }

    @Override
    public void close() throws IOException {
        SideFiles.deleteTree(path);
        try {
            Runtime.getRuntime().removeShutdownHook(atEnd);
        } catch (IllegalStateException e) {
            return; // the program ends, and the copy has gone
        }
    }
}
