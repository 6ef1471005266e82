package dev.caskwright.moss.file;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.lang.System.Logger.Level;

/** Closes files that nobody needs any more, and deletes those that no manifest lists. */
final class Disposal {
    private Disposal() {}

    /** What fails here costs space until the next opening, which removes what no manifest lists. */
    static void dispose(IoManager io, ReadableFile file, boolean isDeleting) {
        try {
            file.close();
            if (isDeleting) {
                io.delete(file.name());
            }
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            System.getLogger(Disposal.class.getName())
                    .log(Level.WARNING, "file could not be removed; the next opening will: file=" + file.name(), e);
        }
    }
}
