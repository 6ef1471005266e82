package dev.caskwright.moss;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.moss.file.FileNames;
import dev.caskwright.moss.file.Manifest;
import dev.caskwright.moss.file.SortedFile;
import dev.caskwright.moss.file.SortedFileWriter;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.RangeSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * Order is the whole crash argument. A new file is written and forced; then a manifest that lists it is, and takes the
 * place of the old one; only then may what the new one does not list be deleted, once no reader holds it. A crash
 * anywhere leaves one manifest, all files that it lists, and perhaps others, which the next opening removes. So a
 * compaction that fails at any call has changed nothing.
 */
/**
 * The files of a store that has its own: what the manifest lists, how files come and go. Changes are made one after
 * another.
 */
final class FileStore {
    private static final long MOST_ENTRIES = 1L << 29;
    private static final int CHECK_EVERY = 1024;

    private final IoManager io;
    private final OperatorResolver resolver;
    private final Retention retention;
    private final Map<Long, SortedFile> open = new HashMap<>(); // each held once
    private Manifest manifest;
    private @Nullable Throwable failure;

    FileStore(IoManager io, Manifest manifest, OperatorResolver resolver, Retention retention) throws IOException {
        this.io = io;
        this.retention = retention;
        long next = manifest.nextNumber();
        for (String name : io.list()) {
            next = Math.max(next, FileNames.sortedNumber(name) + 1); // past what a crash left
        }
        this.manifest = withNumber(manifest, next);
        this.resolver = resolver;
        try {
            openListed(manifest.files());
            for (Manifest.Checkpoint checkpoint : manifest.checkpoints()) {
                openListed(checkpoint.files());
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    private void openListed(List<Manifest.Listed> files) throws IOException {
        for (Manifest.Listed each : files) {
            if (!open.containsKey(each.number())) {
                open.put(each.number(), SortedFile.open(io, manifest.storeId(), each.number(), each.length()));
            }
        }
    }

    synchronized Manifest manifest() {
        return manifest;
    }

    /** Returns what is below the stack now, held for the caller. */
    synchronized FilesBottom bottom() {
        return bottom(manifest.files(), manifest.version());
    }

    private FilesBottom bottom(List<Manifest.Listed> listed, long version) {
        List<SortedFile> files = new ArrayList<>();
        for (Manifest.Listed each : listed) {
            SortedFile file = open.get(each.number());
            if (file == null) {
                throw new IllegalStateException("listed file is not open: number=" + each.number());
            }
            files.add(file);
        }
        FilesBottom bottom = new FilesBottom(this, files, version);
        files.forEach(SortedFile::hold); // last: what fails before holds nothing for ever
        return bottom;
    }

    /**
     * Takes the number of a new file. It is not used again in this process; the manifest that lists the file keeps it
     * for ever.
     */
    synchronized long takeNumber() {
        long number = manifest.nextNumber();
        manifest = withNumber(manifest, number + 1);
        return number;
    }

    private static Manifest withNumber(Manifest manifest, long next) {
        return new Manifest(
                manifest.storeId(),
                manifest.isOver(),
                next,
                manifest.version(),
                manifest.files(),
                manifest.checkpoints());
    }

    /** Writes layers to a new file, the newest one of the store. Until the landing is opened, no other file changes. */
    Bottom.Landing persist(List<Layer> newestFirst, long version) throws IOException {
        List<MergingCursor.Source> sources = new ArrayList<>();
        View.addLayers(sources, newestFirst.toArray(new Layer[0]));
        RangeSet ranges = RangeSet.EMPTY;
        long bytes = 0;
        for (Layer layer : newestFirst) {
            ranges = ranges.with(layer.ranges());
            bytes += layer.bytes();
        }
        boolean isBottom = manifest().files().isEmpty();
        long first = newestFirst.get(newestFirst.size() - 1).firstVersion();
        SortedFile file =
                write(sources, isBottom ? RangeSet.EMPTY : ranges, isBottom, first, version, bytes, () -> false);
        Bottom.Landing landing = new Bottom.Landing(version) {
            @Override
            Bottom open() {
                return bottom();
            }
        };
        synchronized (this) {
            List<Manifest.Listed> files = new ArrayList<>();
            if (file != null) {
                files.add(new Manifest.Listed(file.number(), file.length()));
            }
            files.addAll(manifest.files());
            commit(file, files, version, manifest.checkpoints());
            return landing;
        }
    }

    /** Writes a file, and opens it. Returns null if nothing would be in it. */
    private @Nullable SortedFile write(
            List<MergingCursor.Source> sources,
            RangeSet ranges,
            boolean isBottom,
            long first,
            long last,
            long expectedLength,
            BooleanSupplier isCancelled)
            throws IOException {
        MergingCursor cursor = new MergingCursor(sources, false, isBottom, resolver);
        try {
            cursor.start();
            boolean isThere = cursor.next();
            if (!isThere && ranges.isEmpty()) {
                return null;
            }
            long number = takeNumber();
            long length;
            try {
                try (SortedFileWriter writer =
                        new SortedFileWriter(io, manifest().storeId(), number, first, last, expectedLength)) {
                    for (long count = 1; isThere; count++) {
                        writer.add(cursor);
                        isThere = cursor.next();
                        if (count % CHECK_EVERY == 0 && isCancelled.getAsBoolean()) {
                            throw new CancellationException("store is closed");
                        }
                    }
                    writer.finish(ranges);
                    length = writer.length();
                }
                return SortedFile.open(io, manifest().storeId(), number, length);
            } catch (Throwable e) {
                deleteQuietly(number, e);
                throw e;
            }
        } finally {
            cursor.close();
        }
    }

    private void deleteQuietly(long number, Throwable cause) {
        try {
            if (io.list().contains(FileNames.sorted(number))) {
                io.delete(FileNames.sorted(number));
            }
        } catch (IOException | RuntimeException suppressed) {
            cause.addSuppressed(suppressed); // the next opening removes what no manifest lists
        }
    }

    /**
     * Makes a new state durable, and then lets go of the files that it does not list. If this throws anything but an
     * {@link EngineFailedException}, the store has the state before, and goes on with it.
     */
    private void commit(
            @Nullable SortedFile added,
            List<Manifest.Listed> files,
            long version,
            List<Manifest.Checkpoint> checkpoints)
            throws IOException {
        Manifest next;
        List<SortedFile> gone;
        try {
            Throwable first = failure;
            if (first != null) {
                throw new EngineFailedException(
                        Outcome.UNKNOWN, "an earlier change of the manifest failed; reopen the store: " + first, first);
            }
            next = new Manifest(
                    manifest.storeId(),
                    manifest.isOver(),
                    manifest.nextNumber(),
                    version,
                    files,
                    retention.retained(checkpoints));
            // All that needs memory comes before the first step that cannot be taken back.
            gone = notListed(next);
            if (added != null) {
                open.put(added.number(), added);
            }
            next.prepare(io);
            if (added != null) {
                // The names of the file and of the new manifest: a manifest must never be there without the file.
                io.syncDirectory();
            }
        } catch (Throwable e) {
            if (added != null) {
                open.remove(added.number());
                added.retire();
                added.release();
            }
            throw e;
        }
        try {
            Manifest.install(io);
        } catch (OutOfMemoryError e) {
            // Either manifest may be the one on disk, and has all its files, the new one among them: it stays open, and
            // goes like any other that is not listed when the next manifest is durable.
            throw e;
        } catch (Throwable e) {
            // After a failed force of the directory a later one that succeeds may mean nothing.
            failure = e;
            throw new EngineFailedException(
                    Outcome.UNKNOWN, "the manifest could not be written; reopen the store: " + e, e);
        }
        manifest = next;
        try {
            gone.forEach(file -> open.remove(file.number()));
            gone.forEach(SortedFile::retire);
            gone.forEach(SortedFile::release);
        } catch (Throwable e) {
            failure = e;
            throw new EngineFailedException(
                    Outcome.UNKNOWN, "the manifest was written, and could not be followed; reopen the store: " + e, e);
        }
    }

    private static Set<Long> listed(Manifest manifest) {
        Set<Long> listed = new HashSet<>();
        manifest.files().forEach(file -> listed.add(file.number()));
        manifest.checkpoints().forEach(checkpoint -> checkpoint.files().forEach(file -> listed.add(file.number())));
        return listed;
    }

    private List<SortedFile> notListed(Manifest next) {
        Set<Long> listed = listed(next);
        List<SortedFile> others = new ArrayList<>(open.values());
        others.removeIf(file -> listed.contains(file.number()));
        return others;
    }

    /** A run of neighbours, newest first. */
    record Run(List<SortedFile> files, boolean isBottom) {}

    /** A file that is written and not yet listed, and those that it stands for. */
    record Joined(Run run, @Nullable SortedFile result) {}

    /**
     * Joins files to one that nothing lists yet.
     *
     * @param isForAll whether to join all, or only neighbours of about the same length, if there are enough
     * @return null if there was nothing to join
     */
    @Nullable Joined join(boolean isForAll, BooleanSupplier isCancelled) throws IOException {
        FilesBottom bottom = bottom();
        try {
            Run run = pick(bottom.files(), isForAll);
            if (run == null) {
                return null;
            }
            List<MergingCursor.Source> sources = new ArrayList<>();
            RangeSet ranges = RangeSet.EMPTY;
            long length = 0;
            for (SortedFile file : run.files) {
                sources.add(new MergingCursor.Source(file.cursor(), file.ranges()));
                ranges = ranges.with(file.ranges());
                length += file.length();
            }
            SortedFile newest = run.files.get(0);
            SortedFile oldest = run.files.get(run.files.size() - 1);
            SortedFile result = write(
                    sources,
                    run.isBottom ? RangeSet.EMPTY : ranges,
                    run.isBottom,
                    oldest.firstVersion(),
                    newest.lastVersion(),
                    length,
                    isCancelled);
            return new Joined(run, result);
        } finally {
            bottom.release();
        }
    }

    /** Lists a file in place of those that it stands for, and makes that durable. Returns the new bottom. */
    synchronized FilesBottom replace(Joined joined) throws IOException {
        Run run = joined.run;
        SortedFile result = joined.result;
        Set<Long> gone = new HashSet<>();
        run.files.forEach(file -> gone.add(file.number()));
        Set<Long> present = new HashSet<>();
        manifest.files().forEach(file -> present.add(file.number()));
        if (!present.containsAll(gone)) {
            // The store went back to a checkpoint meanwhile: what was joined is not what it has now.
            discard(joined);
            return bottom();
        }
        List<Manifest.Listed> files = new ArrayList<>();
        long newest = run.files.get(0).number();
        for (Manifest.Listed each : manifest.files()) {
            if (each.number() == newest && result != null) {
                files.add(new Manifest.Listed(result.number(), result.length()));
            }
            if (!gone.contains(each.number())) {
                files.add(each);
            }
        }
        commit(result, files, manifest.version(), manifest.checkpoints());
        return bottom();
    }

    /** Deletes a file that was written to be listed, and will not be. */
    static void discard(Joined joined) {
        SortedFile result = joined.result;
        if (result != null) {
            result.retire();
            result.release();
        }
    }

    private static @Nullable Run pick(List<SortedFile> files, boolean isForAll) {
        int count = files.size();
        if (isForAll) {
            boolean isDone = count == 0
                    || count == 1
                            && files.get(0).ranges().isEmpty()
                            && !files.get(0).hasOperands();
            return isDone ? null : new Run(files, true);
        }
        int from = 0;
        while (from < count) {
            int tier = tier(files.get(from));
            int to = from;
            long entries = 0;
            while (to < count
                    && tier(files.get(to)) <= tier
                    && entries + files.get(to).entries() <= MOST_ENTRIES) {
                entries += files.get(to).entries();
                to++;
            }
            if (to - from >= 4) {
                return new Run(new ArrayList<>(files.subList(from, to)), to == count);
            }
            from = Math.max(to, from + 1);
        }
        return null;
    }

    private static int tier(SortedFile file) {
        int tier = 0;
        for (long length = 1 << 16; length < file.length(); length *= 4) {
            tier++;
        }
        return tier;
    }

    /** Makes the present files a checkpoint, in place of one of that name. */
    synchronized void addCheckpoint(String name) throws IOException {
        List<Manifest.Checkpoint> checkpoints = new ArrayList<>(manifest.checkpoints());
        checkpoints.removeIf(each -> each.name().equals(name));
        long millis = retention.clock().millis();
        checkpoints.add(new Manifest.Checkpoint(name, millis, manifest.version(), manifest.files()));
        commit(null, manifest.files(), manifest.version(), checkpoints);
    }

    /** Forgets checkpoints that are too old; every other change of the manifest does so, too. */
    synchronized void forgetOldCheckpoints() throws IOException {
        if (millisToForget() == 0) {
            commit(null, manifest.files(), manifest.version(), manifest.checkpoints());
        }
    }

    /** Returns in how many milliseconds a checkpoint is too old, or -1 if none will be. */
    synchronized long millisToForget() {
        return retention.millisToNext(manifest.checkpoints());
    }

    synchronized void dropCheckpoint(String name) throws IOException {
        Manifest.Checkpoint gone = checkpoint(name);
        List<Manifest.Checkpoint> checkpoints = new ArrayList<>(manifest.checkpoints());
        checkpoints.remove(gone);
        commit(null, manifest.files(), manifest.version(), checkpoints);
    }

    private Manifest.Checkpoint checkpoint(String name) throws MossException {
        List<String> names = new ArrayList<>();
        for (Manifest.Checkpoint each : manifest.checkpoints()) {
            if (each.name().equals(name)) {
                return each;
            }
            names.add(each.name());
        }
        throw new MossException(
                MossException.Reason.CHECKPOINT_GONE,
                "there is no checkpoint of that name; it may have been dropped, or not be kept any more: name=" + name
                        + ", known=" + names);
    }

    /** Returns what was below the stack at a checkpoint, held for the caller. */
    synchronized FilesBottom bottomOf(String name) throws MossException {
        Manifest.Checkpoint checkpoint = checkpoint(name);
        return bottom(checkpoint.files(), checkpoint.version());
    }

    /** Goes back to a checkpoint. Versions go on from where they are, so that none is given to two writes. */
    synchronized void revert(String name, long version) throws IOException {
        commit(null, checkpoint(name).files(), version, manifest.checkpoints());
    }

    /** Deletes files of a store's kind that no manifest lists: a crash left them. */
    synchronized void removeOrphans() throws IOException {
        Set<Long> listed = listed(manifest);
        for (String name : io.list()) {
            long number = FileNames.sortedNumber(name);
            if (number >= 0 && !listed.contains(number) || name.equals(FileNames.NEW_MANIFEST)) {
                io.delete(name);
            }
        }
    }

    synchronized long diskBytes() {
        long bytes = 0;
        for (SortedFile file : open.values()) {
            bytes += file.length();
        }
        return bytes;
    }

    synchronized long memoryBytes() {
        long bytes = 0;
        for (SortedFile file : open.values()) {
            bytes += file.memoryBytes();
        }
        return bytes;
    }

    synchronized int files() {
        return open.size();
    }

    /** Reads and checks every byte of every file. */
    VerifyReport verify() throws IOException {
        List<SortedFile> files;
        synchronized (this) {
            files = new ArrayList<>(open.values());
            files.forEach(SortedFile::hold);
        }
        long entries = 0;
        long bytes = 0;
        List<VerifyReport.Damage> damages = new ArrayList<>();
        try {
            for (SortedFile file : files) {
                try {
                    file.verify();
                } catch (CorruptRecordException e) {
                    damages.add(new VerifyReport.Damage(e.file(), e.offset(), String.valueOf(e.getMessage())));
                }
                entries += file.entries();
                bytes += file.length();
            }
        } finally {
            files.forEach(SortedFile::release);
        }
        return new VerifyReport(entries, bytes, damages);
    }

    synchronized void close() {
        open.values().forEach(SortedFile::release);
        open.clear();
    }
}
