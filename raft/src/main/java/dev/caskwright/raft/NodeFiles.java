package dev.caskwright.raft;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.api.spi.io.SideLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The directory of a node, and how a store that was copied from another member takes the place of its own.
 *
 * <pre>
 * lock        held by the node that has the directory
 * member      which member of which group this is
 * store/      the store
 * log/        Raft's log, as Ratis keeps it
 * time        a time that the store had reached when it was last forced
 * incoming/   a store that is being copied from another member
 * complete    says that incoming/ is whole and forced
 * old/        the store whose place was taken
 * outgoing/   checkpoints that other members are copying
 * </pre>
 *
 * <p>The order of a swap is the whole argument for crashes. {@code complete} is written once everything in {@code incoming} is
 * forced. From then on {@code incoming} is the store: {@code store} is renamed to {@code old}, {@code incoming} to {@code store},
 * then {@code complete} is removed, and {@code old} deleted. Each step is forced before the next. {@link #finishSwap} goes on from
 * wherever a crash left it; before {@code complete}, the copy is a leftover, which the next copy goes on with or deletes.
 */
final class NodeFiles {
    /** In a directory of several groups: how many they are. See {@link RaftGroups}. */
    static final String GROUPS = "groups";

    private static final String FORMAT = "1";

    /** In that file: each of the groups has its directory. */
    private static final String HAVE_BEGUN = "begun";

    private final Path directory;

    /** Is told each step of a swap before it is done; tests crash there. */
    private final Consumer<String> steps;

    NodeFiles(Path directory, Consumer<String> steps) {
        this.directory = directory;
        this.steps = steps;
    }

    Path store() {
        return directory.resolve("store");
    }

    Path log() {
        return directory.resolve("log");
    }

    Path incoming() {
        return directory.resolve("incoming");
    }

    Path outgoing() {
        return directory.resolve("outgoing");
    }

    Path removedGroups() {
        return directory.resolve("removed");
    }

    private Path old() {
        return directory.resolve("old");
    }

    private Path complete() {
        return directory.resolve("complete");
    }

    private Path member() {
        return directory.resolve("member");
    }

    private Path time() {
        return directory.resolve("time");
    }

    /**
     * Makes the directory that of a member, or checks that it is, and keeps other nodes out of it.
     *
     * @return what keeps them out, for the node to close
     * @throws UnsupportedFormatException if it belongs to another member or group, or holds something else; nothing was changed
     * @throws dev.caskwright.api.EngineLockedException if another node has it
     */
    SideLock claim(UUID group, String id) throws IOException {
        Files.createDirectories(directory);
        isClaimed(group, id);
        SideLock lock = SideLock.hold(directory, "node");
        try {
            if (!isClaimed(group, id)) {
                SideFiles.replace(member(), "format=" + FORMAT + "\ngroup=" + group + "\nid=" + id + "\n");
            }
            return lock;
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Returns whether the directory is that of the member; one that is neither that nor empty is refused. */
    private boolean isClaimed(UUID group, String id) throws IOException {
        if (Files.exists(member())) {
            Map<String, String> found = readMember();
            if (!FORMAT.equals(found.get("format"))) {
                throw new UnsupportedFormatException("the directory is of another format: directory=" + directory
                        + ", format=" + found.get("format") + ", known=" + FORMAT);
            }
            if (!group.toString().equals(found.get("group")) || !id.equals(found.get("id"))) {
                throw new UnsupportedFormatException("the directory belongs to another member: directory=" + directory
                        + ", its group=" + found.get("group") + ", its id=" + found.get("id") + ", asked for group="
                        + group
                        + ", id=" + id + "; give each member a directory of its own");
            }
            return true;
        }
        if (Files.exists(directory.resolve(GROUPS))) {
            throw otherCount(directory, countOfGroups(directory), 1);
        }
        try (Stream<Path> files = Files.list(directory)) {
            // A crash may have left what this method made, before it made the directory a member's.
            Set<String> own = Set.of("member" + SideFiles.FRESH, SideLock.NAME);
            if (files.anyMatch(file -> !own.contains(file.getFileName().toString()))) {
                throw new UnsupportedFormatException("the directory is not empty, and not that of a member: directory="
                        + directory + "; give each member an empty directory of its own");
            }
        }
        return false;
    }

    private Map<String, String> readMember() throws IOException {
        return SideFiles.readPairs(member());
    }

    /**
     * Makes a directory that of so many groups, or checks that it is.
     *
     * @throws UnsupportedFormatException if it has another number of groups, or holds something else, or lacks one that has begun;
     *     nothing was changed
     */
    static void claimForGroups(Path directory, int count) throws IOException {
        Files.createDirectories(directory);
        NodeFiles own = new NodeFiles(directory, step -> {});
        if (Files.exists(own.member())) {
            throw otherCount(directory, 1, count);
        }
        Path file = directory.resolve(GROUPS);
        if (Files.exists(file)) {
            int found = countOfGroups(directory);
            if (found != count) {
                throw otherCount(directory, found, count);
            }
            refuseMissing(directory, count);
            return;
        }
        try (Stream<Path> files = Files.list(directory)) {
            // A crash may have left it before the directory was one of groups.
            if (files.anyMatch(each -> !each.getFileName().toString().equals(GROUPS + SideFiles.FRESH))) {
                throw new UnsupportedFormatException("the directory is not empty, and not that of groups: directory="
                        + directory + "; give each process an empty directory of its own");
            }
        }
        SideFiles.replace(file, groupsFile(count, false));
    }

    private static String groupsFile(int count, boolean haveBegun) {
        return "format=" + FORMAT + "\ngroups=" + count + "\n" + (haveBegun ? HAVE_BEGUN + "=yes\n" : "");
    }

    /** Returns the directory of the member in one of several groups. */
    static Path ofGroup(Path directory, int number) {
        return directory.resolve("group-" + number);
    }

    /** Refuses to begin a group anew that was there: as a member without a log it could vote twice. */
    private static void refuseMissing(Path directory, int count) throws IOException {
        if (!SideFiles.readPairs(directory.resolve(GROUPS)).containsKey(HAVE_BEGUN)) {
            return; // a crash may have come before all were there
        }
        for (int i = 0; i < count; i++) {
            Path group = ofGroup(directory, i);
            if (!Files.exists(new NodeFiles(group, step -> {}).member())) {
                throw new UnsupportedFormatException("the directory of a group is missing: directory=" + group
                        + "; put it back, or take the members of this process out of all groups, and add them again with an"
                        + " empty directory and another id");
            }
        }
    }

    /** Notes that each group has its directory from now on. */
    static void noteBegun(Path directory, int count) throws IOException {
        Path file = directory.resolve(GROUPS);
        if (!SideFiles.readPairs(file).containsKey(HAVE_BEGUN)) {
            SideFiles.replace(file, groupsFile(count, true));
        }
    }

    private static int countOfGroups(Path directory) throws IOException {
        Map<String, String> found = SideFiles.readPairs(directory.resolve(GROUPS));
        if (!FORMAT.equals(found.get("format"))) {
            throw new UnsupportedFormatException("the directory is of another format: directory=" + directory
                    + ", format=" + found.get("format") + ", known=" + FORMAT);
        }
        try {
            return Integer.parseInt(found.getOrDefault("groups", ""));
        } catch (NumberFormatException e) {
            throw new UnsupportedFormatException("the file does not say how many groups there are: file="
                    + directory.resolve(GROUPS) + "; restore it, it says groups= and their number");
        }
    }

    private static UnsupportedFormatException otherCount(Path directory, int found, int wanted) {
        return new UnsupportedFormatException("the directory has another number of groups: directory=" + directory
                + ", groups=" + found + ", asked for groups=" + wanted
                + "; it is chosen when the first member begins, and stays");
    }

    /** Returns a time that the store had reached for certain, in milliseconds since 1970; 0 if none is known. */
    long timeReached() throws IOException {
        try {
            return Long.parseLong(Files.readString(time()).trim());
        } catch (NoSuchFileException e) {
            return 0;
        } catch (NumberFormatException e) {
            throw new UnsupportedFormatException(
                    "the file does not hold a time: file=" + time() + "; delete it, it is only a note");
        }
    }

    /** Notes a time that the store has reached, once that has been forced. */
    void noteTime(long millis) throws IOException {
        SideFiles.replace(time(), millis + "\n");
    }

    /** Makes room for another copy. One that was whole and waited is given up first: a mark must not stand beside a part. */
    void dropIncoming() throws IOException {
        if (Files.deleteIfExists(complete())) {
            SideFiles.force(directory);
        }
        SideFiles.deleteTree(incoming());
    }

    /** Says that {@link #incoming} is whole. All in it has been forced. */
    void markComplete() throws IOException {
        steps.accept("complete");
        SideFiles.force(directory); // the name of incoming itself
        SideFiles.replace(complete(), "format=" + FORMAT + "\n");
    }

    /** Returns whether a whole copy waits to take the place of the store. */
    boolean isComplete() {
        return Files.exists(complete()) && Files.exists(incoming());
    }

    /**
     * Puts a whole copy in the place of the store, or goes on with that where a crash left it. The store is closed.
     *
     * @return whether there was one
     */
    boolean finishSwap() throws IOException {
        if (!Files.exists(complete())) {
            deleteOld();
            return false;
        }
        boolean isWaiting = Files.exists(incoming());
        if (isWaiting) {
            if (Files.exists(store())) {
                SideFiles.deleteTree(old());
                steps.accept("store to old");
                Files.move(store(), old(), StandardCopyOption.ATOMIC_MOVE);
                SideFiles.force(directory);
            }
            steps.accept("incoming to store");
            Files.move(incoming(), store(), StandardCopyOption.ATOMIC_MOVE);
            SideFiles.force(directory);
        }
        // A time that the old store had reached may be later than what the new one says, never the other way round: the
        // copy is
        // of a member that was ahead. It stays a time that this member had reached.
        steps.accept("remove complete");
        Files.delete(complete());
        SideFiles.force(directory);
        steps.accept("delete old");
        deleteOld();
        return true;
    }

    /** Deletes the old store, if there is one, unless it is the only one: that never happens but by somebody's hand. */
    private void deleteOld() throws IOException {
        if (!Files.exists(old())) {
            return;
        }
        if (!Files.exists(store())) {
            throw new IOException("the store is missing, and one whose place was taken is there: directory=" + directory
                    + "; if nothing was moved by hand, take the member out of the group and add it again with"
                    + " an empty directory");
        }
        SideFiles.deleteTree(old());
    }
}
