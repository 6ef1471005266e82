package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Copies sealed files into another directory and makes that a store. Sealed files never change, so what an earlier
 * backup brought over is left as it is.
 *
 * <p>The target has a manifest of its own from the start, which goes on to list what the previous run brought until
 * everything new is there, durable and verified; a backup that is cut short leaves the previous one intact.
 */
final class LogBackup {
    private final SegmentedLog source;
    private final IoManager sourceIo;
    private final IoManager target;
    private final StoreId store;

    LogBackup(SegmentedLog log, IoManager target) {
        this.source = log;
        this.sourceIo = log.io();
        this.target = target;
        this.store = log.manifest().store();
    }

    /** Makes the target consist of these files, which are sealed and which the caller keeps from being removed. */
    void run(List<DataFile> files, long[] clockNote, long lastVersion) throws IOException {
        Set<String> present = new HashSet<>(target.list());
        Manifest previous = openPrevious(present);
        Map<String, Manifest.Sealed> known = new HashMap<>();
        for (Manifest.Sealed sealed : previous.files()) {
            known.put(sealed.name(), sealed);
        }
        refuseDiverged(files, known);
        makeLeftovers(previous, files);
        Manifest next = new Manifest(store);
        Set<String> wanted = new HashSet<>();
        for (DataFile file : files) {
            String hint = FileNames.hint(file.id());
            wanted.add(file.name());
            wanted.add(hint);
            if (!known.containsKey(file.name())) {
                bring(file.name(), present);
                bring(hint, present);
                verify(file);
            }
            next.noteSealed(file.sealedEntry());
        }
        next.noteState(Math.max(previous.highestId(), next.highestId()), source.changesFrom(), lastVersion);
        next.setClockNote(clockNote);
        target.syncDirectory();
        next.rewrite(target);
        next.close();
        for (String name : present) {
            if (FileNames.isOurs(name) && !wanted.contains(name) && !name.equals(FileNames.NEW_MANIFEST)) {
                target.delete(name);
            }
        }
        target.syncDirectory();
    }

    private Manifest openPrevious(Set<String> present) throws IOException {
        Manifest previous = Manifest.read(target);
        if (previous == null) {
            for (String name : present) {
                if (FileNames.isOurs(name)) {
                    throw new UnsupportedFormatException(
                            "the target has files of a store but no manifest: directory=" + target.describe());
                }
            }
            previous = new Manifest(store);
        } else if (!previous.store().equals(store)) {
            throw new UnsupportedFormatException("the target is another store: directory=" + target.describe()
                    + "; choose an empty directory or an earlier backup of this store");
        }
        return previous;
    }

    /** A backup that was opened and written to has files of its own under numbers that mean others here. */
    private void refuseDiverged(List<DataFile> files, Map<String, Manifest.Sealed> known) throws IOException {
        for (DataFile file : files) {
            Manifest.Sealed sealed = known.get(file.name());
            if (sealed != null && !sealed.equals(file.sealedEntry())) {
                throw new UnsupportedFormatException("the target was written to since it was a backup: directory="
                        + target.describe() + ", file=" + file.name() + "; choose an empty directory");
            }
        }
    }

    /**
     * Has the target's manifest set the numbers of the new files aside, before they come: what is there of them after a
     * crash is a leftover then, and not read as the tail of the previous backup's log.
     */
    private void makeLeftovers(Manifest previous, List<DataFile> files) throws IOException {
        long highest = previous.highestId();
        for (DataFile file : files) {
            highest = Math.max(highest, file.id());
        }
        previous.noteState(highest, 0, 0);
        previous.rewrite(target);
        previous.close();
    }

    private void bring(String name, @Nullable Set<String> present) throws IOException {
        if (present != null && present.contains(name)) {
            target.delete(name); // left by a backup that was cut short
        }
        if (sourceIo.list().contains(name)) {
            sourceIo.linkTo(target, name);
        }
    }

    private void verify(DataFile original) throws IOException {
        try (ReadableFile handle = target.open(original.name())) {
            DataFile copy =
                    new DataFile(original.id(), 0, original.isMerged(), store.seed(), handle, original.length());
            if (!DataFile.hasHeaderOf(original.sealedEntry(), handle, store)) {
                throw new CorruptRecordException("bad file header in the copy", original.name(), 0, "");
            }
            FileScanner scanner = new FileScanner(copy, DataFile.HEADER_LENGTH, original.length());
            while (scanner.next()) {
                // next() verifies
            }
        }
    }
}
