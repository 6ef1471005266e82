package dev.caskwright.testkit;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The simplest manager of files of the system that keeps the contract, which can be broken in one way at a time. */
final class PlainIoManager implements IoManager {
    /** What is wrong with the manager, and the test that convicts it. */
    enum Defect {
        NONE(""),
        OFFSETS_WRAP("offsetsBeyondFourGigabytesAreReadAndWritten"),
        FORCE_DOES_NOTHING("whatWasForcedIsOnTheDevice"),
        DIRECTORY_SYNC_DOES_NOTHING("whatWasForcedIsOnTheDevice"),
        RENAME_DELETES_FIRST("aRenameThatFailsLeavesItsTarget"),
        RENAME_IS_SEEN_HALF_DONE("aRenameIsNeverSeenHalfDone"),
        RENAME_REFUSES_TO_REPLACE("renameTakesThePlaceOfAnotherFile"),
        RENAME_COPIES("renamedOpenFileKeepsWorking"),
        CREATE_TAKES_WHAT_IS_THERE("createRefusesAnExistingFile"),
        NAMES_LEAD_OUT("namesThatLeadElsewhereAreRefused"),
        LISTS_DIRECTORIES("onlyRegularFilesAreListed"),
        CREATES_MISSING_DIRECTORIES("missingDirectoryIsNotCreatedUnasked"),
        TAKES_A_FILE_FOR_A_DIRECTORY("fileIsNoDirectory"),
        OPENING_CREATES("missingFileIsAnErrorThatNamesIt"),
        ERRORS_NAME_NO_FILE("missingFileIsAnErrorThatNamesIt"),
        DELETE_EMPTIES("filesThatLoseTheirNameKeepWorking"),
        READS_SHORT("readsEndWhereTheFileEnds"),
        FAILS_AFTER_THE_END("readsEndWhereTheFileEnds"),
        CHECKS_NO_BOUNDS("readsEndWhereTheFileEnds"),
        WRITES_LEAVE_HOLES("writesGrowTheFileOrChangeItsInside"),
        RESERVING_GROWS("reservedSpaceIsOutOfSightAndGivenBack"),
        RESERVING_ZEROES("spaceIsReservedBesideWritesWithinWhatIsReserved"),
        TRUNCATE_GROWS("truncateCuts"),
        END_OF_ACCESS_CLOSES("aFileIsForcedAndClosedAfterItsAccessHasEnded"),
        SEQUENTIAL_REPLACES("aFileWrittenInSequenceIsAsAnyOther"),
        WORKS_AFTER_CLOSE("useAfterCloseIsAnError"),
        CLOSES_ONCE("closingTwiceIsFine"),
        LINK_REPLACES("linkDoesNotReplace"),
        LINK_KNOWS_ITS_OWN_KIND_ONLY("linkToAForeignManagerIsACopy"),
        LINK_MOVES("linkedFileIsInBothDirectories"),
        LOCKS_NOTHING("writerIsAlone"),
        READERS_ARE_ALONE("readersShare"),
        LOCK_FILE_IS_LISTED("lockLeavesNoTraceAmongTheFiles"),
        LOCK_LOOKS_FIRST("lockIsTakenByOneOfMany"),
        READER_CREATES("readerChangesNothing"),
        INTERRUPT_CLOSES("interruptedThreadGetsItsWorkDone"),
        FOR_EVERYBODY("everythingIsForTheOwnerOnly"),
        FOLLOWS_LINKS("linksAreNotFollowed"),
        ZEROS_FOR_WHAT_IS_CUT("shortenedFileIsAnError"),
        LEAKS_DESCRIPTORS("descriptorsAreGivenBack"),
        FULL_DISK_IS_ANY_ERROR("fullDiskIsItsOwnErrorAndPasses");

        final String test;

        Defect(String test) {
            this.test = test;
        }
    }

    private static final Map<Path, Integer> LOCKS = new ConcurrentHashMap<>();
    private static final int WRITER = -1;
    private static final String LOCK_FILE = "lock";

    private final Path directory;
    private final Defect defect;
    private boolean isClosed;

    PlainIoManager(Path directory, boolean create, Defect defect) throws IOException {
        this.directory = directory;
        this.defect = defect;
        if (Files.exists(directory) && !Files.isDirectory(directory)) {
            if (defect == Defect.TAKES_A_FILE_FOR_A_DIRECTORY) {
                return;
            }
            throw new NotDirectoryException(directory.toString());
        }
        if (!Files.exists(directory) && !create && defect != Defect.CREATES_MISSING_DIRECTORIES) {
            throw new NoSuchFileException(directory.toString());
        }
        if (defect == Defect.FOR_EVERYBODY) {
            Files.createDirectories(directory);
        } else {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    private Path path(String name) {
        boolean isPlain = !name.isEmpty() && !name.equals(".") && !name.equals("..") && !name.equals(LOCK_FILE);
        boolean hasSeparator = name.indexOf('/') >= 0 || name.indexOf('\\') >= 0 || name.indexOf('\0') >= 0;
        boolean isLeadingOut = defect == Defect.NAMES_LEAD_OUT && name.startsWith("../d");
        if ((!isPlain || hasSeparator) && !isLeadingOut) {
            throw new IllegalArgumentException("not a plain name: " + name);
        }
        return directory.resolve(name);
    }

    private Path existing(String name) throws IOException {
        Path path = path(name);
        boolean isFile = defect == Defect.FOLLOWS_LINKS
                ? Files.isRegularFile(path)
                : Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS);
        if (!isFile && defect == Defect.OPENING_CREATES) {
            Files.createFile(path);
        } else if (!isFile) {
            throw new NoSuchFileException(defect == Defect.ERRORS_NAME_NO_FILE ? "no such file" : path.toString());
        }
        return path;
    }

    @Override
    public List<String> list() throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                boolean isListed =
                        defect == Defect.LISTS_DIRECTORIES || Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
                if (isListed && (!name.equals(LOCK_FILE) || defect == Defect.LOCK_FILE_IS_LISTED)) {
                    names.add(name);
                }
            }
        }
        return names;
    }

    @Override
    public Lock lock(boolean exclusive) throws IOException {
        Path real = directory.toRealPath();
        Path file = directory.resolve(LOCK_FILE);
        if (!exclusive && !Files.exists(file) && defect != Defect.READER_CREATES) {
            throw new UnsupportedFormatException("not a store: " + directory);
        }
        if (!Files.exists(file)) {
            Files.deleteIfExists(createFile(
                    directory.resolve(LOCK_FILE + Thread.currentThread().getId())));
            try {
                createFile(file);
            } catch (FileAlreadyExistsException e) {
                // Another thread was first, which is as good.
            }
        }
        boolean isAlone = exclusive || defect == Defect.READERS_ARE_ALONE;
        if (defect == Defect.LOCK_LOOKS_FIRST) {
            boolean isFree = !LOCKS.containsKey(real);
            Thread.yield();
            if (isFree) {
                LOCKS.put(real, WRITER);
                return () -> LOCKS.remove(real);
            }
            throw new EngineLockedException("in use: " + describe());
        }
        synchronized (LOCKS) {
            Integer holders = LOCKS.get(real);
            boolean isInTheWay = holders != null && (isAlone || holders == WRITER);
            if (isInTheWay && defect != Defect.LOCKS_NOTHING) {
                throw new EngineLockedException("in use: " + describe());
            }
            LOCKS.put(real, isAlone ? WRITER : (holders == null ? 0 : holders) + 1);
        }
        return new HeldLock(real);
    }

    private static final class HeldLock implements Lock {
        private final Path real;
        private boolean isReleased;

        HeldLock(Path real) {
            this.real = real;
        }

        @Override
        public void close() {
            synchronized (LOCKS) {
                Integer holders = LOCKS.get(real);
                if (isReleased || holders == null) {
                    return;
                }
                isReleased = true;
                if (holders == WRITER || holders == 1) {
                    LOCKS.remove(real);
                } else {
                    LOCKS.put(real, holders - 1);
                }
            }
        }
    }

    private Path createFile(Path path) throws IOException {
        return defect == Defect.FOR_EVERYBODY
                ? Files.createFile(path)
                : Files.createFile(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        Path path = path(name);
        if (defect != Defect.CREATE_TAKES_WHAT_IS_THERE || !Files.exists(path)) {
            createFile(path);
        }
        return new PlainFile(name, path, true);
    }

    @Override
    public WritableFile createSequential(String name, long expectedLength) throws IOException {
        if (defect == Defect.SEQUENTIAL_REPLACES) {
            Files.deleteIfExists(path(name));
        }
        return create(name, expectedLength);
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        return new PlainFile(name, existing(name), true);
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        return new PlainFile(name, existing(name), false);
    }

    @Override
    public long length(String name) throws IOException {
        return Files.size(existing(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Path target = path(to);
        Path source = path(from);
        if (defect == Defect.RENAME_DELETES_FIRST) {
            Files.deleteIfExists(target);
        }
        existing(from);
        switch (defect) {
            case RENAME_IS_SEEN_HALF_DONE -> {
                Files.deleteIfExists(target);
                Files.move(source, target);
            }
            case RENAME_REFUSES_TO_REPLACE -> Files.move(source, target);
            case RENAME_COPIES -> {
                Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
                Files.delete(source);
            }
            default -> Files.move(source, target, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    @Override
    public void delete(String name) throws IOException {
        Path path = existing(name);
        if (defect == Defect.DELETE_EMPTIES) {
            Files.write(path, new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
        }
        Files.delete(path);
    }

    @Override
    public void linkTo(IoManager target, String name) throws IOException {
        Path source = existing(name);
        if (target instanceof PlainIoManager other) {
            Path link = other.directory.resolve(name);
            if (defect == Defect.LINK_REPLACES) {
                Files.deleteIfExists(link);
            }
            if (defect == Defect.LINK_MOVES) {
                Files.move(source, link);
            } else {
                Files.createLink(link, source);
            }
            return;
        }
        if (defect == Defect.LINK_KNOWS_ITS_OWN_KIND_ONLY) {
            throw new IOException("cannot link: " + name);
        }
        byte[] bytes = Files.readAllBytes(source);
        try (WritableFile copy = target.create(name, bytes.length)) {
            copy.write(0, bytes, 0, bytes.length);
            copy.force();
        }
    }

    @Override
    public void syncDirectory() throws IOException {
        if (defect == Defect.DIRECTORY_SYNC_DOES_NOTHING) {
            return;
        }
        boolean isInterrupted = false;
        try {
            while (true) {
                isInterrupted |= Thread.interrupted(); // a channel closes itself under an interrupted thread
                try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                    channel.force(true);
                    return;
                } catch (ClosedByInterruptException e) {
                    isInterrupted = true;
                }
            }
        } finally {
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public long usableSpace() throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    @Override
    public String describe() {
        return directory.toString();
    }

    @Override
    public void close() {
        if (isClosed && defect == Defect.CLOSES_ONCE) {
            throw new IllegalStateException("closed before");
        }
        isClosed = true;
    }

    private final class PlainFile implements WritableFile {
        private final String name;
        private final RandomAccessFile file;
        private volatile long length;
        private volatile boolean isFileClosed;

        PlainFile(String name, Path path, boolean isWritable) throws IOException {
            this.name = name;
            this.file = new RandomAccessFile(path.toFile(), isWritable ? "rw" : "r");
            this.length = file.length();
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public boolean isMapped() {
            return false;
        }

        private void check() throws IOException {
            if (isFileClosed && defect != Defect.WORKS_AFTER_CLOSE) {
                throw new IOException("file is closed: file=" + name);
            }
        }

        private long place(long offset) {
            return defect == Defect.OFFSETS_WRAP ? offset & Integer.MAX_VALUE : offset;
        }

        @Override
        public synchronized int read(long offset, byte[] target, int targetOffset, int count) throws IOException {
            if (defect != Defect.CHECKS_NO_BOUNDS) {
                Objects.checkFromIndexSize(targetOffset, count, target.length);
                checkNotNegative(offset);
            }
            check();
            int present = (int) Math.max(0, Math.min(count, length - offset));
            if (defect == Defect.FAILS_AFTER_THE_END && present == 0 && count > 0) {
                throw new IOException("after the end: file=" + name);
            }
            present = defect == Defect.READS_SHORT && present > 500 ? present / 2 : present;
            if (present == 0) {
                return 0;
            }
            if (defect == Defect.INTERRUPT_CLOSES) {
                return Math.max(0, file.getChannel().read(ByteBuffer.wrap(target, targetOffset, present), offset));
            }
            file.seek(place(offset));
            for (int done = 0; done < present; ) {
                int more = file.read(target, targetOffset + done, present - done);
                if (more < 0 && defect == Defect.ZEROS_FOR_WHAT_IS_CUT) {
                    return present;
                }
                if (more < 0) {
                    throw new IOException("the file has become shorter: file=" + name);
                }
                done += more;
            }
            return present;
        }

        @Override
        public long length() throws IOException {
            return length;
        }

        @Override
        public synchronized void write(long offset, byte[] source, int sourceOffset, int count) throws IOException {
            Objects.checkFromIndexSize(sourceOffset, count, source.length);
            checkNotNegative(offset);
            check();
            if (offset > length && defect != Defect.WRITES_LEAVE_HOLES) {
                throw new IllegalArgumentException("write after the end: file=" + name);
            }
            try {
                file.seek(place(offset));
                file.write(source, sourceOffset, count);
            } catch (IOException e) {
                boolean isFull = String.valueOf(e.getMessage()).contains("No space left");
                if (isFull && defect != Defect.FULL_DISK_IS_ANY_ERROR) {
                    file.setLength(Math.max(length, offset));
                    throw new OutOfSpaceException("No space left on device: file=" + name, e);
                }
                throw e;
            }
            length = Math.max(length, offset + count);
        }

        @Override
        public synchronized void reserve(long end) throws IOException {
            check();
            if (defect == Defect.RESERVING_GROWS && end > length) {
                file.setLength(end);
                length = end;
            } else if (defect == Defect.RESERVING_ZEROES && end > 1_000_000) {
                file.seek(0);
                file.write(new byte[1_000]);
            }
        }

        @Override
        public void force() throws IOException {
            check();
            if (defect != Defect.FORCE_DOES_NOTHING) {
                file.getFD().sync();
            }
        }

        @Override
        public void endAccess() throws IOException {
            if (defect == Defect.END_OF_ACCESS_CLOSES) {
                close();
            }
        }

        @Override
        public synchronized void truncate(long end) throws IOException {
            checkNotNegative(end);
            check();
            if (end > length && defect != Defect.TRUNCATE_GROWS) {
                throw new IllegalArgumentException("truncate to more than there is: file=" + name);
            }
            file.setLength(end);
            length = end;
        }

        @Override
        public synchronized void close() throws IOException {
            isFileClosed = true;
            if (defect != Defect.LEAKS_DESCRIPTORS && defect != Defect.WORKS_AFTER_CLOSE) {
                file.close();
            }
        }

        private void checkNotNegative(long offset) {
            if (offset < 0) {
                throw new IllegalArgumentException("negative: file=" + name + ", offset=" + offset);
            }
        }
    }
}
