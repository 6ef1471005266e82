package dev.caskwright.cli;

import dev.caskwright.api.EngineStats;
import dev.caskwright.api.OpeningStats;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.owner.OwnerReport;
import dev.caskwright.owner.OwnerSocket;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Everything that {@code doctor} looks at. Limits are where trouble begins to show, not where it is certain. */
final class Examination {
    private static final double MUCH_AMPLIFICATION = 2.0;
    private static final long LITTLE_BYTES = 64L << 20; // below it amplification says nothing
    private static final double FULL_HEAP = 0.9;
    private static final double HEAP_FOR_INDEX = 0.7;
    private static final double NEARLY_ALL_DESCRIPTORS = 0.8;
    private static final long SLOW_OPENING_MILLIS = 10_000;
    private static final long FUTURE_MILLIS = 60_000;
    private static final int MAX_NAMES = 5;
    private static final int SWAPPED_SHARE = 4;
    private static final Set<String> VOLATILE_FILE_SYSTEMS = Set.of("tmpfs", "ramfs");
    private static final Set<String> NETWORK_FILE_SYSTEMS =
            Set.of("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph", "lustre");

    private static final Pattern OWN_NAME = Pattern.compile(
            "MANIFEST|LOCK(\\.wanted)?|OWNER|\\d{8,10}\\.(data|merged|hint|image)|manifest\\.moss|(log|sorted)-\\d+\\.moss|lost\\+found"
                    + "|OWNER\\.socket");
    private static final Pattern LEFTOVER =
            Pattern.compile("MANIFEST\\.new(\\.\\d)?|manifest\\.moss\\.new|OWNER\\.socket\\.new");

    private final Path directory;
    private final Figures figures;
    private final Machine machine;
    private final List<Diagnosis> found = new ArrayList<>();

    Examination(Path directory, Figures figures, Machine machine) {
        this.directory = directory;
        this.figures = figures;
        this.machine = machine;
    }

    List<Diagnosis> all() throws IOException {
        owner();
        amplification();
        encryption();
        opening();
        files();
        access();
        fileSystem();
        heap();
        largePages();
        descriptors();
        clock();
        return found;
    }

    private void owner() throws IOException {
        OwnerReport owner = figures.owner();
        if (owner == null) {
            boolean isDead = Files.exists(directory.resolve(OwnerSocket.NAME), LinkOption.NOFOLLOW_LINKS);
            found.add(Diagnosis.ok(
                    "owner",
                    "nobody has the store open"
                            + (isDead
                                    ? "; the socket of an owner that was killed is left, the next one replaces it"
                                    : "")));
            return;
        }
        if (!owner.failure().isEmpty()) {
            found.add(Diagnosis.change(
                    "owner",
                    "process " + owner.pid() + " refuses writes since: " + owner.failure()
                            + "; mend the cause and open the store again, nothing that was acknowledged is lost"));
        } else {
            found.add(Diagnosis.ok(
                    "owner",
                    "process " + owner.pid() + ", for "
                            + Human.time(Duration.ofMillis(owner.nowMillis() - owner.startedAtMillis()))));
        }
        for (String retry : owner.retries()) {
            found.add(Diagnosis.change("background", "work that failed is tried again; mend its cause: " + retry));
        }
    }

    private void amplification() {
        if (figures.stats().group(SpaceStats.class).isEmpty()) {
            return;
        }
        SpaceStats space = figures.stats().space();
        String what = String.format(
                Locale.ROOT,
                "%s on disk, %.2f times what is live; %s are dead, %s are kept for snapshots",
                Human.bytes(space.diskBytes()),
                space.amplification(),
                Human.bytes(space.deadBytes()),
                Human.bytes(space.pinnedBytes()));
        if (space.diskBytes() > LITTLE_BYTES && space.amplification() > MUCH_AMPLIFICATION) {
            found.add(Diagnosis.change(
                    "space",
                    what
                            + (space.pinnedBytes() > space.deadBytes()
                                    ? "; close old snapshots and cursors"
                                    : "; run 'caskwright merge', and leave auto-merge on in the program")));
        } else {
            found.add(Diagnosis.ok("space", what));
        }
    }

    private void encryption() {
        figures.stats().encryption().ifPresent(encryption -> {
            if (!encryption.keyId().isEmpty() && encryption.otherBytes() + encryption.plainBytes() > 0) {
                found.add(Diagnosis.note(
                        "encryption",
                        Human.bytes(encryption.plainBytes()) + " are not encrypted, and "
                                + Human.bytes(encryption.otherBytes()) + " are by other keys than "
                                + encryption.keyId() + "; 'caskwright merge' encrypts all by that"));
            }
        });
    }

    private void opening() {
        OpeningStats opening = figures.stats().opening();
        if (opening.tornBytesCut() > 0) {
            found.add(Diagnosis.note(
                    "opening",
                    Human.bytes(opening.tornBytesCut())
                            + " were cut from the end of the log after a crash: writes that were"
                            + " not acknowledged, or not as durable as the crash asked; write with --durability sync what"
                            + " must survive a power loss"));
        }
        if (opening.millis() > SLOW_OPENING_MILLIS) {
            found.add(Diagnosis.note(
                    "opening",
                    "took " + Human.count(opening.millis()) + " ms for " + Human.count(opening.replayedRecords())
                            + " records; close the store before the process ends, so that it opens from an image, or take"
                            + " the index 'compact'"));
        }
    }

    private void files() throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        TreeSet<String> leftovers = new TreeSet<>();
        TreeSet<String> foreign = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (LEFTOVER.matcher(name).matches()) {
                    leftovers.add(name);
                } else if (!OWN_NAME.matcher(name).matches()) {
                    foreign.add(name);
                }
            }
        }
        if (!leftovers.isEmpty() && figures.owner() == null) {
            found.add(Diagnosis.note(
                    "leftovers",
                    names(leftovers)
                            + ": of an opening or a merge that was killed; the next opening for writing removes"
                            + " them"));
        }
        if (!foreign.isEmpty()) {
            found.add(Diagnosis.note(
                    "files", names(foreign) + ": no files of a store; they are left alone, but not copied"));
        }
        copies();
    }

    /** What a check that was killed leaves beside the store, which holds space that merges have given back. */
    private void copies() throws IOException {
        Path absolute = directory.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        if (parent == null || !Files.isReadable(parent)) {
            return;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(
                parent, path -> path.getFileName().toString().startsWith(absolute.getFileName() + ".checking-"))) {
            for (Path entry : entries) {
                found.add(Diagnosis.change(
                        "leftovers", entry + ": of a verify that was killed, or is under way; delete it if none is"));
            }
        }
    }

    private static String names(Set<String> names) {
        String some = String.join(", ", names.stream().limit(MAX_NAMES).toList());
        return names.size() <= MAX_NAMES ? some : some + " and " + (names.size() - MAX_NAMES) + " more";
    }

    private void access() throws IOException {
        if (!Files.getFileStore(directory).supportsFileAttributeView("posix")) {
            return;
        }
        Set<PosixFilePermission> rights = Files.getPosixFilePermissions(directory);
        if (rights.contains(PosixFilePermission.OTHERS_WRITE) || rights.contains(PosixFilePermission.GROUP_WRITE)) {
            found.add(Diagnosis.change("access", "others may write into the directory: chmod go-w " + directory));
        }
    }

    private void fileSystem() throws IOException {
        FileStore store = Files.getFileStore(directory);
        String type = store.type();
        if (VOLATILE_FILE_SYSTEMS.contains(type)) {
            found.add(Diagnosis.change(
                    "file system",
                    type + " is gone after a restart of the machine, whatever the durability; move the store"));
        } else if (NETWORK_FILE_SYSTEMS.contains(type)) {
            found.add(Diagnosis.change(
                    "file system",
                    type + " is a network file system, on which locks and forces are not tested; move the"
                            + " store to a local disk"));
        } else {
            found.add(Diagnosis.ok("file system", type));
        }
        long free = store.getUsableSpace();
        long disk = figures.stats().space().diskBytes();
        String what = Human.bytes(free) + " are free, and the store has " + Human.bytes(disk);
        if (free < figures.stats().space().liveBytes() / 2) {
            found.add(Diagnosis.change(
                    "disk space",
                    what + "; a merge needs room for what it writes before it gives back: free some, or merge"
                            + " more often"));
        } else {
            found.add(Diagnosis.ok("disk space", what));
        }
    }

    private void heap() {
        OwnerReport owner = figures.owner();
        EngineStats stats = figures.stats();
        long index = stats.memory().indexBytes();
        if (owner == null) {
            found.add(Diagnosis.note(
                    "heap",
                    "the index takes " + Human.bytes(index) + " with the options given here; a program wants a heap of "
                            + Human.bytes(Math.max(LITTLE_BYTES, index * 2)) + " or more for it"));
            return;
        }
        String what = Human.bytes(owner.heapUsedBytes()) + " of " + Human.bytes(owner.heapMaxBytes())
                + " are used, garbage included; the store takes "
                + Human.bytes(stats.memory().totalBytes());
        if (owner.heapUsedBytes() > owner.heapMaxBytes() * FULL_HEAP
                && stats.memory().totalBytes() > owner.heapMaxBytes() * HEAP_FOR_INDEX) {
            found.add(Diagnosis.change(
                    "heap", what + "; give the JVM more (-Xmx), or take the index 'compact', which is off the heap"));
        } else {
            found.add(Diagnosis.ok("heap", what));
        }
        machine.memory("MemTotal").ifPresent(total -> {
            if (owner.heapMaxBytes() > total * HEAP_FOR_INDEX) {
                found.add(Diagnosis.change(
                        "memory",
                        "the heap may become " + Human.bytes(owner.heapMaxBytes()) + " of " + Human.bytes(total)
                                + ": leave room for the page cache, which reads are answered from"));
            }
        });
        machine.memory("SwapTotal")
                .ifPresent(swap -> machine.memory("SwapFree").ifPresent(free -> {
                    if (swap - free > swap / SWAPPED_SHARE) {
                        found.add(Diagnosis.change(
                                "memory",
                                Human.bytes(swap - free)
                                        + " are swapped out: a swapped heap makes every pause long; lower -Xmx or"
                                        + " add memory"));
                    }
                }));
    }

    private void largePages() {
        machine.text("sys/kernel/mm/transparent_hugepage/enabled").ifPresent(mode -> {
            if (mode.contains("[never]")) {
                found.add(Diagnosis.note(
                        "large pages",
                        "are off: an index of gigabytes is read faster with them; echo madvise >"
                                + " /sys/kernel/mm/transparent_hugepage/enabled, and start the JVM with"
                                + " -XX:+UseTransparentHugePages"));
            } else {
                found.add(Diagnosis.ok(
                        "large pages",
                        mode.contains("[always]")
                                ? "are on"
                                : "can be had: start the JVM with -XX:+UseTransparentHugePages"));
            }
        });
    }

    private void descriptors() {
        OwnerReport owner = figures.owner();
        String process = owner == null ? "self" : Long.toString(owner.pid());
        int files = figures.stats().space().files();
        machine.line("proc/" + process + "/limits", "Max open files").ifPresent(line -> {
            String soft = line.replaceAll("\\s.*", "");
            if (!soft.matches("[0-9]{1,18}")) {
                return; // unlimited
            }
            long limit = Long.parseLong(soft);
            long used = owner == null
                    ? files
                    : machine.count("proc/" + process + "/fd").orElse((long) files);
            String what = Human.count(used) + " of " + Human.count(limit) + " file descriptors are "
                    + (owner == null ? "needed" : "used");
            found.add(
                    used > limit * NEARLY_ALL_DESCRIPTORS
                            ? Diagnosis.change(
                                    "descriptors",
                                    what
                                            + "; raise the limit (ulimit -n, LimitNOFILE= of systemd), or merge, or open the"
                                            + " store with larger files (max-file-bytes)")
                            : Diagnosis.ok("descriptors", what));
        });
    }

    private void clock() throws IOException {
        long now = System.currentTimeMillis();
        long newest = 0;
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
                for (Path entry : entries) {
                    newest = Math.max(newest, entry.toFile().lastModified());
                }
            }
        }
        long jumps = figures.stats().clock().jumps();
        if (newest > now + FUTURE_MILLIS) {
            found.add(
                    Diagnosis.change(
                            "clock",
                            "files of the store are from " + Human.time(Duration.ofMillis(newest - now))
                                    + " ahead: the clock was put back, or is wrong; expiry goes by it, so have it synchronised"));
        } else if (jumps > 0) {
            found.add(Diagnosis.change(
                    "clock",
                    "it jumped by more than a minute " + Human.count(jumps)
                            + " times since the store was opened; expiry goes by it, so have it synchronised"));
        } else {
            found.add(Diagnosis.ok("clock", "no jump was seen"));
        }
    }
}
