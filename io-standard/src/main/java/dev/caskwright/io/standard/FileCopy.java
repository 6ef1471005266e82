package dev.caskwright.io.standard;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * Copies a file within the kernel. Since Java 20 that is a call by which a file system that can clone shares the blocks of
 * both files until one of them is changed; elsewhere the bytes are copied.
 */
final class FileCopy {
    private FileCopy() {}

    /** Copies the first bytes of a file to one that must not exist, and forces them. If this fails, there is no copy. */
    static void copy(Path source, long length, Path target, Access access) throws IOException {
        Set<OpenOption> options = ChannelFile.openOptions(true);
        options.add(StandardOpenOption.CREATE_NEW);
        try (FileChannel from = FileChannel.open(source, ChannelFile.openOptions(false))) {
            FileChannel to;
            try {
                to = FileChannel.open(target, options, access.file(target));
            } catch (IOException e) {
                throw Failures.ofNameChange("create failed", target, e);
            }
            boolean isDone = false;
            try (to) {
                access.settleFile(target);
                transfer(from, source, length, to, target);
                isDone = true;
            } finally {
                if (!isDone) {
                    Files.deleteIfExists(target);
                }
            }
        }
    }

    private static void transfer(FileChannel from, Path source, long length, FileChannel to, Path target)
            throws IOException {
        long done = 0;
        try {
            while (done < length) {
                long count = from.transferTo(done, length - done, to);
                if (count <= 0) {
                    throw new EOFException("file is shorter than what is to be copied: file=" + source + ", length="
                            + done + ", expected=" + length);
                }
                done += count;
            }
            to.force(true);
        } catch (EOFException e) {
            throw e;
        } catch (IOException e) {
            throw Failures.ofChange("copy failed", target, done, length, e);
        }
    }
}
