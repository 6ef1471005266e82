package dev.caskwright.io.mmap;

import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * An IO manager that maps files into memory: a read is a memory copy, and so is a write, which nevertheless survives the
 * death of the process. Everything else is as in {@link StandardIoManager}, whose lock and names it shares.
 *
 * <p>Sealed files of up to 2 GiB are mapped whole; longer ones, and those of a few bytes, are read through a channel. A file being
 * written is made longer in steps, by really writing zeros, and mapped after them, so that a full disk is an {@link
 * dev.caskwright.api.OutOfSpaceException} before anything is stored. (A file system that copies on write, such as btrfs
 * or ZFS, may run full in the middle of a store all the same: there take the standard manager.) Closing unmaps at once.
 *
 * <p>A file that somebody else shortens is an {@link IOException} to its readers, not the end of the JVM. The one thing
 * that could end it, on a JDK before 22, is to read a file while it is closed, which the owner of a file promises not to
 * do.
 */
public final class MmapIoManager extends StandardIoManager {
    private final WindowsAhead ahead = new WindowsAhead();

    private MmapIoManager(Path directory, boolean create) throws IOException {
        super(directory, create);
    }

    private MmapIoManager(Path directory, boolean create, Set<PosixFilePermission> filePermissions) throws IOException {
        super(directory, create, filePermissions);
    }

    /**
     * Opens a manager over a directory.
     *
     * @param create whether to create the directory and its parents, durably, if they are missing
     * @throws java.nio.file.NoSuchFileException if the directory is missing and {@code create} is false
     * @throws java.nio.file.NotDirectoryException if the path is no directory
     */
    public static MmapIoManager open(Path directory, boolean create) throws IOException {
        return new MmapIoManager(directory, create);
    }

    /** Returns a factory of managers as {@link StandardIoManager#withPermissions} does. */
    public static IoManagerFactory withPermissions(Set<PosixFilePermission> filePermissions) {
        StandardIoManager.withPermissions(filePermissions); // checks them at once
        Set<PosixFilePermission> copy = Set.copyOf(filePermissions);
        return (directory, create) -> new MmapIoManager(directory, create, copy);
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        return new MappedWritableFile(super.create(name, expectedLength), expectedLength, ahead);
    }

    /** Makes a file without mappings: copying large pieces into fresh pages costs more than writing them. */
    @Override
    public WritableFile createSequential(String name, long expectedLength) throws IOException {
        return super.create(name, expectedLength);
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        WritableFile file = super.openWritable(name);
        try {
            return new MappedWritableFile(file, file.length(), ahead);
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    @Override
    public PagedFile openPaged(String name, boolean create) throws IOException {
        boolean isThere = !create || list().contains(name);
        WritableFile file = isThere ? super.openWritable(name) : super.create(name, 0);
        return new MappedPagedFile(PagedFile.over(file));
    }

    @Override
    public ReadableFile openPagedReadOnly(String name) throws IOException {
        return new MappedPages(super.open(name));
    }

    /** Maps bytes of a file to be read for as long as the buffer is referred to: the collector unmaps it. */
    static ByteBuffer mapForReading(ReadableFile file, long offset, int length) throws IOException {
        return onChannel(
                ForwardingReadableFile.unwrap(file), channel -> channel.map(MapMode.READ_ONLY, offset, length));
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        ReadableFile file = super.open(name);
        long length = file.length();
        if (length < MappedMemory.SHORTEST_COPY || length > Integer.MAX_VALUE) {
            return file;
        }
        MappedMemory memory = MappedMemory.allocate();
        try (file) {
            return new MappedFile(name, memory, map(file, memory, MapMode.READ_ONLY, 0, length), () -> length(name));
        } catch (Throwable e) {
            memory.unmap();
            throw e;
        }
    }

    /** Ends the thread that makes files longer ahead of their writers; open files stay usable. */
    @Override
    public void close() {
        ahead.close();
        super.close();
    }

    /** Maps a part of a file that a manager of this class opened; the mapping outlives the file's closing. */
    static ByteBuffer map(ReadableFile file, MappedMemory memory, MapMode mode, long offset, long length)
            throws IOException {
        return onChannel(file, channel -> memory.map(channel, mode, offset, length));
    }
}
