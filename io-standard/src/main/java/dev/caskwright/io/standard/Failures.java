package dev.caskwright.io.standard;

import dev.caskwright.api.OutOfSpaceException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Turns refusals of the system into errors that name the file, and a full disk, or a file that may not grow, into its own type.
 *
 * <p>The JDK does not tell the number of an error, only the text that the C library has for it, in the language of the
 * process. The English texts are known here. In other languages a file system without a usable byte is taken as the
 * reason; a used-up quota then shows as a plain {@link IOException}, since file systems report the room of the disk and
 * not of the user.
 */
final class Failures {
    private static final List<String> OUT_OF_SPACE_TEXTS = List.of(
            "no space left on device", // ENOSPC
            "disk quota exceeded", // EDQUOT
            "quota exceeded",
            "file too large", // EFBIG: a limit of the process, or of the file system for one file
            "not enough space on the disk"); // Windows

    private Failures() {}

    /** Returns the error for a call that changes the disk. */
    static IOException ofChange(String rule, Path file, long offset, long length, IOException cause) {
        String message =
                rule + ": file=" + file + ", offset=" + offset + ", length=" + length + ", reason=" + reason(cause);
        return isOutOfSpace(file, cause) ? new OutOfSpaceException(message, cause) : new IOException(message, cause);
    }

    /** Returns {@code cause}, or an {@link OutOfSpaceException} if that is what it says. */
    static IOException ofNameChange(String rule, Path file, IOException cause) {
        return isOutOfSpace(file, cause)
                ? new OutOfSpaceException(rule + ": file=" + file + ", reason=" + reason(cause), cause)
                : cause;
    }

    /** Returns the error for a call that reads. */
    static IOException ofRead(Path file, long offset, long length, IOException cause) {
        return new IOException(
                "read failed: file=" + file + ", offset=" + offset + ", length=" + length + ", reason=" + reason(cause),
                cause);
    }

    private static String reason(IOException cause) {
        // Their message starts with the file, which the caller names as well, and may be nothing but that.
        String text = cause instanceof FileSystemException system ? system.getReason() : cause.getMessage();
        return text == null ? cause.getClass().getSimpleName() : text;
    }

    private static boolean isOutOfSpace(Path file, IOException cause) {
        String text = reason(cause).toLowerCase(Locale.ROOT);
        for (String known : OUT_OF_SPACE_TEXTS) {
            if (text.contains(known)) {
                return true;
            }
        }
        try {
            return Files.getFileStore(file.getParent()).getUsableSpace() == 0;
        } catch (IOException e) {
            // Not even the file system answers: then the first error is the one worth reporting.
            cause.addSuppressed(e);
            return false;
        }
    }
}
