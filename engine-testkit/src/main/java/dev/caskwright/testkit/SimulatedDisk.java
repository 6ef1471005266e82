package dev.caskwright.testkit;

import dev.caskwright.api.OutOfSpaceException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/*
 * The state behind all managers of one simulated disk, and the point that every call passes. One lock (the disk itself)
 * guards everything; the methods of this class expect it to be held.
 */
/** A disk that lives in memory: directories, files, and the moment at which it all ends. */
final class SimulatedDisk {
    static final long NO_CRASH = -1;
    static final long UNLIMITED = Long.MAX_VALUE;

    /** How much of the call during which the crash comes is still carried out. */
    enum Extent {
        NOTHING,
        PART,
        ALL
    }

    private enum Life {
        RUNNING,
        CRASHED,
        CUT_OFF
    }

    /** The losses of the first seeds, which every test should see; after them it is chance. */
    private static final DataLoss[] FIRST_DATA_LOSSES = {
        DataLoss.DROP_ALL, DataLoss.KEEP_ALL, DataLoss.DROP_ALL, DataLoss.KEEP_ALL, DataLoss.ZERO_FILL
    };

    private static final DirectoryLoss[] FIRST_DIRECTORY_LOSSES = {
        DirectoryLoss.DROP_ALL,
        DirectoryLoss.KEEP_ALL,
        DirectoryLoss.KEEP_ALL,
        DirectoryLoss.DROP_ALL,
        DirectoryLoss.KEEP_ALL
    };

    private final Map<String, SimulatedDirectory> directories = new TreeMap<>();
    private final Set<SimulatedFile> unlinked = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<IoCall> log = new ArrayList<>();
    private Life life = Life.RUNNING;
    private int nextFileId;
    private long firstNumber;
    private long calls;
    private long crashAt = NO_CRASH;
    private long crashSeed;
    private String crash = "";
    private boolean isInObserver;

    boolean isMapped;
    boolean isShortWriting;
    boolean isLogging = true;
    long capacity = UNLIMITED;
    FailedForce failedForce = FailedForce.PAGES_MARKED_CLEAN;

    @Nullable Consumer<IoCall> observer;

    @Nullable SimulatedDirectory directory(String name) {
        return directories.get(name);
    }

    SimulatedDirectory createDirectory(String name) {
        return directories.computeIfAbsent(name, key -> new SimulatedDirectory(Map.of(), Map.of()));
    }

    SimulatedFile newFile() {
        return new SimulatedFile(nextFileId++);
    }

    SimulatedFile newFile(FileContent content) {
        return SimulatedFile.of(nextFileId++, content);
    }

    long calls() {
        return calls;
    }

    List<IoCall> log() {
        return List.copyOf(log);
    }

    void clearLog() {
        log.clear();
    }

    void crashAt(long number, long seed) {
        crashAt = number;
        crashSeed = seed;
    }

    /** Refuses a call after the end. */
    void check(String what) throws IOException {
        if (life == Life.CRASHED) {
            throw new SimulatedCrash(crash);
        }
        if (life == Life.CUT_OFF) {
            throw new IOException("the disk is gone: " + what);
        }
    }

    boolean isRunning() {
        return life == Life.RUNNING;
    }

    /** Ends the life of everything that is open on the disk. */
    void cutOff() {
        if (life == Life.RUNNING) {
            life = Life.CUT_OFF;
        }
        directories.values().forEach(directory -> directory.lockHolders.clear());
    }

    /** Counts, logs and shows a mutating call that is about to happen, and returns how much of it will. */
    Extent begin(IoOperation operation, String file, String target, long offset, long length) throws IOException {
        check(operation + " " + file);
        IoCall call = new IoCall(calls, operation, file, target, offset, length);
        if (observer != null && !isInObserver) {
            isInObserver = true;
            try {
                observer.accept(call);
            } finally {
                isInObserver = false;
            }
        }
        calls++;
        if (isLogging) {
            log.add(call);
        }
        if (call.number() != crashAt) {
            return Extent.ALL;
        }
        crash = "crash at " + call + ", seed=" + crashSeed;
        return Extent.values()[new SplittableRandom(crashSeed).nextInt(Extent.values().length)];
    }

    /** Returns the number by which changes of the call that {@link #begin} let in last are ordered. */
    long number() {
        return firstNumber + calls - 1;
    }

    /** Returns how many bytes of a write that is cut short by the crash are carried out. */
    int part(int length) {
        return new SplittableRandom(crashSeed + 1).nextInt(length + 1);
    }

    /** Dies, if the call that ends now is the last one. */
    void end() {
        if (calls - 1 == crashAt) {
            life = Life.CRASHED;
            throw new SimulatedCrash(crash);
        }
    }

    /** Notes that a name or a handle of the file went. */
    void released(SimulatedFile file) {
        if (file.links == 0 && file.handles > 0) {
            unlinked.add(file);
        } else {
            unlinked.remove(file);
        }
    }

    long usableSpace() {
        if (capacity == UNLIMITED) {
            return UNLIMITED;
        }
        Set<SimulatedFile> counted = Collections.newSetFromMap(new IdentityHashMap<>());
        counted.addAll(unlinked);
        directories
                .values()
                .forEach(directory -> counted.addAll(directory.files().values()));
        long used = 0;
        for (SimulatedFile file : counted) {
            used += file.length();
        }
        return Math.max(0, capacity - used);
    }

    /** Writes as much as there is room for, or nothing if that is not all and the disk does not write short. */
    void write(SimulatedFile file, String name, int offset, byte[] source, int sourceOffset, int length)
            throws OutOfSpaceException {
        int end = offset + length;
        int physicalEnd = isMapped && end > file.length() ? roundUpToChunk(end) : Math.max(end, file.length());
        long room = usableSpace();
        long needed = (long) physicalEnd - file.length();
        if (needed > room) {
            int fitting = (int) Math.max(0, Math.min(length, file.length() + room - offset));
            if (isShortWriting && fitting > 0) {
                file.write(number(), offset, source, sourceOffset, fitting);
            }
            throw outOfSpace(name, offset, length, room);
        }
        file.write(number(), offset, source, sourceOffset, length);
        file.reserve(number(), physicalEnd);
    }

    void reserve(SimulatedFile file, String name, int length) throws OutOfSpaceException {
        long room = usableSpace();
        if ((long) length - file.length() > room) {
            throw outOfSpace(name, file.length(), length - file.length(), room);
        }
        file.reserve(number(), length);
    }

    /** Returns what the disk is after the death of the process: all that was written, and what of it is durable. */
    SimulatedDisk afterKill() {
        Map<SimulatedFile, SimulatedFile> copies = new HashMap<>();
        UnaryOperator<SimulatedFile> images = file -> copies.computeIfAbsent(file, SimulatedFile::afterKill);
        SimulatedDisk image = newImage();
        directories.forEach((name, directory) -> image.directories.put(name, directory.afterKill(images)));
        // Changes not yet durable keep their numbers, and later ones must have greater ones.
        image.firstNumber = firstNumber + calls;
        return image;
    }

    /** Returns what the disk may be after a power loss; the first seeds are the extreme cases, all others are chance. */
    SimulatedDisk afterPowerLoss(long seed) {
        if (seed >= 0 && seed < FIRST_DATA_LOSSES.length) {
            return afterPowerLoss(seed, FIRST_DATA_LOSSES[(int) seed], FIRST_DIRECTORY_LOSSES[(int) seed]);
        }
        SplittableRandom random = new SplittableRandom(seed);
        if (random.nextInt(4) == 0) {
            return afterOrderedPowerLoss(random);
        }
        DataLoss[] dataLosses = DataLoss.values();
        DirectoryLoss[] directoryLosses = DirectoryLoss.values();
        return afterPowerLoss(
                random,
                file -> dataLosses[random.nextInt(dataLosses.length)],
                directory -> directoryLosses[random.nextInt(directoryLosses.length)]);
    }

    SimulatedDisk afterPowerLoss(long seed, DataLoss dataLoss, DirectoryLoss directoryLoss) {
        return afterPowerLoss(new SplittableRandom(seed), file -> dataLoss, directory -> directoryLoss);
    }

    private SimulatedDisk afterPowerLoss(
            SplittableRandom random,
            Function<SimulatedFile, DataLoss> dataLoss,
            Function<SimulatedDirectory, DirectoryLoss> directoryLoss) {
        return afterPowerLoss(
                file -> file.afterPowerLoss(file.isClean() ? DataLoss.DROP_ALL : dataLoss.apply(file), random),
                directory -> directory.afterPowerLoss(directoryLoss.apply(directory), random));
    }

    /** A disk that does everything in order: all that came before some call is there, nothing after it. */
    private SimulatedDisk afterOrderedPowerLoss(SplittableRandom random) {
        List<Long> numbers = new ArrayList<>();
        Set<SimulatedFile> seen = new HashSet<>();
        for (SimulatedDirectory directory : directories.values()) {
            directory.collectNumbers(numbers);
            for (SimulatedFile file : directory.files().values()) {
                if (seen.add(file)) {
                    file.collectNumbers(numbers);
                }
            }
        }
        long last = numbers.isEmpty() ? 0 : numbers.get(random.nextInt(numbers.size()));
        return afterPowerLoss(file -> file.firstChanges(last, random), directory -> directory.firstChanges(last));
    }

    private SimulatedDisk afterPowerLoss(
            Function<SimulatedFile, FileContent> contents,
            Function<SimulatedDirectory, Map<String, SimulatedFile>> names) {
        SimulatedDisk image = newImage();
        Map<SimulatedFile, SimulatedFile> copies = new HashMap<>();
        UnaryOperator<SimulatedFile> images =
                file -> copies.computeIfAbsent(file, key -> SimulatedFile.of(key.id, contents.apply(key)));
        directories.forEach((name, directory) -> {
            Map<String, SimulatedFile> files = SimulatedDirectory.replace(names.apply(directory), images);
            files.values().forEach(file -> file.links++);
            image.directories.put(name, new SimulatedDirectory(files, files));
        });
        return image;
    }

    private SimulatedDisk newImage() {
        SimulatedDisk image = new SimulatedDisk();
        image.nextFileId = nextFileId;
        image.isMapped = isMapped;
        image.isShortWriting = isShortWriting;
        image.isLogging = isLogging;
        image.capacity = capacity;
        image.failedForce = failedForce;
        return image;
    }

    /** A mapped file grows by chunks, of which the rest is zeros. */
    private static int roundUpToChunk(int length) {
        return (int) Math.min(
                Integer.MAX_VALUE,
                (length + (long) CrashableIoManager.MAPPED_CHUNK - 1)
                        / CrashableIoManager.MAPPED_CHUNK
                        * CrashableIoManager.MAPPED_CHUNK);
    }

    private static OutOfSpaceException outOfSpace(String name, long offset, long length, long room) {
        return new OutOfSpaceException(
                "no space left on device: file=" + name + ", offset=" + offset + ", length=" + length + ", usable="
                        + room,
                null);
    }
}
