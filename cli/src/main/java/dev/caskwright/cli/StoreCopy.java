package dev.caskwright.cli;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.IoManagerFactory;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;

/** Copies the files of a store that nobody writes, byte for byte: the copy shares none with it. */
final class StoreCopy {
    private static final int CHUNK_BYTES = 1 << 20;

    private StoreCopy() {}

    /** Copies all files of {@code source} into the new directory {@code target}, and makes them survive a power loss. */
    @SuppressWarnings("try") // the locks are only held
    static void copy(IoManagerFactory factory, Path source, Path target) throws IOException {
        try (IoManager from = factory.open(source, false);
                IoManager.Lock fromLock = from.lock(false);
                IoManager to = factory.open(target, true);
                IoManager.Lock toLock = to.lock(true)) {
            byte[] chunk = new byte[CHUNK_BYTES];
            for (String name : from.list()) {
                copy(from, to, name, chunk);
            }
            to.syncDirectory();
        }
    }

    /** Makes the entries of a directory survive a power loss. */
    static void syncDirectory(IoManagerFactory factory, Path directory) throws IOException {
        try (IoManager io = factory.open(directory, false)) {
            io.syncDirectory();
        }
    }

    private static void copy(IoManager from, IoManager to, String name, byte[] chunk) throws IOException {
        try (ReadableFile in = from.open(name);
                WritableFile out = to.create(name, from.length(name))) {
            long length = in.length();
            for (long offset = 0; offset < length; ) {
                int read = in.read(offset, chunk, 0, (int) Math.min(chunk.length, length - offset));
                if (read == 0) {
                    throw new EOFException("file became shorter while it was copied: file=" + name);
                }
                out.write(offset, chunk, 0, read);
                offset += read;
            }
            out.force();
        }
    }
}
