package dev.caskwright.testkit;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/*
 * Which promises the simulation keeps, and no others: a force makes the bytes and the length of its file durable, not
 * its name; a sync of the directory makes names durable, not bytes; renames are atomic. Everything else may reach the
 * disk or not, in any order, which is more than any one file system would do.
 */
/**
 * An IO manager over a disk in memory that keeps apart what is in the page cache and what is durable, and that can
 * crash: by {@link #kill()} as when the process dies, or by {@link #powerLoss(long)}. Each returns the disk as the next
 * process finds it, ready for another engine; the old one serves nobody any more, but gives further images of its end.
 *
 * <p>One disk may have several managers: those of {@link #factory()} see the same directory, as engines do that are
 * opened one after another. Crashes, limits and the log are the disk's, not one manager's.
 *
 * <pre>{@code
 * CrashableIoManager disk = new CrashableIoManager();
 * disk.crashAt(17, seed);
 * try (StorageEngine engine = open(disk.factory())) {
 *     script(engine);
 * } catch (SimulatedCrash crash) {
 *     check(disk.powerLoss(seed).factory());
 * }
 * }</pre>
 *
 * <p>Safe for any number of threads. Files are at most 2 GiB long, and their bytes are on the heap.
 */
public final class CrashableIoManager implements IoManager {
    /** By how many bytes a mapped file grows at once: after its last written byte there are zeros after a crash. */
    public static final int MAPPED_CHUNK = 4096;

    private static final String MAIN = "";

    private final SimulatedDisk disk;
    private final String directoryName;
    private final SimulatedDirectory directory;
    private boolean isClosed;

    /** Makes a new, empty disk with one directory. */
    public CrashableIoManager() {
        this(new SimulatedDisk(), MAIN);
    }

    private CrashableIoManager(SimulatedDisk disk, String directoryName) {
        this.disk = disk;
        this.directoryName = directoryName;
        synchronized (disk) {
            this.directory = disk.createDirectory(directoryName);
        }
    }

    /** Returns a factory of managers over this directory, whatever path they are asked for. */
    public IoManagerFactory factory() {
        return (path, create) -> new CrashableIoManager(disk, directoryName);
    }

    /**
     * Returns a factory of managers over this directory for {@code home}, and over a directory of its own on the same
     * disk for every other path. Directories are durable as soon as they are made.
     */
    public IoManagerFactory factory(Path home) {
        return (path, create) -> {
            String name = path.equals(home) ? directoryName : path.toString();
            synchronized (disk) {
                if (!create && disk.directory(name) == null) {
                    throw new NoSuchFileException(path.toString());
                }
                return new CrashableIoManager(disk, name);
            }
        };
    }

    /** Has the disk pretend that its files are mapped: they say so, and grow by {@link #MAPPED_CHUNK} zeros. */
    public CrashableIoManager mapped(boolean isMapped) {
        synchronized (disk) {
            disk.isMapped = isMapped;
        }
        return this;
    }

    /** Limits the lengths of all files together; more is an {@link dev.caskwright.api.OutOfSpaceException}. */
    public CrashableIoManager capacity(long bytes) {
        synchronized (disk) {
            disk.capacity = bytes;
        }
        return this;
    }

    /** Sets whether a write for which there is not enough room writes the part that fits before it fails. */
    public CrashableIoManager shortWrites(boolean isShortWriting) {
        synchronized (disk) {
            disk.isShortWriting = isShortWriting;
        }
        return this;
    }

    /** Sets what becomes of unwritten pages when a {@link FaultPlan} lets a force fail; at first they are marked clean. */
    public CrashableIoManager failedForce(FailedForce model) {
        synchronized (disk) {
            disk.failedForce = Objects.requireNonNull(model);
        }
        return this;
    }

    /**
     * Lets the {@code n}-th mutating call since the disk was made, counted from 0, die with a {@link SimulatedCrash}: by
     * the seed before anything of it is done, in the middle, or after all of it. So dies every call after it.
     */
    public CrashableIoManager crashAt(long n, long seed) {
        synchronized (disk) {
            disk.crashAt(n, seed);
        }
        return this;
    }

    /**
     * Shows every mutating call to an observer just before it is carried out. The observer may take images of the disk,
     * and so try every moment of a script in one run; all other users of the disk wait meanwhile.
     */
    public CrashableIoManager observer(@Nullable Consumer<IoCall> observer) {
        synchronized (disk) {
            disk.observer = observer;
        }
        return this;
    }

    /** Sets whether calls are kept for {@link #log()}; at first they are. */
    public CrashableIoManager logging(boolean isLogging) {
        synchronized (disk) {
            disk.isLogging = isLogging;
        }
        return this;
    }

    /** Returns the mutating calls so far, in their order. */
    public List<IoCall> log() {
        synchronized (disk) {
            return disk.log();
        }
    }

    /** Forgets the calls so far; counting goes on. */
    public void clearLog() {
        synchronized (disk) {
            disk.clearLog();
        }
    }

    /** Returns how many mutating calls there were since the disk was made. */
    public long operations() {
        synchronized (disk) {
            return disk.calls();
        }
    }

    /**
     * Kills the process: open files and locks are gone, everything written is there, and what was not durable still is
     * not, should the power fail later. Space that was held ready remains as zeros.
     */
    public CrashableIoManager kill() {
        synchronized (disk) {
            disk.cutOff();
            return peekKill();
        }
    }

    /** Returns what {@link #kill()} would, and lets the disk go on. */
    public CrashableIoManager peekKill() {
        synchronized (disk) {
            return new CrashableIoManager(disk.afterKill(), directoryName);
        }
    }

    /**
     * Cuts the power. Of what was not durable, some is there afterwards and some is not, as the seed decides. Seeds 0 to
     * 4 are the extremes: nothing arrived, all arrived, only names, only bytes, only names and lengths. All others are
     * chance, a quarter of them a disk that did everything in order up to some moment.
     */
    public CrashableIoManager powerLoss(long seed) {
        synchronized (disk) {
            disk.cutOff();
            return peekPowerLoss(seed);
        }
    }

    /** Returns what {@link #powerLoss(long)} would, and lets the disk go on. */
    public CrashableIoManager peekPowerLoss(long seed) {
        synchronized (disk) {
            return new CrashableIoManager(disk.afterPowerLoss(seed), directoryName);
        }
    }

    /** Cuts the power, with these losses for all files and directories. */
    public CrashableIoManager powerLoss(long seed, DataLoss dataLoss, DirectoryLoss directoryLoss) {
        synchronized (disk) {
            disk.cutOff();
            return peekPowerLoss(seed, dataLoss, directoryLoss);
        }
    }

    /** Returns what {@link #powerLoss(long, DataLoss, DirectoryLoss)} would, and lets the disk go on. */
    public CrashableIoManager peekPowerLoss(long seed, DataLoss dataLoss, DirectoryLoss directoryLoss) {
        synchronized (disk) {
            return new CrashableIoManager(disk.afterPowerLoss(seed, dataLoss, directoryLoss), directoryName);
        }
    }

    /** Returns all bytes of a file, those held ready included. */
    public byte[] content(String name) throws IOException {
        synchronized (disk) {
            return existing(name).toBytes();
        }
    }

    /** Puts a file with this content in place of one that may be there, durable at once: damage, for example. */
    public void install(String name, byte[] bytes) {
        checkName(name);
        FileContent content = new FileContent();
        content.write(0, bytes, 0, bytes.length);
        synchronized (disk) {
            directory.install(name, disk.newFile(content));
        }
    }

    @Override
    public List<String> list() throws IOException {
        synchronized (disk) {
            check();
            return new ArrayList<>(directory.files().keySet());
        }
    }

    @Override
    public Lock lock(boolean exclusive) throws IOException {
        synchronized (disk) {
            check();
            boolean isInTheWay = exclusive || directory.isLockExclusive || directory.lockHolders.contains(this);
            if (!directory.lockHolders.isEmpty() && isInTheWay) {
                throw new EngineLockedException("directory in use: directory=" + describe() + ", owner="
                        + (directory.isLockExclusive ? "a writer" : "readers"));
            }
            directory.lockHolders.add(this);
            directory.isLockExclusive = exclusive;
            return new HeldLock();
        }
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        checkName(name);
        synchronized (disk) {
            check();
            if (directory.files().containsKey(name)) {
                throw new FileAlreadyExistsException(name);
            }
            SimulatedDisk.Extent extent = disk.begin(IoOperation.CREATE, name, "", 0, expectedLength);
            SimulatedFile file = disk.newFile();
            if (extent != SimulatedDisk.Extent.NOTHING) {
                directory.add(disk.number(), name, file);
            }
            disk.end();
            return new SimulatedHandle(disk, file, name, true);
        }
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        return open(name, true);
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        return open(name, false);
    }

    private SimulatedHandle open(String name, boolean isWritable) throws IOException {
        checkName(name);
        synchronized (disk) {
            check();
            return new SimulatedHandle(disk, existing(name), name, isWritable);
        }
    }

    @Override
    public long length(String name) throws IOException {
        checkName(name);
        synchronized (disk) {
            check();
            return existing(name).written();
        }
    }

    @Override
    public void rename(String from, String to) throws IOException {
        checkName(from);
        checkName(to);
        synchronized (disk) {
            check();
            SimulatedFile file = existing(from);
            SimulatedFile replaced = directory.files().get(to);
            if (disk.begin(IoOperation.RENAME, from, to, 0, 0) != SimulatedDisk.Extent.NOTHING && replaced != file) {
                directory.rename(disk.number(), from, to, file);
                if (replaced != null) {
                    disk.released(replaced);
                }
            }
            disk.end();
        }
    }

    @Override
    public void delete(String name) throws IOException {
        checkName(name);
        synchronized (disk) {
            check();
            SimulatedFile file = existing(name);
            if (disk.begin(IoOperation.DELETE, name, "", 0, 0) != SimulatedDisk.Extent.NOTHING) {
                directory.remove(disk.number(), name, file);
                disk.released(file);
            }
            disk.end();
        }
    }

    /** Links within the disk; copies to another disk or another kind of manager. */
    @Override
    public void linkTo(IoManager target, String name) throws IOException {
        checkName(name);
        IoManager unwrapped = ForwardingIoManager.unwrap(target);
        if (!(unwrapped instanceof CrashableIoManager other) || other.disk != disk) {
            copyTo(target, name);
            return;
        }
        synchronized (disk) {
            check();
            other.check();
            SimulatedFile file = existing(name);
            if (other.directory.files().containsKey(name)) {
                throw new FileAlreadyExistsException(name);
            }
            if (disk.begin(IoOperation.LINK, name, "", 0, 0) != SimulatedDisk.Extent.NOTHING) {
                other.directory.add(disk.number(), name, file);
            }
            disk.end();
        }
    }

    private void copyTo(IoManager target, String name) throws IOException {
        byte[] bytes;
        synchronized (disk) {
            check();
            bytes = existing(name).toBytes();
        }
        try (WritableFile copy = target.create(name, bytes.length)) {
            copy.write(0, bytes, 0, bytes.length);
            copy.force();
        }
    }

    @Override
    public void syncDirectory() throws IOException {
        synchronized (disk) {
            check();
            if (disk.begin(IoOperation.SYNC_DIRECTORY, "", "", 0, 0) == SimulatedDisk.Extent.ALL) {
                directory.sync();
            }
            disk.end();
        }
    }

    @Override
    public long usableSpace() throws IOException {
        synchronized (disk) {
            check();
            return disk.usableSpace();
        }
    }

    @Override
    public String describe() {
        return "simulated:/" + directoryName;
    }

    @Override
    public void close() throws IOException {
        synchronized (disk) {
            isClosed = true;
            directory.lockHolders.remove(this);
        }
    }

    private void check() throws IOException {
        disk.check(describe());
        if (isClosed) {
            throw new IOException("IO manager is closed: " + describe());
        }
    }

    private SimulatedFile existing(String name) throws NoSuchFileException {
        SimulatedFile file = directory.files().get(name);
        if (file == null) {
            throw new NoSuchFileException(name);
        }
        return file;
    }

    private static void checkName(String name) {
        if (name.isEmpty()
                || name.equals(".")
                || name.equals("..")
                || name.indexOf('/') >= 0
                || name.indexOf('\\') >= 0
                || name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("not a plain file name: \"" + name + "\"");
        }
    }

    private final class HeldLock implements Lock {
        private boolean isReleased;

        @Override
        public void close() {
            synchronized (disk) {
                if (!isReleased) {
                    isReleased = true;
                    directory.lockHolders.remove(CrashableIoManager.this);
                }
            }
        }
    }
}
