package dev.caskwright.bolt;

import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Says how a database is opened. Its options are read when {@link #open} is called; changing the builder later changes no open
 * database.
 */
public final class BoltBuilder {
    private static final int DEFAULT_PAGE_SIZE = 4096;
    private static final int DEFAULT_MAX_READERS = 1 << 16;

    private final Path file;
    private IoManagerFactory io = StandardIoManager::open;
    private boolean readOnly;
    private boolean createIfMissing = true;
    private int pageSize = DEFAULT_PAGE_SIZE;
    private boolean writesFreelist = true;
    private boolean forcesCommits = true;
    private boolean checksCommits;
    private boolean requiresLock = true;
    private long maxSize = Long.MAX_VALUE;
    private int maxReaders = DEFAULT_MAX_READERS;

    BoltBuilder(Path file) {
        this.file = Objects.requireNonNull(file, "file");
    }

    /** What a database was opened with. */
    record Options(
            boolean readOnly,
            boolean createIfMissing,
            int pageSize,
            boolean writesFreelist,
            boolean forcesCommits,
            boolean checksCommits,
            boolean requiresLock,
            long maxSize,
            int maxReaders,
            IoManagerFactory io,
            Path file) {}

    /** Sets the IO manager that reaches the file; {@code standard} by default. */
    public BoltBuilder io(IoManagerFactory factory) {
        io = Objects.requireNonNull(factory, "factory");
        return this;
    }

    /** Opens the file for reading only; any number of processes may do so at once, but none may write then. */
    public BoltBuilder readOnly(boolean readOnly) {
        this.readOnly = readOnly;
        return this;
    }

    /** Sets whether a missing file is created, which is the default. */
    public BoltBuilder createIfMissing(boolean createIfMissing) {
        this.createIfMissing = createIfMissing;
        return this;
    }

    /**
     * Sets the page size of a new file, 4,096 bytes by default; a file that is there keeps its own.
     *
     * @param bytes a power of two from 512 to 65,536
     */
    public BoltBuilder pageSize(int bytes) {
        if (bytes < PageFormat.MIN_PAGE_SIZE || bytes > PageFormat.MAX_PAGE_SIZE || Integer.bitCount(bytes) != 1) {
            throw new IllegalArgumentException("page size must be a power of two from " + PageFormat.MIN_PAGE_SIZE
                    + " to " + PageFormat.MAX_PAGE_SIZE + ": " + bytes);
        }
        pageSize = bytes;
        return this;
    }

    /**
     * Sets whether each commit writes the list of free pages, which is the default. Without it commits write less, and opening
     * reads all pages to find the free ones. The original Bolt cannot open a file without the list.
     */
    public BoltBuilder writesFreelist(boolean writesFreelist) {
        this.writesFreelist = writesFreelist;
        return this;
    }

    /**
     * Sets whether each commit is forced to the disk, which is the default. Without it a commit survives the death of the
     * process, but a power loss may damage the whole file; {@link BoltDatabase#sync} forces what was committed before.
     */
    public BoltBuilder forcesCommits(boolean forcesCommits) {
        this.forcesCommits = forcesCommits;
        return this;
    }

    /** Sets whether the whole file is checked before each commit counts, as tests want; off by default. */
    public BoltBuilder checksCommits(boolean checksCommits) {
        this.checksCommits = checksCommits;
        return this;
    }

    /**
     * Sets whether the file is opened only with its lock, which is the default. Without it, where the system cannot lock the
     * file, nothing keeps other programs from writing to it at the same time.
     */
    public BoltBuilder requiresLock(boolean requiresLock) {
        this.requiresLock = requiresLock;
        return this;
    }

    /**
     * Sets the greatest length of the file. A commit that needs more fails and changes nothing. Some pages are kept for commits
     * that only delete.
     *
     * @param bytes a positive length; no limit by default
     */
    public BoltBuilder maxSize(long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("maximum size must be positive: " + bytes);
        }
        maxSize = bytes;
        return this;
    }

    /** Sets how many read transactions may be open at once; 65,536 by default. */
    public BoltBuilder maxReaders(int readers) {
        if (readers <= 0) {
            throw new IllegalArgumentException("maximum number of readers must be positive: " + readers);
        }
        maxReaders = readers;
        return this;
    }

    /**
     * Opens the database.
     *
     * @throws dev.caskwright.api.EngineLockedException if somebody else has the file
     * @throws dev.caskwright.api.UnsupportedFormatException if the file is none of bolt's
     * @throws dev.caskwright.api.CorruptRecordException if the file is damaged so that it cannot be opened
     */
    public BoltDatabase open() throws IOException {
        Path absolute = file.toAbsolutePath();
        Path directory = absolute.getParent();
        Path name = absolute.getFileName();
        if (directory == null || name == null) {
            throw new IllegalArgumentException("not a file: " + file);
        }
        return Opening.open(
                io.open(directory, createIfMissing && !readOnly),
                name.toString(),
                new Options(
                        readOnly,
                        createIfMissing && !readOnly,
                        pageSize,
                        writesFreelist,
                        forcesCommits,
                        checksCommits,
                        requiresLock,
                        maxSize,
                        maxReaders,
                        io,
                        absolute));
    }
}
