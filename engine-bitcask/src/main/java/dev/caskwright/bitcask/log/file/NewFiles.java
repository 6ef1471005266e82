package dev.caskwright.bitcask.log.file;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.keys.FileKey;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Makes new data files. A file that cannot be made has changed nothing: what there is of it is removed, at once or before the
 * next file is made.
 */
public final class NewFiles {
    /** Takes up a file that has its header on disk. */
    public interface Registry {
        DataFile add(long id, boolean merged, long history, @Nullable FileKey key, WritableFile handle)
                throws IOException;
    }

    private final IoManager io;
    private final Manifest manifest;
    private final Registry registry;
    private @Nullable String leftBehind; // a file of the log that could not be deleted; under the write lock

    public NewFiles(IoManager io, Manifest manifest, Registry registry) {
        this.io = io;
        this.manifest = manifest;
        this.registry = registry;
    }

    /** Makes a file with its header; encrypted if there is a key. */
    public DataFile create(
            long id, boolean merged, long previousId, long history, @Nullable FileKey key, long expectedLength)
            throws IOException {
        String name = merged ? FileNames.merged(id) : FileNames.data(id);
        WritableFile handle = null;
        try {
            handle = merged ? io.createSequential(name, expectedLength) : io.create(name, expectedLength);
            byte[] header =
                    DataFile.encodeHeader(manifest.store(), id, previousId, history, key == null ? null : key.note());
            handle.write(0, header, 0, header.length);
            return registry.add(id, merged, history, key, handle);
        } catch (IOException | RuntimeException | Error e) {
            giveUp(name, merged, handle, e);
            throw e instanceof OutOfSpaceException space ? space : notCreated(name, e);
        }
    }

    private void giveUp(String name, boolean merged, @Nullable WritableFile handle, Throwable cause) {
        try {
            if (handle != null) {
                handle.close();
            }
            Unneeded.deleteIfThere(io, name);
        } catch (IOException | RuntimeException | Error e) {
            Causes.add(cause, e);
            if (!merged) {
                leftBehind = name; // that of a merge is none of the log, and goes with the next opening
            }
        }
    }

    /** Returns whether a call failed before it changed anything, so that nothing is in doubt. */
    public static boolean hasChangedNothing(EngineException e) {
        return e.code() == ErrorCode.UNAVAILABLE && e.outcome() == Outcome.NOT_APPLIED;
    }

    private static EngineException notCreated(String name, Throwable e) {
        return new EngineException(
                ErrorCode.UNAVAILABLE,
                Outcome.NOT_APPLIED,
                "no new data file could be made, nothing was written, try again: file=" + name + ", " + e,
                e);
    }

    /**
     * Removes a file that could neither be made nor deleted: without a sound header, it would look like the end of the log
     * after a crash, with records after it.
     */
    public void removeLeftBehind() throws IOException {
        String name = leftBehind;
        if (name == null) {
            return;
        }
        try {
            Unneeded.deleteIfThere(io, name);
        } catch (IOException e) {
            throw notCreated(name, e);
        }
        leftBehind = null;
    }
}
