package dev.caskwright.api.spi.log;

import dev.caskwright.api.spi.io.IoManager;
import java.io.IOException;
import java.util.Collection;

/** Opens a record log over the files of an IO manager. */
public interface RecordLogFactory {
    /**
     * Opens the log of a directory that the caller has locked, and recovers it.
     *
     * @param startupIo reads files until {@link RecordLogOpening#finish}; may be {@code io} itself
     */
    RecordLogOpening open(IoManager io, IoManager startupIo, RecordLogOptions options) throws IOException;

    /** Returns whether a directory with files of these names holds a log, whole or damaged. Judges by the names alone. */
    boolean isLog(Collection<String> names);

    /** Returns whether a file of this name may belong to a log, or was left by making one. Judges by the name alone. */
    boolean isOwn(String name);

    /** Reads every byte of the log and reports what is damaged. Changes nothing. */
    void verify(IoManager io, VerifyListener listener) throws IOException;

    /** Receives what a check finds. */
    interface VerifyListener {
        /** Takes a damaged place. */
        void damaged(String file, long offset, String what);

        /** Takes the number of sound records and of bytes in a file that was read. */
        void sound(long records, long bytes);
    }
}
