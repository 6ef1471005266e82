package dev.caskwright.replica;

import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.api.spi.io.SideLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The directory of a replica.
 *
 * <pre>
 * lock        held by the replica that has the directory
 * replica     says that it is the directory of a replica
 * current     which copy is the replica's store, and of which moment of the source it was made
 * copy-N/     copies of the source's store
 * </pre>
 *
 * <p>A new copy gets the number behind the current one. It is whole and forced before {@code current} names it, by a rename; the one
 * before is deleted after that. So whatever a crash leaves, {@code current} names a whole copy. The copy behind it is a part of a
 * next one, which is gone on with; all others are leftovers.
 */
final class ReplicaFiles implements AutoCloseable {
    static final String MARK = "replica";
    static final String CURRENT = "current";
    private static final String COPY = "copy-";
    private static final String FORMAT = "1";
    private static final int RADIX = 16;

    /**
     * A copy that is, or is to be, the replica's store.
     *
     * @param number that of its directory
     * @param id drawn at random
     * @param start the moment of the source that it was made of
     */
    record Current(long number, long id, Moment start) {}

    private final Path directory;
    private final SideLock lock;

    private ReplicaFiles(Path directory, SideLock lock) {
        this.directory = directory;
        this.lock = lock;
    }

    /**
     * Makes the directory that of a replica, or checks that it is, and keeps other replicas out of it until this is closed.
     *
     * @throws UnsupportedFormatException if it holds something else; nothing was changed
     * @throws EngineLockedException if another replica has it
     */
    static ReplicaFiles claim(Path directory) throws IOException {
        Files.createDirectories(directory);
        isClaimed(directory);
        Path real = directory.toRealPath();
        ReplicaFiles files = new ReplicaFiles(real, SideLock.hold(real, "replica"));
        try {
            if (!isClaimed(real)) {
                SideFiles.replace(real.resolve(MARK), "format=" + FORMAT + "\n");
            }
            return files;
        } catch (IOException | RuntimeException e) {
            files.close();
            throw e;
        }
    }

    private static boolean isClaimed(Path directory) throws IOException {
        Path mark = directory.resolve(MARK);
        if (Files.exists(mark)) {
            requireFormat(mark, SideFiles.readPairs(mark));
            return true;
        }
        try (Stream<Path> files = Files.list(directory)) {
            // A crash may have left what this class makes before the directory is a replica's.
            Set<String> own = Set.of(SideLock.NAME, MARK + SideFiles.FRESH);
            if (files.anyMatch(file -> !own.contains(file.getFileName().toString()))) {
                throw new UnsupportedFormatException("the directory is not empty, and not that of a replica: directory="
                        + directory + "; give each replica an empty directory of its own");
            }
        }
        return false;
    }

    /** Returns the directory of a copy. */
    Path copy(long number) {
        return directory.resolve(COPY + number);
    }

    Path directory() {
        return directory;
    }

    /** Returns which copy is the store; null if there is none yet. */
    @Nullable Current current() throws IOException {
        Path file = directory.resolve(CURRENT);
        if (!Files.exists(file)) {
            return null;
        }
        Map<String, String> found = SideFiles.readPairs(file);
        requireFormat(file, found);
        Current current;
        try {
            current = new Current(
                    Long.parseLong(found.getOrDefault("copy", "")),
                    number(found, "id"),
                    new Moment(number(found, "history"), Long.parseLong(found.getOrDefault("version", ""))));
        } catch (NumberFormatException e) {
            throw new UnsupportedFormatException("the file does not say which copy is the store: file=" + file
                    + "; delete the replica's directory, and make the replica anew");
        }
        if (!Files.isDirectory(copy(current.number()))) {
            throw new UnsupportedFormatException("the replica's store is missing: directory=" + copy(current.number())
                    + "; delete the replica's directory, and make the replica anew");
        }
        return current;
    }

    private static long number(Map<String, String> found, String name) {
        return Long.parseUnsignedLong(found.getOrDefault(name, ""), RADIX);
    }

    /** Has a copy be the store from now on. All in it has been forced. */
    void switchTo(Current next) throws IOException {
        SideFiles.force(directory); // the name of the copy itself
        String content = "format=" + FORMAT + "\ncopy=" + next.number() + "\nid="
                + Long.toUnsignedString(next.id(), RADIX) + "\nhistory="
                + Long.toUnsignedString(next.start().history(), RADIX) + "\nversion="
                + next.start().version() + "\n";
        SideFiles.replace(directory.resolve(CURRENT), content);
    }

    /** Deletes copies that are neither the store nor a part of a next one. */
    void deleteLeftovers(@Nullable Current current) throws IOException {
        long number = current == null ? 0 : current.number();
        Set<String> kept = Set.of(COPY + number, COPY + (number + 1));
        List<Path> leftovers;
        try (Stream<Path> files = Files.list(directory)) {
            leftovers = files.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.startsWith(COPY) && !kept.contains(name);
                    })
                    .toList();
        }
        for (Path leftover : leftovers) {
            SideFiles.deleteTree(leftover);
        }
    }

    private static void requireFormat(Path file, Map<String, String> found) throws UnsupportedFormatException {
        if (!FORMAT.equals(found.get("format"))) {
            throw new UnsupportedFormatException("the replica's directory is of another format: file=" + file
                    + ", format=" + found.get("format") + ", known=" + FORMAT
                    + "; open it with the version that wrote it, or make the replica anew");
        }
    }

    /** Lets other replicas have the directory. Closing twice is fine. */
    @Override
    public void close() throws IOException {
        lock.close();
    }
}
