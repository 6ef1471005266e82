package dev.caskwright.io.standard;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who writes to a directory, in a file beside the one that is locked, so that it can be read without touching that.
 *
 * <p>It serves messages, and whoever finds the lock file removed. While there is a lock file it decides nothing, so
 * nothing that is wrong with it keeps anybody out, be it a directory, a pipe, a full disk, or a file of somebody else's,
 * which is left alone.
 */
final class OwnerFile {
    static final String NAME = "OWNER";

    private static final int MAX_LENGTH = 512; // bytes of the file that are looked at
    private static final String UNKNOWN = "another process";
    private static final String START = "pid=";
    private static final Pattern PROCESS =
            Pattern.compile(START + "(\\d{1,18}), host=(.*), processStartMillis=(\\d{1,18})");
    // Two processes may see the start of a third by clocks that were set meanwhile.
    private static final long START_TOLERANCE_MILLIS = 10_000;

    private static volatile @Nullable String thisProcess;

    private OwnerFile() {}

    /** Describes this process. Never fails, even without descriptors. */
    static String thisProcess() {
        String known = thisProcess;
        if (known != null) {
            return known;
        }
        ProcessHandle process = ProcessHandle.current();
        // As a number: the classes that write a date out take a JVM that has just started 10 ms.
        long startMillis = startMillis(process);
        String host = host();
        String text = START + process.pid() + ", host=" + (host == null ? "unknown" : host) + ", processStartMillis="
                + startMillis;
        if (host != null && startMillis != 0) {
            thisProcess = text; // otherwise a want of descriptors may be the reason, and passes
        }
        return text;
    }

    private static long startMillis(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    /** Returns the host's name where it costs no question to the network; null if it cannot be read. */
    private static @Nullable String host() {
        Path file = Path.of("/proc/sys/kernel/hostname");
        try {
            return Files.exists(file) ? Files.readString(file).strip() : "unknown";
        } catch (IOException e) {
            return null;
        }
    }

    /** Names an owner, as well as it can be told. */
    static String read(Path directory) {
        String text = text(directory);
        return text == null ? UNKNOWN : text.replaceAll("\\p{Cntrl}", "?");
    }

    /** Returns the owner that is named, if that is a process of this machine which lives, and not this one. */
    static @Nullable String readLiving(Path directory) {
        String text = text(directory);
        Matcher named = text == null ? null : PROCESS.matcher(text);
        if (named == null || !named.matches() || !named.group(2).equals(host())) {
            return null;
        }
        long pid = Long.parseLong(named.group(1));
        Optional<ProcessHandle> process = ProcessHandle.of(pid);
        if (process.isEmpty()
                || !process.get().isAlive()
                || pid == ProcessHandle.current().pid()) {
            return null; // of this one, the registry tells
        }
        long namedStart = Long.parseLong(named.group(3));
        long start = startMillis(process.get());
        boolean isSame = namedStart == 0 || start == 0 || Math.abs(namedStart - start) <= START_TOLERANCE_MILLIS;
        return isSame ? read(directory) : null;
    }

    private static @Nullable String text(Path directory) {
        Path file = directory.resolve(NAME);
        try {
            // Asked before it is opened, as opening a pipe waits for its other end.
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                return null;
            }
            Set<OpenOption> options = Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
            try (SeekableByteChannel channel = Files.newByteChannel(file, options)) {
                ByteBuffer bytes = ByteBuffer.allocate(MAX_LENGTH);
                while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                    // until it is full, or the file ends
                }
                String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8).strip();
                return text.isEmpty() ? null : text;
            }
        } catch (IOException e) {
            return null; // who cannot be named is "another process"
        }
    }

    /** Names the owner; returns whether it could. Where not, messages are poorer, and nobody is kept out. */
    static boolean write(Path directory, String owner, Access access) {
        Path file = directory.resolve(NAME);
        try {
            if (isForeign(directory)) {
                return false;
            }
            Files.deleteIfExists(file);
            Set<OpenOption> options =
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            try (SeekableByteChannel channel = Files.newByteChannel(file, options, access.file(file))) {
                ByteBuffer bytes = ByteBuffer.wrap(owner.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            }
            access.settleFile(file);
        } catch (IOException e) {
            return false;
        }
        return true;
    }

    /**
     * Returns whether something has the name that no store wrote: in a directory of other people's files it may be dear to
     * them. A file of ours may be cut short, as the disk may have been full.
     */
    private static boolean isForeign(Path directory) throws IOException {
        Path file = directory.resolve(NAME);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return true;
        }
        String text = text(directory);
        return text == null ? Files.size(file) > 0 : !text.startsWith(START) && !START.startsWith(text);
    }

    /** Takes the name back, if it can: a file left behind names a process that is gone, or does not hold the lock. */
    static boolean delete(Path directory) {
        try {
            return !isForeign(directory) && Files.deleteIfExists(directory.resolve(NAME));
        } catch (IOException e) {
            return false;
        }
    }
}
