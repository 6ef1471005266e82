package dev.caskwright.testkit;

import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.util.Objects;

/** An open file of a simulated disk. */
final class SimulatedHandle implements WritableFile {
    private final SimulatedDisk disk;
    private final SimulatedFile file;
    private final String name;
    private final boolean isWritable;
    private boolean isClosed;
    private boolean hasAccessEnded;

    SimulatedHandle(SimulatedDisk disk, SimulatedFile file, String name, boolean isWritable) {
        this.disk = disk;
        this.file = file;
        this.name = name;
        this.isWritable = isWritable;
        file.handles++;
        file.writers += isWritable ? 1 : 0;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isMapped() {
        return disk.isMapped;
    }

    @Override
    public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
        Objects.checkFromIndexSize(targetOffset, length, target.length);
        checkNotNegative(offset);
        synchronized (disk) {
            checkAccess();
            return file.read(offset, target, targetOffset, length);
        }
    }

    @Override
    public long length() throws IOException {
        synchronized (disk) {
            check();
            return file.written();
        }
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
        Objects.checkFromIndexSize(sourceOffset, length, source.length);
        checkNotNegative(offset);
        synchronized (disk) {
            checkAccess();
            if (offset > file.written()) {
                throw new IllegalArgumentException(
                        "write past the end: file=" + name + ", offset=" + offset + ", end=" + file.written());
            }
            checkLength(offset + length);
            SimulatedDisk.Extent extent = disk.begin(IoOperation.WRITE, name, "", offset, length);
            int part = switch (extent) {
                case NOTHING -> 0;
                case PART -> disk.part(length);
                case ALL -> length;
            };
            disk.write(file, name, (int) offset, source, sourceOffset, part);
            disk.end();
        }
    }

    @Override
    public void reserve(long length) throws IOException {
        checkNotNegative(length);
        synchronized (disk) {
            checkAccess();
            checkLength(length);
            if (disk.begin(IoOperation.RESERVE, name, "", 0, length) != SimulatedDisk.Extent.NOTHING) {
                disk.reserve(file, name, (int) length);
            }
            disk.end();
        }
    }

    @Override
    public void force() throws IOException {
        synchronized (disk) {
            check();
            // Half a force is no force: what of it reaches the disk is up to the power loss that may follow.
            if (disk.begin(IoOperation.FORCE, name, "", 0, 0) == SimulatedDisk.Extent.ALL) {
                file.force();
            }
            disk.end();
        }
    }

    /** Does to the file's pages what a force does that fails. */
    void failForce() throws IOException {
        synchronized (disk) {
            check();
            disk.begin(IoOperation.FORCE, name, "", 0, 0);
            if (disk.failedForce == FailedForce.PAGES_MARKED_CLEAN) {
                file.failForceMarkingClean();
            }
            disk.end();
        }
    }

    @Override
    public void truncate(long length) throws IOException {
        checkNotNegative(length);
        synchronized (disk) {
            checkAccess();
            if (length > file.written()) {
                throw new IllegalArgumentException("truncate to more than there is: file=" + name + ", length=" + length
                        + ", end=" + file.written());
            }
            if (disk.begin(IoOperation.TRUNCATE, name, "", 0, length) != SimulatedDisk.Extent.NOTHING) {
                file.truncate(disk.number(), (int) length);
            }
            disk.end();
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (disk) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            file.handles--;
            file.writers -= isWritable ? 1 : 0;
            disk.released(file);
            boolean holdsSpace = isWritable && file.writers == 0 && file.length() > file.written();
            if (!holdsSpace || !disk.isRunning()) {
                return; // a process that died does not come to tidy up
            }
            if (disk.begin(IoOperation.TRUNCATE, name, "", 0, file.written()) != SimulatedDisk.Extent.NOTHING) {
                file.truncate(disk.number(), file.written());
            }
            disk.end();
        }
    }

    @Override
    public void endAccess() throws IOException {
        synchronized (disk) {
            check();
            hasAccessEnded = true;
        }
    }

    /** Refuses what only a file that is still being used may be asked for. */
    private void checkAccess() throws IOException {
        check();
        if (hasAccessEnded) {
            throw new IOException("access has ended: file=" + name);
        }
    }

    private void check() throws IOException {
        disk.check(name);
        if (isClosed) {
            throw new IOException("file is closed: file=" + name);
        }
    }

    private void checkLength(long length) throws IOException {
        if (length > Integer.MAX_VALUE) {
            throw new IOException("file too large for a simulated disk: file=" + name + ", length=" + length);
        }
    }

    private void checkNotNegative(long offset) {
        if (offset < 0) {
            throw new IllegalArgumentException("negative offset or length: file=" + name + ", offset=" + offset);
        }
    }
}
