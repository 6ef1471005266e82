package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.RecordLogFactory.VerifyListener;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Copies every sound record of a damaged store into a new one. Reads the old store only, trusts nothing of it but
 * checksums, and does not read hint files for what they say about records.
 *
 * <p>Each data file becomes one file of the new store, in the same order, with all its puts and tombstones: so the newest
 * record that is sound decides about its key, as it always does, and no index is needed. Records keep their versions. The
 * new manifest comes last: before it, the target is no store.
 *
 * <p>Which files count is said by the manifest. If it is not sound, or does not fit the files that are there, all data files
 * do, leftovers of merges included.
 */
public final class LogSalvage {
    /** Receives what is lost and what is saved. */
    public interface Listener {
        /** Takes a part of a file that is not in the new store. */
        void lost(String file, long from, long to, String what);

        /** Takes the number of records saved from a file, and their bytes. */
        void saved(long records, long bytes);
    }

    /** A data file of the damaged store; {@code header} is null if it is not sound. */
    private record Source(String name, DataFile.@Nullable Header header) {
        long id() {
            return header == null ? FileNames.id(name) : header.id();
        }

        boolean isMerged() {
            return FileNames.hasSuffix(name, "merged");
        }
    }

    private final IoManager io;
    private final IoManager target;
    private final StoreId newStore;
    private final long history;
    private final Listener listener;
    private final Manifest next;
    private long files;

    /** Salvages what {@code io} reads, and writes to {@code target}, which has no files; both are locked by the caller. */
    public LogSalvage(IoManager io, IoManager target, LongSupplier random, Listener listener) {
        this.io = io;
        this.target = target;
        this.newStore = new StoreId(random.getAsLong(), random.getAsLong());
        this.history = random.getAsLong();
        this.listener = listener;
        this.next = new Manifest(newStore);
    }

    /**
     * Makes the new store, and verifies it.
     *
     * @throws UnsupportedFormatException if there are no files of a store, or a data file has another format version
     */
    public void run() throws IOException {
        Set<String> names = new TreeSet<>(io.list());
        if (names.stream().noneMatch(name -> FileNames.isOurs(name) || name.equals(FileNames.MANIFEST))) {
            throw new UnsupportedFormatException("no files of a store in this directory: " + io.describe());
        }
        List<Source> sources = sources(names);
        StoreId store = store(names, sources);
        sources.removeIf(source -> isForeign(source, store));
        Manifest manifest = manifest(names, store);
        for (Source source : chosen(sources, manifest)) {
            salvage(source, store, manifest);
        }
        if (manifest != null) {
            next.noteState(0, 0, manifest.lastVersion());
            next.setClockNote(manifest.clockNote());
        }
        next.noteState(0, next.lastVersion(), 0); // the change feed starts anew
        // The names of the files that the manifest lists must be durable before it is.
        target.syncDirectory();
        next.rewrite(target);
        next.close();
        verify();
    }

    private List<Source> sources(Set<String> names) throws IOException {
        List<Source> sources = new ArrayList<>();
        for (String name : names) {
            if (!FileNames.isData(name) && !FileNames.hasSuffix(name, "merged")) {
                continue;
            }
            LenientFile file = open(name);
            if (file != null) {
                try (file) {
                    sources.add(new Source(name, DataFile.header(file)));
                }
            }
        }
        sources.sort(Comparator.comparingLong(Source::id).thenComparing(Source::name));
        return sources;
    }

    private @Nullable LenientFile open(String name) {
        try {
            return new LenientFile(io.open(name));
        } catch (IOException e) {
            listener.lost(name, 0, 0, "the file cannot be opened: " + e.getMessage());
            return null;
        }
    }

    private StoreId store(Set<String> names, List<Source> sources) throws IOException {
        StoreVote vote = new StoreVote();
        List<String> asked = new ArrayList<>(List.of(FileNames.MANIFEST, FileNames.NEW_MANIFEST));
        asked.retainAll(names);
        names.stream()
                .filter(name -> FileNames.isOurs(name) && !name.equals(FileNames.NEW_MANIFEST))
                .forEach(asked::add);
        for (String name : asked) {
            askFor(vote, name);
        }
        List<StoreId> candidates = vote.candidates();
        for (StoreId candidate : candidates) {
            if (vote.isProved() || hasSoundRecord(candidate, sources)) {
                return candidate;
            }
        }
        return newStore; // no record of any file is sound
    }

    private void askFor(StoreVote vote, String name) throws IOException {
        LenientFile file;
        try {
            file = new LenientFile(io.open(name));
        } catch (IOException e) {
            return; // a data file that cannot be opened was reported, and of the others nothing is needed
        }
        try (file) {
            vote.ask(file);
        }
    }

    private boolean hasSoundRecord(StoreId store, List<Source> sources) throws IOException {
        for (Source source : sources) {
            try (LenientFile handle = new LenientFile(io.open(source.name()))) {
                long end = Math.min(handle.length(), RecordFormat.MAX_FILE_LENGTH);
                DataFile file = new DataFile(source.id(), 0, source.isMerged(), store.seed(), handle, end);
                FileScanner scanner = FileScanner.ofKeys(file, DataFile.HEADER_LENGTH, end);
                if (scanner.tryNext()) {
                    return true;
                }
                while (scanner.skipDamage()) {
                    if (scanner.tryNext()) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private boolean isForeign(Source source, StoreId store) {
        boolean isForeign = source.header() != null && !source.header().store().equals(store);
        if (isForeign) {
            listener.lost(source.name(), 0, 0, "a file of another store, left out");
        }
        return isForeign;
    }

    /** Returns the manifest if it can be relied on. */
    private @Nullable Manifest manifest(Set<String> names, StoreId store) throws IOException {
        String problem;
        if (!names.contains(FileNames.MANIFEST)) {
            problem = "the manifest is missing";
        } else {
            try {
                Manifest manifest = Manifest.read(io);
                if (manifest != null && manifest.store().equals(store)) {
                    return manifest;
                }
                problem = "the manifest is of another store";
            } catch (IOException e) {
                problem = String.valueOf(e.getMessage());
            }
        }
        takeAll(problem);
        return null;
    }

    private void takeAll(String problem) {
        listener.lost(
                FileNames.MANIFEST,
                0,
                0,
                problem + ": all data files are taken, with what merges had left behind; which files are missing is"
                        + " not known");
    }

    /** Returns the files that make up the store, as opening chooses them, if the manifest fits them; otherwise all. */
    private List<Source> chosen(List<Source> sources, @Nullable Manifest manifest) {
        if (manifest == null) {
            return sources;
        }
        boolean fits = true;
        Set<Long> present = sources.stream().map(Source::id).collect(Collectors.toSet());
        Set<Long> listed = new TreeSet<>();
        for (Manifest.Sealed sealed : manifest.files()) {
            listed.add(sealed.id());
            if (!present.contains(sealed.id())) {
                fits = false;
                listener.lost(sealed.name(), 0, sealed.length(), "data file is missing");
            }
        }
        long previous = manifest.lastLogId();
        List<Source> chosen = new ArrayList<>();
        for (Source source : sources) {
            boolean isTail = !source.isMerged() && source.id() > manifest.highestId();
            if (isTail) {
                if (source.header() != null && source.header().previousId() != previous && source.id() != previous) {
                    fits = false;
                    String missing = FileNames.data(source.header().previousId());
                    listener.lost(missing, 0, 0, "data file is missing: " + source.name() + " follows it");
                }
                previous = source.id();
            }
            if (isTail || listed.contains(source.id())) {
                chosen.add(source);
            }
        }
        if (!fits) {
            takeAll("the manifest does not fit the files");
        }
        return fits ? chosen : sources;
    }

    private void salvage(Source source, StoreId store, @Nullable Manifest manifest) throws IOException {
        if (FileNames.id(source.name()) != source.id()) {
            listener.lost(source.name(), 0, 0, "the file is number " + source.id() + ", and taken as that");
        }
        try (LenientFile handle = new LenientFile(io.open(source.name()))) {
            if (source.header() == null) {
                listener.lost(source.name(), 0, DataFile.HEADER_LENGTH, "bad file header");
            }
            long end = end(source, handle.length(), manifest);
            DataFile file = new DataFile(source.id(), 0, source.isMerged(), store.seed(), handle, end);
            List<FileSurvey.Range> ranges = new FileSurvey(file, end, (from, to, what) -> {
                        IOException failure = handle.takeFailure();
                        String cause = failure == null ? "" : "; cannot be read: " + failure.getMessage();
                        listener.lost(source.name(), from, to, what + cause);
                    })
                    .run();
            IOException failure = handle.takeFailure();
            if (failure != null) {
                listener.lost(source.name(), end, end, "cannot be read at the end: " + failure.getMessage());
            }
            copy(file, ranges);
        }
    }

    private long end(Source source, long physical, @Nullable Manifest manifest) {
        if (manifest != null) {
            for (Manifest.Sealed sealed : manifest.files()) {
                if (sealed.id() == source.id() && sealed.merged() == source.isMerged()) {
                    if (physical < sealed.length()) {
                        listener.lost(source.name(), physical, sealed.length(), "data file is cut short");
                    }
                    return Math.min(physical, sealed.length());
                }
            }
        }
        return physical;
    }

    private void copy(DataFile file, List<FileSurvey.Range> ranges) throws IOException {
        MergedFile output = null;
        long records = 0;
        long bytes = 0;
        try {
            for (FileSurvey.Range range : ranges) {
                FileScanner scanner = new FileScanner(file, range.from(), range.to());
                while (scanner.next()) {
                    if (scanner.isPut() || scanner.isTombstone()) {
                        output = output == null ? create() : output;
                        output.copy(scanner);
                        records++;
                        bytes += scanner.length();
                    }
                }
            }
            if (output != null) {
                output.finish();
                next.noteSealed(output.segment().sealedEntry());
            }
        } finally {
            if (output != null) {
                output.segment().close();
            }
        }
        listener.saved(records, bytes);
    }

    private MergedFile create() throws IOException {
        long id = ++files;
        WritableFile handle = target.createSequential(FileNames.merged(id), 0);
        DataFile file = new DataFile(id, 0, true, newStore.seed(), handle, DataFile.HEADER_LENGTH);
        file.setHistory(history);
        file.openForWriting(handle);
        try {
            handle.write(0, DataFile.encodeHeader(newStore, id, 0, history), 0, DataFile.HEADER_LENGTH);
        } catch (IOException e) {
            handle.close();
            throw e;
        }
        return new MergedFile(target, newStore, file, RecordFormat.MAX_FILE_LENGTH);
    }

    /** A new store that is not sound would be worse than none. */
    private void verify() throws IOException {
        List<CorruptRecordException> damages = new ArrayList<>();
        new LogVerifier(target, new VerifyListener() {
                    @Override
                    public void damaged(String file, long offset, String what) {
                        damages.add(new CorruptRecordException(what, file, offset, "directory=" + target.describe()));
                    }

                    @Override
                    public void sound(long records, long bytes) {
                        // They were counted when they were saved.
                    }
                })
                .run();
        if (!damages.isEmpty()) {
            throw damages.get(0);
        }
    }
}
