package dev.caskwright.io.standard;

import dev.caskwright.api.EngineLockedException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * What a writer says while readers of other processes have the lock that it wants: a file without content, made again every 50 ms.
 * Readers that are there only to look, as the command line is, see it and go; no reader comes meanwhile. After two seconds the
 * writer is refused: then the readers are none that give way.
 *
 * <p>A file that is older than a second means nothing, so one that is left behind by a process that was killed harms nobody. If there
 * can be none, the writer waits all the same.
 */
final class WriterWish implements Closeable {
    /** The file's name in a directory that is wanted. */
    static final String DIRECTORY_FILE = "LOCK.wanted";

    private static final String SUFFIX = ".wanted";
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long VALID_MILLIS = 1_000;

    private final Path file;
    private final Access access;

    /** Takes a lock; returns null if readers of other processes are in the way. */
    @FunctionalInterface
    interface Attempt<L> {
        L take() throws IOException, ReadersException;
    }

    /** Readers of other processes have the lock. */
    static final class ReadersException extends Exception {
        private static final long serialVersionUID = 1L;

        private final EngineLockedException refusal;

        ReadersException(EngineLockedException refusal) {
            super(refusal);
            this.refusal = refusal;
        }
    }

    private WriterWish(Path file, Access access) {
        this.file = file;
        this.access = access;
    }

    /** Returns what a writer makes that wants a directory, or a single file. */
    static Path file(Path place) {
        return Files.isDirectory(place)
                ? place.resolve(DIRECTORY_FILE)
                : place.resolveSibling(place.getFileName() + SUFFIX);
    }

    /** Takes the lock of a directory or a file, and waits for readers that are in the way. */
    static <L> L take(Path place, Access access, Attempt<L> attempt) throws IOException {
        try {
            return attempt.take();
        } catch (ReadersException e) {
            try (WriterWish wish = new WriterWish(file(place), access)) {
                return wish.repeat(attempt, e.refusal);
            }
        }
    }

    private <L> L repeat(Attempt<L> attempt, EngineLockedException first) throws IOException {
        EngineLockedException refusal = first;
        long start = System.nanoTime();
        while (System.nanoTime() - start < PATIENCE_NANOS
                && !Thread.currentThread().isInterrupted()) {
            tell();
            LockSupport.parkNanos(this, PAUSE_NANOS);
            try {
                return attempt.take();
            } catch (ReadersException e) {
                refusal = e.refusal;
            }
        }
        throw refusal;
    }

    /** Refuses a reader if a writer waits for others to go. */
    static void refuseReader(Path place) throws EngineLockedException {
        if (isThere(file(place))) {
            throw new EngineLockedException("a writer is about to open the store, and comes before readers: try again: "
                    + (Files.isDirectory(place) ? "directory=" : "file=") + place);
        }
    }

    /** Returns whether a writer waits, and has said so just now. */
    static boolean isThere(Path file) {
        try {
            BasicFileAttributes found =
                    Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            long age = System.currentTimeMillis() - found.lastModifiedTime().toMillis();
            return found.isRegularFile() && found.size() == 0 && Math.abs(age) < VALID_MILLIS;
        } catch (IOException e) {
            return false; // mostly there is none
        }
    }

    private void tell() {
        try {
            if (remove()) {
                Files.createFile(file, access.file(file));
                access.settleFile(file);
            }
        } catch (IOException e) {
            return; // the disk is full, say: the readers are not told, and may go by themselves
        }
    }

    /** Removes what a writer made; returns whether nothing has the name now. What no writer made stays. */
    private boolean remove() throws IOException {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return true;
        }
        BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return found.isRegularFile() && found.size() == 0 && Files.deleteIfExists(file);
    }

    @Override
    public void close() {
        try {
            remove();
        } catch (IOException e) {
            return; // it means nothing after a second
        }
    }
}
