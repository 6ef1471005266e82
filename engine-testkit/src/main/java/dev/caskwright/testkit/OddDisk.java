package dev.caskwright.testkit;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Disks with habits that an engine must live with. One object may serve any number of managers; it forwards their calls to
 * those of another disk, except where a quirk says otherwise. Quirks that make calls fail or lie do so for one call in
 * {@link #oneIn}, and only while {@link #start} was called last. The same seed gives the same choices. Safe for any number
 * of threads.
 */
public final class OddDisk {
    /** A habit of a disk. */
    public enum Quirk {
        /** Lists names in any order, another one each time. */
        LISTS_IN_ANY_ORDER,
        /** Lists the names of files a while longer than they exist, as network file systems do. */
        LISTS_WHAT_IS_GONE,
        /** Refuses to delete or to replace a file that is open, as Windows does. */
        REFUSES_TO_DELETE_OPEN_FILES,
        /** Takes names for the same that differ in the case of letters. */
        FOLDS_CASE,
        /** Refuses to change bytes that were written before. */
        REFUSES_OVERWRITES,
        /** Has no space at times for bytes in space that it had made ready, as file systems that never write in place. */
        HAS_NO_SPACE_WHERE_IT_HAD,
        /** Returns from a force or a sync without having done it. */
        LIES_ABOUT_FORCES,
        /** Returns bytes of another place of the file, or zeros, without an error. */
        RETURNS_FOREIGN_BYTES
    }

    private static final int REMEMBERED = 3;

    private final Set<Quirk> quirks;
    private final Random random;
    private final Map<String, Integer> open = new HashMap<>();
    private final Deque<String> gone = new ArrayDeque<>();
    private int oneIn = 1;
    private boolean isStarted = true;
    private long oddities;

    /** Makes a disk with these quirks. */
    public OddDisk(long seed, Quirk first, Quirk... more) {
        this.random = new Random(seed);
        this.quirks = EnumSet.of(first, more);
    }

    /** Sets how rare the calls are that fail or lie: one in so many, by chance; at first all. */
    public synchronized OddDisk oneIn(int calls) {
        oneIn = calls;
        return this;
    }

    /** Lets the quirks that make calls fail or lie begin again; at first they are there. */
    public synchronized void start() {
        isStarted = true;
    }

    /** Lets the disk behave. */
    public synchronized void stop() {
        isStarted = false;
    }

    /** Returns how many calls were met by a quirk. */
    public synchronized long oddities() {
        return oddities;
    }

    /** Returns a manager over this disk, whose files are those of another one. */
    public IoManager wrap(IoManager manager) {
        return new Manager(manager);
    }

    /** Returns a factory of managers over this disk. */
    public IoManagerFactory wrap(IoManagerFactory factory) {
        return (directory, create) -> wrap(factory.open(directory, create));
    }

    private synchronized boolean meets(Quirk quirk) {
        boolean isMet = isStarted && quirks.contains(quirk) && random.nextInt(oneIn) == 0;
        oddities += isMet ? 1 : 0;
        return isMet;
    }

    private synchronized int below(int bound) {
        return random.nextInt(bound);
    }

    private synchronized void count(String file, int change) {
        open.merge(file, change, Integer::sum);
    }

    private synchronized boolean isOpen(String file) {
        return open.getOrDefault(file, 0) > 0;
    }

    private synchronized List<String> listed(List<String> names) {
        List<String> listed = new ArrayList<>(names);
        if (isStarted && quirks.contains(Quirk.LISTS_WHAT_IS_GONE)) {
            for (String name : gone) {
                if (!listed.contains(name)) {
                    listed.add(name);
                    oddities++;
                }
            }
        }
        if (isStarted && quirks.contains(Quirk.LISTS_IN_ANY_ORDER)) {
            Collections.shuffle(listed, random);
            oddities++;
        }
        return listed;
    }

    private synchronized void deleted(String name) {
        gone.addLast(name);
        if (gone.size() > REMEMBERED) {
            gone.removeFirst();
        }
    }

    private final class Manager extends ForwardingIoManager {
        Manager(IoManager delegate) {
            super(delegate);
        }

        /** Returns the name under which the file is known, if case does not count. */
        private String known(String name) throws IOException {
            if (quirks.contains(Quirk.FOLDS_CASE)) {
                for (String each : super.list()) {
                    if (each.toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT))) {
                        return each;
                    }
                }
            }
            return name;
        }

        private String key(String name) {
            return describe() + "/" + name;
        }

        @Override
        public List<String> list() throws IOException {
            return listed(super.list());
        }

        private void checkFree(String name) throws IOException {
            if (!known(name).equals(name)) {
                throw new FileAlreadyExistsException(name);
            }
        }

        @Override
        public WritableFile create(String name, long expectedLength) throws IOException {
            checkFree(name);
            return new OddWritableFile(super.create(name, expectedLength), key(name));
        }

        @Override
        public WritableFile createSequential(String name, long expectedLength) throws IOException {
            checkFree(name);
            return new OddWritableFile(super.createSequential(name, expectedLength), key(name));
        }

        @Override
        public WritableFile openWritable(String name) throws IOException {
            return new OddWritableFile(super.openWritable(known(name)), key(known(name)));
        }

        @Override
        public PagedFile openPaged(String name, boolean create) throws IOException {
            boolean isThere = !create || super.list().contains(known(name));
            return PagedFile.over(isThere ? openWritable(name) : create(name, 0));
        }

        @Override
        public ReadableFile openPagedReadOnly(String name) throws IOException {
            return open(name);
        }

        @Override
        public ReadableFile open(String name) throws IOException {
            return new OddReadableFile(super.open(known(name)), key(known(name)));
        }

        @Override
        public long length(String name) throws IOException {
            return super.length(known(name));
        }

        @Override
        public void rename(String from, String to) throws IOException {
            checkClosed(from);
            checkClosed(to);
            super.rename(known(from), known(to));
        }

        @Override
        public void delete(String name) throws IOException {
            checkClosed(name);
            super.delete(known(name));
            deleted(name);
        }

        private void checkClosed(String name) throws IOException {
            if (isOpen(key(known(name))) && meets(Quirk.REFUSES_TO_DELETE_OPEN_FILES)) {
                throw new FileSystemException(name, null, "the file is in use by another program (simulated)");
            }
        }

        @Override
        public void linkTo(IoManager target, String name) throws IOException {
            super.linkTo(target, known(name));
        }

        @Override
        public void copyTo(IoManager target, String name, long length, String newName) throws IOException {
            super.copyTo(target, known(name), length, newName);
        }

        @Override
        public void syncDirectory() throws IOException {
            if (!meets(Quirk.LIES_ABOUT_FORCES)) {
                super.syncDirectory();
            }
        }
    }

    private int read(ReadableFile file, long offset, byte[] target, int targetOffset, int length) throws IOException {
        int read = file.read(offset, target, targetOffset, length);
        if (read > 0 && meets(Quirk.RETURNS_FOREIGN_BYTES)) {
            byte[] foreign = new byte[read];
            if (below(3) > 0) {
                file.read(below((int) Math.min(Integer.MAX_VALUE, file.length())), foreign, 0, read);
            }
            int from = below(read);
            System.arraycopy(foreign, from, target, targetOffset + from, read - from);
        }
        return read;
    }

    private final class OddReadableFile extends ForwardingReadableFile {
        private final String key;
        private boolean isClosed;

        OddReadableFile(ReadableFile file, String key) {
            super(file);
            this.key = key;
            count(key, 1);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            return OddDisk.this.read(delegate(), offset, target, targetOffset, length);
        }

        @Override
        public void close() throws IOException {
            if (!isClosed) {
                isClosed = true;
                count(key, -1);
            }
            super.close();
        }
    }

    private final class OddWritableFile extends ForwardingWritableFile {
        private final String key;
        private boolean isClosed;
        private volatile long ready;

        OddWritableFile(WritableFile file, String key) {
            super(file);
            this.key = key;
            count(key, 1);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            return OddDisk.this.read(delegate(), offset, target, targetOffset, length);
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
            if (offset < length() && meets(Quirk.REFUSES_OVERWRITES)) {
                throw new IOException("no overwriting (simulated): file=" + name() + ", offset=" + offset);
            }
            if (offset < ready && meets(Quirk.HAS_NO_SPACE_WHERE_IT_HAD)) {
                throw new OutOfSpaceException("No space left on device (simulated): file=" + name(), null);
            }
            super.write(offset, source, sourceOffset, length);
        }

        @Override
        public void reserve(long length) throws IOException {
            super.reserve(length);
            ready = Math.max(ready, length);
        }

        @Override
        public void force() throws IOException {
            if (!meets(Quirk.LIES_ABOUT_FORCES)) {
                super.force();
            }
        }

        @Override
        public void close() throws IOException {
            if (!isClosed) {
                isClosed = true;
                count(key, -1);
            }
            super.close();
        }
    }
}
