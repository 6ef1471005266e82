package dev.caskwright.bolt;

import dev.caskwright.api.CopyReport;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Copies a file of bolt's to another one, and brings such a copy up to date, which is to write it anew: pages tell nothing of when
 * they changed. The copy is made under a name of its own, checked, forced, and then renamed, so that what is there is whole at
 * each moment.
 */
final class FileBackup {
    private static final String UNFINISHED = ".copying";

    private final BoltDatabase database;
    private final IoManager targets;
    private final Path target;
    private final String name;
    private final BackupMark mark;

    private FileBackup(BoltDatabase database, IoManager targets, Path target, String name) {
        this.database = database;
        this.targets = targets;
        this.target = target;
        this.name = name;
        this.mark = new BackupMark(database.path(), database.store().pageSize());
    }

    /** See {@link dev.caskwright.api.Backups#backup}; the target is a file, missing or an earlier backup. */
    static CopyReport write(BoltDatabase database, Path target) throws IOException {
        Path absolute = target.toAbsolutePath();
        Path directory = absolute.getParent();
        Path name = absolute.getFileName();
        if (directory == null || name == null) {
            throw new IllegalArgumentException("not a file: " + target);
        }
        if (database.io().overlap(database.path(), absolute)) {
            throw new IllegalArgumentException(
                    "a store is copied to another file: file=" + database.path() + ", target=" + target);
        }
        try (IoManager targets = database.io().open(directory, true);
                BoltTransaction reader = database.beginRead()) {
            return new FileBackup(database, targets, absolute, name.toString()).write(reader);
        }
    }

    private CopyReport write(BoltTransaction reader) throws IOException {
        boolean isThere = targets.list().contains(name);
        if (targets.listObstacles().contains(name) || isThere && !isBackup()) {
            throw new UnsupportedFormatException(
                    "the target is no backup of this store, or was written to since: name a new file: target=" + target
                            + ", store=" + database.path());
        }
        if (!isThere || !isAt(reader)) {
            copy(reader);
            return report(reader, 1);
        }
        return report(reader, 0);
    }

    private static CopyReport report(BoltTransaction reader, int brought) {
        long bytes = reader.size();
        return new CopyReport(reader.id(), 1, bytes, brought, brought * bytes, List.of());
    }

    private boolean isBackup() throws IOException {
        try (ReadableFile there = targets.open(name)) {
            return mark.isIn(there);
        }
    }

    /** Returns whether the backup that is there is of the reader's moment. */
    private boolean isAt(BoltTransaction reader) throws IOException {
        try (ReadableFile there = targets.open(name)) {
            return mark.transactionIn(there) == reader.id();
        }
    }

    private void copy(BoltTransaction reader) throws IOException {
        String unfinished = name + UNFINISHED;
        if (targets.list().contains(unfinished) || targets.listObstacles().contains(unfinished)) {
            throw new UnsupportedFormatException("a backup that was cut short is in the way: remove "
                    + target.resolveSibling(unfinished) + " and try again");
        }
        boolean isInPlace = false;
        WritableFile copy = targets.create(unfinished, reader.size());
        try {
            try (copy) {
                HotCopy.write(
                        database.store(),
                        reader.meta(),
                        mark,
                        (bytes, offset, length) -> copy.write(copy.length(), bytes, offset, length));
                copy.force();
            }
            check(unfinished);
            targets.rename(unfinished, name);
            isInPlace = true;
            targets.syncDirectory();
        } finally {
            if (!isInPlace) {
                targets.delete(unfinished);
            }
        }
    }

    private void check(String unfinished) throws IOException {
        try (BoltDatabase made = BoltDatabase.builder(target.resolveSibling(unfinished))
                .io(database.io())
                .readOnly(true)
                .open()) {
            CheckReport report = made.check();
            if (!report.isSound()) {
                throw new CorruptRecordException(
                        "the store is damaged, so there is no backup of it: salvage it",
                        database.store().name(),
                        0,
                        "problems=" + report.problems());
            }
        }
    }
}
