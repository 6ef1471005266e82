package dev.caskwright.api.spi.io;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Small files and directories that stand beside stores and tell of them: which copy is the present one, which node this is. For the
 * makers of such; safe for any number of threads that do not meet at one file.
 */
public final class SideFiles {
    /** Comes after the name of a file that is being written. */
    public static final String FRESH = ".new";

    private static final int MAX_BYTES = 1 << 20;

    private SideFiles() {}

    /**
     * Writes a file so that after a crash it is there whole, with the old content or the new one, and returns when the new one survives a
     * power loss. Whatever has the same name with {@link #FRESH} after it is deleted on the way, and a crash may leave such a file.
     *
     * @throws IOException if it cannot be written; the file is as it was, or new
     */
    public static void replace(Path file, String content) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + FRESH);
        Files.deleteIfExists(fresh); // opened, a link would have what it leads to overwritten, and a pipe would wait
        try (FileChannel out = FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content.getBytes(UTF_8));
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true); // before the rename, which must not name what a power loss takes
        }
        Path directory = file.toAbsolutePath().getParent();
        if (directory == null) {
            throw new IOException("a file system's root is no file: file=" + file);
        }
        // Opened before the rename: without descriptors the file is as it was.
        try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            names.force(true);
        }
    }

    /**
     * Reads a file of lines with a name, an equals sign and a value each; returns the values by their names. Other lines count for nothing.
     *
     * @throws UnsupportedFormatException if it is no regular file, or longer than any of this kind
     */
    public static Map<String, String> readPairs(Path file) throws IOException {
        if (requireRegular(file).size() > MAX_BYTES) {
            throw new UnsupportedFormatException(
                    "the file is too long to be what its name says: file=" + file + ", longest=" + MAX_BYTES);
        }
        String content;
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            content = new String(in.readNBytes(MAX_BYTES), UTF_8);
        }
        Map<String, String> found = new HashMap<>();
        for (String line : content.split("\n", -1)) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                found.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return found;
    }

    /** Refuses what is no regular file, before it is opened: opening a pipe waits for its other end, and a link leads to files of others. */
    static BasicFileAttributes requireRegular(Path file) throws IOException {
        BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!found.isRegularFile()) {
            throw new UnsupportedFormatException(
                    "not a regular file, although its name is that of one of ours: move it away: file=" + file);
        }
        return found;
    }

    /** Has a file, or the names in a directory, survive a power loss. */
    public static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Deletes a directory and all that is in it, without following links. One that is missing is fine. */
    public static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
