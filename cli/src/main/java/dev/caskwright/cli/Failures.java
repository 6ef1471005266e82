package dev.caskwright.cli;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.engine.OutdatedPluginException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Says in one line what went wrong. */
final class Failures {
    private Failures() {}

    static String describe(Throwable failure) {
        if (failure instanceof UncheckedIOException e && e.getCause() != null) {
            return describe(e.getCause());
        }
        if (failure instanceof EngineException e) {
            return message(e)
                    + (e.outcome() == Outcome.UNKNOWN ? " (it is not known whether the write is stored)" : "");
        }
        if (failure instanceof FileSystemException e) {
            return describe(e);
        }
        if (failure instanceof IOException
                || failure instanceof UsageException
                || failure instanceof MissingFacetException
                || failure instanceof OutdatedPluginException) {
            return message(failure);
        }
        if (failure instanceof OutOfMemoryError) {
            return "out of memory (" + message(failure) + "): give the JVM more, as in CASKWRIGHT_JAVA_OPTS=-Xmx4g";
        }
        if (failure instanceof InterruptedException) {
            return "interrupted";
        }
        // Not foreseen: the type tells more than many a message.
        return failure.getClass().getSimpleName() + ": " + message(failure);
    }

    /** The JDK's own messages are a bare path for these. */
    private static String describe(FileSystemException failure) {
        String path = String.valueOf(failure.getFile());
        if (failure.getReason() == null) {
            if (failure instanceof NoSuchFileException) {
                return "no such file or directory: " + path;
            }
            if (failure instanceof NotDirectoryException) {
                return "not a directory: " + path;
            }
            if (failure instanceof AccessDeniedException) {
                return "permission denied: " + path;
            }
            if (failure instanceof FileAlreadyExistsException) {
                return "already exists: " + path;
            }
            if (failure instanceof DirectoryNotEmptyException) {
                return "directory is not empty: " + path;
            }
            return "the system refused, without a reason: " + path;
        }
        return message(failure);
    }

    private static String message(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
    }
}
