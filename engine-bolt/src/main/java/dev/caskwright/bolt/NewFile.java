package dev.caskwright.bolt;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;

/**
 * Makes files at once: each is written under a name of its own, forced, and then renamed. So one that a crash has cut short is never
 * taken for a whole one, and what it replaces is there until then.
 */
final class NewFile {
    /** Behind the name of a file that is not finished. */
    static final String UNFINISHED = ".copying";

    private NewFile() {}

    /** Writes what the file has. */
    @FunctionalInterface
    interface Content {
        void write(WritableFile target) throws IOException;
    }

    /** Writes more to a file that is forced and closed, and makes that durable, too. */
    @FunctionalInterface
    interface Filling {
        void fill(Path unfinished) throws IOException;
    }

    /** Looks at a file that is forced, before it gets its name. */
    @FunctionalInterface
    interface Check {
        void check(String unfinished) throws IOException;
    }

    /**
     * Makes a file and makes it survive a power loss; if that fails, there is none.
     *
     * @throws FileAlreadyExistsException if there is such a file
     */
    static void write(IoManagerFactory io, Path target, long expectedLength, Content content) throws IOException {
        write(io, target, expectedLength, content, unfinished -> {});
    }

    /** As the other, for a file that opens on its own: {@code filling} has it, under its unfinished name, before it gets its own. */
    static void write(IoManagerFactory io, Path target, long expectedLength, Content content, Filling filling)
            throws IOException {
        Path absolute = target.toAbsolutePath();
        Path directory = absolute.getParent();
        Path name = absolute.getFileName();
        if (directory == null || name == null) {
            throw new IllegalArgumentException("not a file: " + target);
        }
        try (IoManager targets = io.open(directory, true)) {
            write(
                    targets,
                    name.toString(),
                    false,
                    expectedLength,
                    content,
                    unfinished -> filling.fill(directory.resolve(unfinished)));
        }
    }

    /**
     * As the other, in a directory.
     *
     * @param replaces whether it takes the place of one that is there; that is left as it is if this fails
     * @throws UnsupportedFormatException if a file that is not finished is in the way
     */
    static void write(
            IoManager targets, String name, boolean replaces, long expectedLength, Content content, Check check)
            throws IOException {
        String unfinished = name + UNFINISHED;
        checkReplaces(targets, name, replaces);
        if (isThere(targets, unfinished)) {
            throw new UnsupportedFormatException(
                    "a copy that was cut short, or goes on, is in the way: remove it if nobody writes it, and try again: file="
                            + targets.describe() + "/" + unfinished);
        }
        String made = unfinished;
        WritableFile file = targets.create(unfinished, expectedLength);
        try {
            try (file) {
                content.write(file);
                file.force();
            }
            check.check(unfinished);
            checkReplaces(targets, name, replaces); // what came meanwhile is not lost either
            targets.rename(unfinished, name);
            made = name;
            targets.syncDirectory();
        } catch (Throwable e) {
            remove(targets, replaces ? unfinished : made, e);
            throw e;
        }
    }

    private static boolean isThere(IoManager targets, String name) throws IOException {
        return targets.list().contains(name) || targets.listObstacles().contains(name);
    }

    private static void checkReplaces(IoManager targets, String name, boolean replaces) throws IOException {
        if (!replaces && isThere(targets, name)) {
            throw new FileAlreadyExistsException(targets.describe() + "/" + name);
        }
    }

    private static void remove(IoManager targets, String name, Throwable cause) {
        try {
            targets.delete(name); // without looking whether it is there, as that may need a descriptor
        } catch (IOException | RuntimeException | Error e) {
            Causes.add(cause, e);
        }
    }
}
