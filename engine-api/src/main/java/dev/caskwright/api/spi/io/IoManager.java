package dev.caskwright.api.spi.io;

import dev.caskwright.api.EngineLockedException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.util.List;

/**
 * A flat set of files in one directory: the only way an engine reaches the disk. It knows files and bytes, not records.
 *
 * <p>Names are plain file names (no separators); a name that could lead outside the directory is an {@link
 * IllegalArgumentException}. Files and the directory are created for their owner only (0700 and 0600) where the file
 * system can say so and the user did not choose otherwise, and symbolic links are not followed.
 *
 * <p>Creating, renaming and deleting are durable only after {@link #syncDirectory()}. A full file system or quota is
 * reported as {@link dev.caskwright.api.OutOfSpaceException}; every other refusal of the system as an {@link IOException}
 * whose message names the file.
 *
 * <p>All methods may be called by any thread at any time, and a thread that is interrupted spoils at most its own call.
 */
public interface IoManager extends Closeable {
    /** The most that {@link #copyTo} holds of a file at once, in bytes. */
    int COPY_CHUNK = 1 << 20;

    /**
     * Returns the names of the regular files in the directory, in no particular order. Files that the manager keeps for
     * itself, as for its lock, are not among them, and their names are refused everywhere else.
     */
    List<String> list() throws IOException;

    /**
     * Returns the names in the directory that nothing can be created under, and that are no regular files: directories,
     * links, pipes, devices. An engine leaves them alone, and takes other names. None, for a manager that has only files.
     */
    default List<String> listObstacles() throws IOException {
        return List.of();
    }

    /**
     * Takes the directory for this process: {@code exclusive} for a writer, otherwise shared with other readers. A lock
     * left behind by a process that is gone does not count. A reader changes nothing in the directory, and needs nothing of
     * a writer in it. At most one lock is taken per manager; {@link Lock#close()} releases it.
     *
     * <p>Where a writer's lock can be lost while it is held, because somebody removes what it rests on, calls that create,
     * rename, delete or force say so by an {@link EngineLockedException}: nothing is forced without an error after another
     * writer could have come.
     *
     * @throws EngineLockedException if another holder is in the way; the message names it as well as the system can tell
     */
    Lock lock(boolean exclusive) throws IOException;

    /**
     * Creates a file that must not exist and opens it for reading and writing.
     *
     * @param expectedLength how long the file will probably become, in bytes; a hint, 0 if not known
     */
    WritableFile create(String name, long expectedLength) throws IOException;

    /**
     * Creates a file as {@link #create} does. It will be written once from its start to its end, in large pieces, and is
     * rarely read through this handle. An implementation tuned for small appends may use a different strategy here.
     *
     * @param expectedLength as for {@link #create}
     */
    default WritableFile createSequential(String name, long expectedLength) throws IOException {
        return create(name, expectedLength);
    }

    /** Opens an existing file for reading and writing. */
    WritableFile openWritable(String name) throws IOException;

    /**
     * Opens a file that is written in place, as a file of pages is.
     *
     * @param create whether to create the file if it is missing; otherwise that is a {@link
     *     java.nio.file.NoSuchFileException}
     */
    default PagedFile openPaged(String name, boolean create) throws IOException {
        boolean isThere = !create || list().contains(name);
        return PagedFile.over(isThere ? openWritable(name) : create(name, 0));
    }

    /**
     * Opens an existing file for reading that others may write in place, in this process or another; so unlike {@link #open} it
     * takes no part of the file for final.
     */
    default ReadableFile openPagedReadOnly(String name) throws IOException {
        return open(name);
    }

    /**
     * Locks a single file, for engines whose store is one file in a directory that is not theirs. The lock excludes other
     * engines of this process and, as far as the system can, other processes; it ends with the process.
     *
     * @param exclusive whether to exclude everybody else; otherwise writers only
     * @throws EngineLockedException if another holder is in the way
     */
    default Lock lockFile(String name, boolean exclusive) throws IOException {
        return () -> {};
    }

    /** Opens an existing file, which nobody writes any more, for reading. */
    ReadableFile open(String name) throws IOException;

    /** Returns the length of an existing file, in bytes. */
    long length(String name) throws IOException;

    /** Renames a file, atomically taking the place of an existing one. */
    void rename(String from, String to) throws IOException;

    /** Deletes an existing file. Handles that are open on it keep working. */
    void delete(String name) throws IOException;

    /**
     * Makes a closed, no longer written file appear in {@code target}'s directory under the same name, as a hard link
     * where the file system can, otherwise as a copy. The name must be free there.
     */
    void linkTo(IoManager target, String name) throws IOException;

    /**
     * Makes a copy of the first {@code length} bytes of a file appear in {@code target}'s directory under a name that must
     * be free there, and forces its content. The copy is a file of its own: nothing that is done to either file shows in
     * the other. A manager may have the file system clone the bytes. If this fails, there is no copy.
     *
     * @throws EOFException if the file is shorter than that
     */
    default void copyTo(IoManager target, String name, long length, String newName) throws IOException {
        copyByReading(this, target, name, length, newName);
    }

    /** Copies a file as {@link #copyTo} says, by reading it from one manager and writing it to the other. */
    static void copyByReading(IoManager from, IoManager target, String name, long length, String newName)
            throws IOException {
        try (ReadableFile source = from.open(name);
                WritableFile copy = target.createSequential(newName, length)) {
            try {
                byte[] chunk = new byte[(int) Math.min(length, COPY_CHUNK)];
                for (long done = 0; done < length; ) {
                    int count = source.read(done, chunk, 0, (int) Math.min(chunk.length, length - done));
                    if (count <= 0) {
                        throw new EOFException("file is shorter than what is to be copied: file=" + name + ", length="
                                + done + ", expected=" + length);
                    }
                    copy.write(done, chunk, 0, count);
                    done += count;
                }
                copy.force();
            } catch (Throwable e) {
                try {
                    target.delete(newName);
                } catch (IOException suppressed) {
                    e.addSuppressed(suppressed);
                }
                throw e;
            }
        }
    }

    /** Makes all creations, renames and deletions before this call durable. */
    void syncDirectory() throws IOException;

    /** Returns how many bytes can still be written to the file system, as far as it tells. */
    long usableSpace() throws IOException;

    /** Returns the directory in a form for messages. */
    String describe();

    /** Gives back what the manager itself holds. The files that it opened are closed by those who opened them. */
    @Override
    void close() throws IOException;

    /** A held directory lock. Closing it twice is fine. */
    interface Lock extends Closeable {}
}
