package dev.caskwright.bitcask.log.salvage;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EncryptionException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.RecordLogFactory.VerifyListener;
import dev.caskwright.bitcask.log.check.LenientFile;
import dev.caskwright.bitcask.log.check.LogVerifier;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.CopyMark;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.Lineage;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.keys.FileKey;
import dev.caskwright.bitcask.log.keys.KeyRing;
import dev.caskwright.bitcask.log.merge.MergedFile;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.bitcask.log.scan.KeySearch;
import dev.caskwright.bitcask.log.scan.RecordSearch;
import dev.caskwright.bitcask.log.segmented.ClosedLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
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

    /** A data file of the damaged store; {@code header} is null if it is not sound, {@code note} as well if there is none. */
    private record Source(
            String name,
            DataFile.@Nullable Header header,
            @Nullable KeyNote note) {
        long id() {
            return header == null ? FileNames.id(name) : header.id();
        }

        /** Returns whether it may be encrypted by a key that it does not tell any more. */
        boolean mayLackNote() {
            return note == null && (header == null || header.isEncrypted());
        }

        boolean isMerged() {
            return FileNames.hasSuffix(name, "merged");
        }

        /** Returns whether this is a listed file, by its name, and by its header if that is sound. */
        boolean is(Manifest.Sealed sealed) {
            return name.equals(sealed.name())
                    && (header == null || (header.id() == sealed.id() && header.history() == sealed.history()));
        }

        /** Returns whether this is a listed file that has got another name. */
        boolean wasNamed(Manifest.Sealed sealed) {
            return header != null
                    && header.id() == sealed.id()
                    && header.history() == sealed.history()
                    && isMerged() == sealed.merged();
        }
    }

    private static final int MAX_CANDIDATES = 8;

    private final IoManager io;
    private final IoManager target;
    private final StoreId newStore;
    private final long history;
    private final Listener listener;
    private final @Nullable Encryption encryption;
    private final KeyRing keys;
    private final Manifest next;
    private final Map<String, Source> byName = new HashMap<>();
    private final Map<String, EncryptionException> lostKeys = new LinkedHashMap<>(); // by the files that need them
    private long files;
    private boolean hasLosses;

    /**
     * Salvages what {@code io} reads, and writes to {@code target}, which has no files; both are locked by the caller.
     *
     * @param encryption decrypts what is encrypted, and encrypts what is written if it names a key for that; null if nothing
     *     is encrypted
     */
    public LogSalvage(
            IoManager io, IoManager target, @Nullable Encryption encryption, LongSupplier random, Listener listener) {
        this.io = io;
        this.target = target;
        this.encryption = encryption;
        this.keys = new KeyRing(encryption);
        this.newStore = new StoreId(random.getAsLong(), random.getAsLong());
        this.history = random.getAsLong();
        this.listener = listener;
        this.next = new Manifest(newStore);
    }

    /**
     * Makes the new store, and verifies it.
     *
     * @throws UnsupportedFormatException if there are no files of a store, or a data file has another format version
     * @throws EncryptionException if the key to write with is not there, or none of those that files are encrypted by; nothing
     *     was written
     */
    public void run() throws IOException {
        Set<String> names = new TreeSet<>(io.list());
        if (names.stream().noneMatch(name -> FileNames.isOurs(name) || name.equals(FileNames.MANIFEST))) {
            throw new UnsupportedFormatException("no files of a store in this directory: " + io.describe());
        }
        List<Source> sources = sources(names);
        StoreId store = store(names, sources);
        sources.removeIf(source -> isForeign(source, store));
        keys.requireOwn();
        openKeys(sources);
        beginUnfinished();
        Manifest manifest = manifest(names, store);
        noteCodecs(names, store, manifest);
        if (manifest != null) {
            CopyMark copy = manifest.copy();
            if (copy != null && !copy.finished()) {
                lost(FileNames.MANIFEST, 0, 0, copy.unfinished());
            }
        }
        List<Source> chosen = chosen(sources, manifest);
        for (int i = 0; i < chosen.size(); i++) {
            salvage(chosen.get(i), store, manifest, i + 1 < chosen.size() ? chosen.get(i + 1) : null);
        }
        sayWhatOpeningSays();
        if (manifest != null) {
            next.noteState(0, 0, manifest.lastVersion());
            next.setClockNote(manifest.clockNote());
        }
        next.noteState(0, next.lastVersion(), 0); // the change feed starts over
        if (next.lastVersion() > 0) {
            next.noteLineage(Lineage.EMPTY.with(history, 1));
        }
        next.noteCopy(null);
        // The names of the files that the manifest lists must be durable before it is.
        target.syncDirectory();
        next.rewrite(target);
        next.close();
        verify();
    }

    /** Takes the codecs over that records name, also from a manifest that cannot be relied on otherwise. */
    private void noteCodecs(Set<String> names, StoreId store, @Nullable Manifest manifest) throws IOException {
        if (manifest != null) {
            manifest.codecs().forEach(next::noteCodec);
        } else if (names.contains(FileNames.MANIFEST)) {
            LenientFile file = open(FileNames.MANIFEST);
            if (file != null) {
                try (file) {
                    Manifest.salvagedCodecs(file, store).forEach(next::noteCodec);
                }
            }
        }
    }

    /** Until all is there, the target says that it is no store. */
    private void beginUnfinished() throws IOException {
        next.noteCopy(new CopyMark(CopyMark.Kind.SALVAGED, false, 0, 0));
        next.rewrite(target);
        next.close();
    }

    /** What makes opening fail is never passed over in silence. */
    private void sayWhatOpeningSays() throws IOException {
        if (hasLosses) {
            return;
        }
        try {
            ClosedLog.open(io, encryption).log().abandon();
        } catch (CorruptRecordException | UnsupportedFormatException e) {
            lost(FileNames.MANIFEST, 0, 0, "the store does not open: " + e.getMessage());
        }
    }

    private void lost(String file, long from, long to, String what) {
        hasLosses = true;
        listener.lost(file, from, to, what);
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
                    DataFile.Header header = DataFile.headerAlone(file);
                    KeyNote note = header == null ? KeyNote.read(file, DataFile.HEADER_LENGTH) : header.note();
                    sources.add(new Source(name, header, note));
                }
            }
        }
        sources.sort(Comparator.comparingLong(Source::id).thenComparing(Source::name));
        return sources;
    }

    /**
     * Asks for the keys before anything is written. One that is lost takes its files along, and no others; without any, there
     * is nothing to do.
     */
    private void openKeys(List<Source> sources) throws IOException {
        for (Source source : sources) {
            try {
                keys.open(source.note(), source.name());
            } catch (EncryptionException e) {
                if (encryption == null) {
                    throw e;
                }
                lostKeys.put(source.name(), e);
            }
        }
        if (!lostKeys.isEmpty() && lostKeys.size() == sources.size()) {
            throw lostKeys.values().iterator().next();
        }
    }

    private @Nullable LenientFile open(String name) {
        try {
            return new LenientFile(io.open(name));
        } catch (IOException e) {
            lost(name, 0, 0, "the file cannot be opened: " + e.getMessage());
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
        // Each that is not proved takes a look at all files.
        for (StoreId candidate : candidates.subList(0, Math.min(MAX_CANDIDATES, candidates.size()))) {
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
                // Whether they decrypt does not matter here.
                if (new RecordSearch(file, end).next(DataFile.HEADER_LENGTH) < end) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isForeign(Source source, StoreId store) {
        boolean isForeign = source.header() != null && !source.header().store().equals(store);
        if (isForeign) {
            lost(source.name(), 0, 0, "a file of another store, left out");
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
        lost(
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
        List<Source> chosen = new ArrayList<>();
        for (Manifest.Sealed sealed : manifest.files()) {
            Source found = find(sources, sealed);
            if (found == null) {
                fits = false;
                lost(sealed.name(), 0, sealed.length(), "data file is missing");
            } else {
                chosen.add(found);
            }
        }
        fits &= chooseTail(sources, manifest, chosen);
        if (!fits) {
            takeAll("the manifest does not fit the files");
            return sources;
        }
        return chosen;
    }

    /** Returns the file that the manifest lists, also under another name: salvaging it says which one it is. */
    private @Nullable Source find(List<Source> sources, Manifest.Sealed sealed) {
        if (byName.isEmpty()) {
            sources.forEach(source -> byName.put(source.name(), source));
        }
        Source named = byName.get(sealed.name());
        if (named != null && named.is(sealed)) {
            return named;
        }
        for (Source source : sources) {
            if (source.wasNamed(sealed)) {
                return source;
            }
        }
        if (named != null && named.id() == sealed.id()) {
            lost(named.name(), 0, sealed.length(), "the file is of another history of this store");
        }
        return null;
    }

    /** Adds the files after those listed; returns whether none between them is missing. */
    private boolean chooseTail(List<Source> sources, Manifest manifest, List<Source> chosen) {
        boolean fits = true;
        long previous = manifest.lastLogId();
        for (Source source : sources) {
            if (source.isMerged() || source.id() <= manifest.highestId() || chosen.contains(source)) {
                continue;
            }
            if (source.header() != null && source.header().previousId() != previous && source.id() != previous) {
                fits = false;
                String missing = FileNames.data(source.header().previousId());
                lost(missing, 0, 0, "data file is missing: " + source.name() + " follows it");
            }
            previous = source.id();
            chosen.add(source);
        }
        return fits;
    }

    private void salvage(Source source, StoreId store, @Nullable Manifest manifest, @Nullable Source following)
            throws IOException {
        if (FileNames.id(source.name()) != source.id()) {
            lost(source.name(), 0, 0, "the file is number " + source.id() + ", and taken as that");
        }
        try (LenientFile handle = new LenientFile(io.open(source.name()))) {
            if (source.header() == null) {
                lost(source.name(), 0, DataFile.HEADER_LENGTH, "bad file header");
            }
            long end = end(source, handle.length(), manifest);
            DataFile file = new DataFile(source.id(), 0, source.isMerged(), store.seed(), handle, end);
            if (!giveKey(file, source)) {
                return;
            }
            FileSurvey survey = new FileSurvey(file, end, (from, to, what) -> {
                IOException failure = handle.takeFailure();
                String cause = failure == null ? "" : "; cannot be read: " + failure.getMessage();
                lost(source.name(), from, to, what + cause);
            });
            List<FileSurvey.Range> ranges = survey.run();
            boolean isTail = manifest != null && source.id() > manifest.highestId();
            if (isTail && following != null && !survey.isClosedByWriter()) {
                lost(
                        source.name(),
                        end,
                        end,
                        "the end of the file is missing, and what follows it in " + following.name()
                                + " is taken; opening would take it for the end of the log");
            }
            IOException failure = handle.takeFailure();
            if (failure != null) {
                lost(source.name(), end, end, "cannot be read at the end: " + failure.getMessage());
            }
            copy(file, ranges);
        }
    }

    /** Gives a file its key, be it by the note of another file; returns whether its records can be read. */
    private boolean giveKey(DataFile file, Source source) throws IOException {
        EncryptionException lost = lostKeys.get(source.name());
        if (lost != null) {
            lost(source.name(), 0, file.length(), String.valueOf(lost.getMessage()));
            return false;
        }
        if (!source.mayLackNote()) {
            file.setKey(keys.open(source.note(), source.name()));
            return true;
        }
        if (!KeySearch.giveKey(file, keys.opened())) {
            lost(
                    source.name(),
                    DataFile.HEADER_LENGTH,
                    file.length(),
                    "bad note of the key, and no key of another file decrypts a record");
            return false;
        }
        if (file.key() != null) {
            lost(
                    source.name(),
                    DataFile.HEADER_LENGTH,
                    file.start(),
                    "bad note of the key; the file is decrypted by that of another one");
        }
        return true;
    }

    private long end(Source source, long physical, @Nullable Manifest manifest) {
        if (manifest != null) {
            for (Manifest.Sealed sealed : manifest.files()) {
                if (sealed.id() == source.id() && sealed.merged() == source.isMerged()) {
                    if (physical < sealed.length()) {
                        lost(source.name(), physical, sealed.length(), "data file is cut short");
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
                // Decrypted and rewritten: what is encrypted is bound to its place.
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
                next.noteHints(output.segment().id(), output.segment().hintSum());
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
        FileKey key = keys.own();
        WritableFile handle = target.createSequential(FileNames.merged(id), 0);
        DataFile file = new DataFile(id, 0, true, newStore.seed(), handle, history, key);
        try {
            byte[] header = DataFile.encodeHeader(newStore, id, 0, history, key == null ? null : key.note());
            handle.write(0, header, 0, header.length);
        } catch (IOException | RuntimeException | Error e) {
            handle.close();
            throw e;
        }
        return new MergedFile(target, newStore, file, RecordFormat.MAX_FILE_LENGTH);
    }

    /** A new store that is not sound would be worse than none. */
    private void verify() throws IOException {
        List<CorruptRecordException> damages = new ArrayList<>();
        new LogVerifier(
                        target,
                        encryption,
                        new VerifyListener() {
                            @Override
                            public void damaged(String file, long offset, String what) {
                                damages.add(new CorruptRecordException(
                                        what, file, offset, "directory=" + target.describe()));
                            }

                            @Override
                            public void sound(long records, long bytes) {
                                // They were counted when they were saved.
                            }
                        },
                        false)
                .run();
        if (!damages.isEmpty()) {
            throw damages.get(0);
        }
    }
}
