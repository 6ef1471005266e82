package dev.caskwright.bitcask.log.copy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.CopyMark;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Lineage;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.bitcask.log.hint.SealedScan;
import dev.caskwright.bitcask.log.tail.TailRecovery;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Copies the files of a log into another directory and makes that a store. Sealed files never change, so what an earlier
 * run brought over is left as it is.
 *
 * <p>Everything is judged before anything is changed: that the target is empty or a copy of the same kind, that nothing was
 * written to it since, and that this store has been at the moment of that copy. A first copy has a manifest that says that
 * it is not finished; the last, durable step replaces it. The manifest of an earlier copy goes on to list what that
 * brought until everything new is there, durable and verified; so a run that is cut short leaves it intact.
 *
 * <p>In the target a file gets its name when all of it is there. So a file of a copy that was cut short is whole, and what
 * is not has a reserved name.
 */
public final class LogBackup {
    private static final String UNFINISHED_SUFFIX = ".new";

    private final LogCopy request;
    private final CopyMark.Kind kind;
    private final IoManager sourceIo;
    private final IoManager target;
    private final Manifest source;
    private final StoreId store;
    private final Set<String> made = new LinkedHashSet<>();
    private final List<String> doubts = new ArrayList<>();
    private final Map<String, Manifest.Sealed> known = new HashMap<>(); // what an earlier run brought
    private Set<String> present = Set.of();
    private Set<String> sourceNames = Set.of();
    private long filesBrought;
    private long bytesBrought;
    private long setAside; // the numbers up to this one are the target's already

    public LogBackup(IoManager sourceIo, Manifest source, IoManager target, LogCopy request) {
        this.request = request;
        this.kind = switch (request.form()) {
            case BACKUP -> CopyMark.Kind.BACKUP;
            case CHECKPOINT -> CopyMark.Kind.CHECKPOINT;
            case STORE -> CopyMark.Kind.RESTORED;
        };
        this.sourceIo = sourceIo;
        this.target = target;
        this.source = source;
        this.store = source.store();
    }

    /** Makes the target consist of the files asked for, which the caller keeps from being removed. */
    public LogCopy.Report run() throws IOException {
        present = new HashSet<>(target.list());
        sourceNames = new HashSet<>(sourceIo.list());
        Manifest previous = Manifest.read(target);
        if (previous == null) {
            refuseOthersFiles();
        } else {
            judge(previous);
        }
        for (LogCopy.Part part : request.parts()) {
            refuseOtherFile(part);
        }
        try {
            return copy(previous, request.parts());
        } catch (Throwable e) {
            if (request.form() == LogCopy.Form.STORE) {
                undo(e);
            }
            throw e;
        }
    }

    // ---------------------------------------------------------------- judging

    /** Without a manifest the directory must be empty, but for what a first copy leaves that is cut short at its start. */
    private void refuseOthersFiles() throws IOException {
        for (String name : present) {
            if (!name.equals(FileNames.NEW_MANIFEST) || !isOursOrTorn(name)) {
                throw othersFile(target, name, request.form());
            }
        }
    }

    /** Judges by names alone, before the target is locked: that leaves a file behind in a directory of other files. */
    public static void refuseOthersFiles(IoManager target, LogCopy.Form form) throws IOException {
        List<String> names = target.list();
        if (names.contains(FileNames.MANIFEST)) {
            return;
        }
        for (String name : names) {
            if (!name.equals(FileNames.NEW_MANIFEST)) {
                throw othersFile(target, name, form);
            }
        }
    }

    private static UnsupportedFormatException othersFile(IoManager target, String name, LogCopy.Form form) {
        return new UnsupportedFormatException("the target is not empty, and no " + what(form)
                + " of this store: directory=" + target.describe() + ", found=" + name
                + "; choose an empty directory, or an earlier " + what(form) + " of this store");
    }

    private String what() {
        return what(request.form());
    }

    private static String what(LogCopy.Form form) {
        return form == LogCopy.Form.CHECKPOINT ? "checkpoint" : "backup";
    }

    /** Returns whether a file has a header of this store, or ends before the end of one. */
    private boolean isOursOrTorn(String name) throws IOException {
        byte[] header = new byte[FileHeader.LENGTH];
        try (ReadableFile file = target.open(name)) {
            int length = file.read(0, header, 0, header.length);
            return length < FileHeader.LENGTH
                    || (FileHeader.isSound(header, length)
                            && FileHeader.store(header).equals(store));
        }
    }

    private void judge(Manifest previous) throws IOException {
        setAside = previous.highestId();
        if (!previous.store().equals(store)) {
            throw refused("the target is another store", "");
        }
        CopyMark mark = previous.copy();
        if (mark == null || request.form() == LogCopy.Form.STORE) {
            throw refused("the target is a store of its own, or was written to since it was a " + what(), "");
        }
        if (mark.kind() != kind) {
            throw refused(
                    "the target is no " + what() + " but a "
                            + mark.kind().name().toLowerCase(Locale.ROOT),
                    "");
        }
        for (Manifest.Sealed sealed : previous.files()) {
            known.put(sealed.name(), sealed);
        }
        for (String name : present) {
            if (FileNames.isData(name) && FileNames.id(name) > previous.highestId() && hasHeaderOfStore(name)) {
                throw refused("the target was written to since it was a " + what(), ", file=" + name);
            }
        }
        if (!source.lineage().hasBeenAt(mark.history(), mark.version(), request.lastVersion())) {
            throw refused(
                    "the target is of another history of this store: one of them was put back to an earlier state, or both"
                            + " were written to",
                    ", last there: version=" + mark.version() + ", history=" + Long.toHexString(mark.history())
                            + ", last here: version=" + request.lastVersion() + ", history="
                            + Long.toHexString(source.lineage().last()) + ", store=" + sourceIo.describe());
        }
    }

    private boolean hasHeaderOfStore(String name) throws IOException {
        try (ReadableFile file = target.open(name)) {
            DataFile.Header header = DataFile.headerAlone(file);
            return header != null && header.store().equals(store) && header.id() == FileNames.id(name);
        }
    }

    private UnsupportedFormatException refused(String reason, String details) {
        return new UnsupportedFormatException(reason + ": directory=" + target.describe() + details
                + "; choose an empty directory, or an earlier " + what() + " of this store");
    }

    /** What is in the way of a file must be that file, or an earlier and shorter state of it. */
    private void refuseOtherFile(LogCopy.Part part) throws IOException {
        DataFile file = (DataFile) part.segment();
        Manifest.Sealed there = known.get(file.name());
        if (there != null) {
            if (there.history() != file.history() || there.length() > part.end()) {
                throw refused(
                        "the target has another file of this name, of another history of this store",
                        ", file=" + file.name() + ", there: history=" + Long.toHexString(there.history()) + ", length="
                                + there.length() + ", here: history=" + Long.toHexString(file.history()) + ", length="
                                + part.end());
            }
            return;
        }
        for (String name : List.of(file.name(), FileNames.hint(file.id()), file.name() + UNFINISHED_SUFFIX)) {
            if (present.contains(name) && !isLeftover(name)) {
                throw refused("a file that is no part of the " + what() + " is in the way", ", file=" + name);
            }
        }
    }

    // ---------------------------------------------------------------- copying

    private LogCopy.Report copy(@Nullable Manifest previous, List<LogCopy.Part> parts) throws IOException {
        setNumbersAside(previous, parts);
        Manifest next = new Manifest(store);
        Lineage lineage = source.lineage();
        Set<String> wanted = new HashSet<>();
        long bytes = 0;
        boolean isCut = false;
        for (LogCopy.Part part : parts) {
            DataFile file = (DataFile) part.segment();
            if (isCut && !file.isSealed()) {
                doubts.add("left out, since the log ends before it: file=" + file.name());
                continue;
            }
            Manifest.Sealed listed = bring(file, part.end(), previous, next);
            isCut |= listed.length() < part.end();
            wanted.add(file.name());
            wanted.add(FileNames.hint(file.id()));
            next.noteSealed(listed);
            if (!listed.merged()) {
                lineage = lineage.with(listed.history(), listed.firstVersion());
            }
            bytes += listed.length();
        }
        long covered = isCut ? next.lastVersion() : request.lastVersion();
        long highest = Math.max(next.highestId(), previous == null ? 0 : previous.highestId());
        // A merge may have dropped later changes meanwhile; the copy has none of those.
        next.noteState(highest, Math.min(source.changesFrom(), covered), covered);
        next.setClockNote(request.clockNote());
        next.noteLineage(lineage);
        source.codecs().forEach(next::noteCodec);
        if (request.form() != LogCopy.Form.STORE) {
            next.noteCopy(new CopyMark(kind, true, lineage.last(), covered));
        }
        // The names of the files that the new manifest lists must be durable before it is.
        target.syncDirectory();
        next.rewrite(target);
        next.close();
        removeOld(previous, wanted);
        target.syncDirectory();
        return new LogCopy.Report(covered, wanted.size() / 2, bytes, filesBrought, bytesBrought, List.copyOf(doubts));
    }

    /**
     * Has the target's manifest set the numbers of the new files aside, before they come: what is there of them after a
     * crash is a leftover then, and not read as the tail of the previous copy's log. A first one says that it is not
     * finished.
     */
    private void setNumbersAside(@Nullable Manifest previous, List<LogCopy.Part> parts) throws IOException {
        Manifest aside = previous;
        if (aside == null) {
            aside = new Manifest(store);
            aside.noteCopy(new CopyMark(kind, false, source.lineage().last(), request.lastVersion()));
            made.add(FileNames.MANIFEST);
            made.add(FileNames.NEW_MANIFEST);
        }
        long highest = aside.highestId();
        for (LogCopy.Part part : parts) {
            highest = Math.max(highest, part.segment().id());
        }
        aside.noteState(highest, 0, 0);
        aside.rewrite(target);
        aside.close();
    }

    /** Makes a file be in the target; returns what the next manifest is to list of it. */
    private Manifest.Sealed bring(DataFile file, long end, @Nullable Manifest previous, Manifest next)
            throws IOException {
        Manifest.Sealed there = known.get(file.name());
        if (there != null
                && there.length() == end
                && present.contains(file.name())
                && target.length(file.name()) >= end) {
            next.noteHints(file.id(), previous == null ? 0 : previous.hintSum(file.id()));
            return there;
        }
        if (request.form() == LogCopy.Form.CHECKPOINT && file.isSealed() && there == null) {
            link(file);
            next.noteHints(file.id(), file.hintSum());
            return file.sealedEntry();
        }
        String unfinished = file.name() + UNFINISHED_SUFFIX;
        if (present.contains(unfinished)) {
            target.delete(unfinished); // left by a run that was cut short
        }
        made.add(unfinished);
        sourceIo.copyTo(target, file.name(), end, unfinished);
        filesBrought++;
        bytesBrought += end;
        DataFile copy = verify(file, end, unfinished);
        // An earlier file of this name is the start of this one, so the earlier manifest remains right, too.
        made.add(file.name());
        target.rename(unfinished, file.name());
        next.noteHints(file.id(), copy.hintSum());
        return copy.sealedEntry();
    }

    private void link(DataFile file) throws IOException {
        List<String> names = new ArrayList<>(List.of(file.name()));
        if (sourceNames.contains(FileNames.hint(file.id()))) {
            names.add(FileNames.hint(file.id()));
        }
        for (String name : names) {
            if (present.contains(name)) {
                target.delete(name); // left by a checkpoint that was cut short
            }
            made.add(name);
            sourceIo.linkTo(target, name);
        }
        filesBrought++;
        bytesBrought += file.length();
    }

    /**
     * Reads the copy back, and writes its hint file, from its own records. A file that is not sealed ends where its last
     * whole record or batch does: after a failed force, what was appended may be gone.
     */
    private DataFile verify(DataFile original, long end, String name) throws IOException {
        try (ReadableFile handle = target.open(name)) {
            DataFile copy = new DataFile(original.id(), 0, original.isMerged(), store.seed(), handle, end);
            copy.setHistory(original.history());
            copy.setKey(original.key());
            DataFile.Header header = DataFile.header(handle, store, original.id());
            if (header == null || header.history() != original.history()) {
                throw new CorruptRecordException("bad file header", original.name(), 0, "");
            }
            HintBuilder hints;
            if (original.isSealed()) {
                copy.setVersions(original.firstVersion(), original.lastVersion());
                copy.markSealed();
                hints = SealedScan.hints(copy);
            } else {
                TailRecovery recovery = new TailRecovery(copy);
                recovery.scan(end);
                hints = recovery.hints();
                copy.extendTo(recovery.soundEnd());
                if (recovery.soundEnd() < end) {
                    doubts.add("cannot be read to its end, copied up to its last sound record: file=" + original.name()
                            + ", offset=" + recovery.soundEnd() + ", length=" + end);
                }
            }
            String hint = FileNames.hint(original.id());
            if (present.contains(hint)) {
                target.delete(hint);
            }
            made.add(hint);
            hints.writeOnce(target, store, copy);
            return copy;
        }
    }

    // ---------------------------------------------------------------- removing

    /**
     * Removes what the earlier copy listed and this one does not, and what copies that were cut short left. Other files are
     * left alone, whatever their names.
     */
    private void removeOld(@Nullable Manifest previous, Set<String> wanted) throws IOException {
        Set<String> old = new HashSet<>();
        for (Manifest.Sealed sealed : known.values()) {
            old.add(sealed.name());
            old.add(FileNames.hint(sealed.id()));
        }
        Manifest.Image image = previous == null ? null : previous.image();
        if (image != null) {
            old.add(image.name());
        }
        for (String name : present) {
            boolean isDone = wanted.contains(name) || made.contains(name) || !FileNames.isOurs(name);
            if (isDone || name.equals(FileNames.NEW_MANIFEST)) {
                continue;
            }
            if (old.contains(name) || isLeftover(name)) {
                target.delete(name);
            } else {
                doubts.add("not a file of ours, left alone: file=" + name);
            }
        }
    }

    /**
     * Returns whether a run that was cut short left a file. Its number was set aside then, and it has our header; only hint
     * files and files without their name yet may lack a part of that.
     */
    private boolean isLeftover(String name) throws IOException {
        if (FileNames.id(name) > setAside) {
            return false;
        }
        return name.endsWith(UNFINISHED_SUFFIX) || FileNames.hasSuffix(name, "hint")
                ? isOursOrTorn(name)
                : hasHeaderOfStore(name);
    }

    /** Removes all that was made, so that a directory in which nothing was restored is as it was. */
    private void undo(Throwable cause) {
        try {
            Set<String> there = new HashSet<>(target.list());
            for (String name : made) {
                if (there.remove(name)) {
                    target.delete(name);
                }
            }
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }
}
