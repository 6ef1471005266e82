package dev.caskwright.bolt;

import dev.caskwright.api.CopyReport;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bolt.check.Reachable;
import dev.caskwright.bolt.page.Meta;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Copies a file of bolt's to another one, and brings such a copy up to date, which is to write it again: pages tell nothing of when
 * they changed. What is there is whole at each moment, see {@link NewFile}. A copy that shows the moment that is asked for already
 * is compared instead, so that it is known to be good.
 */
final class FileBackup {
    private final BoltDatabase database;
    private final BoltTransaction reader;
    private final IoManager targets;
    private final Path target;
    private final String name;

    private FileBackup(BoltDatabase database, BoltTransaction reader, IoManager targets, Path target, String name) {
        this.database = database;
        this.reader = reader;
        this.targets = targets;
        this.target = target;
        this.name = name;
    }

    /** See {@link dev.caskwright.api.Backups#backup}; the target is a file, missing or an earlier backup. */
    static CopyReport write(BoltDatabase database, Path target) throws IOException {
        return run(database, target, FileBackup::backUp);
    }

    /** See {@link dev.caskwright.api.Restoring#restoreTo}; the target is a missing file. */
    static CopyReport restore(BoltDatabase database, Path target) throws IOException {
        return run(database, target, FileBackup::restore);
    }

    private interface Step {
        CopyReport run(FileBackup backup) throws IOException;
    }

    private static CopyReport run(BoltDatabase database, Path target, Step step) throws IOException {
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
            return step.run(new FileBackup(database, reader, targets, absolute, name.toString()));
        }
    }

    private CopyReport restore() throws IOException {
        if (targets.list().contains(name) || targets.listObstacles().contains(name)) {
            throw new UnsupportedFormatException("the target is there already: name a new file: target=" + target);
        }
        copy(null, false, this::check);
        return report(true);
    }

    private CopyReport backUp() throws IOException {
        BackupMark mark = new BackupMark(database.place(), database.store().pageSize());
        if (targets.listObstacles().contains(name)) {
            throw noBackup();
        }
        if (!targets.list().contains(name)) {
            copy(mark, false, this::check);
            return report(true);
        }
        if (isCurrent(mark)) {
            return report(false);
        }
        copy(mark, true, unfinished -> {
            check(unfinished);
            isCurrent(mark); // it may have been written to since
        });
        return report(true);
    }

    private CopyReport report(boolean isBrought) {
        long bytes = reader.size();
        return new CopyReport(reader.id(), 1, bytes, isBrought ? 1 : 0, isBrought ? bytes : 0, List.of());
    }

    /** Returns whether the file that is there shows the reader's moment; it does not if it is an earlier backup. */
    private boolean isCurrent(BackupMark mark) throws IOException {
        // Whoever has it open for writing would go on with a file that has no name any more.
        IoManager.Lock lock = Opening.lock(targets, name, false, database.requiresLock());
        try (lock;
                ReadableFile there = targets.open(name)) {
            if (!mark.isIn(there)) {
                throw noBackup();
            }
            long transaction = mark.transactionIn(there);
            if (transaction < reader.id()) {
                return false;
            }
            if (transaction > reader.id() || !isSame(there, mark)) {
                throw new UnsupportedFormatException(
                        "the target is a backup of what this store was not, or one of them is damaged: verify both, and name"
                                + " a new file: target=" + target + ", transaction=" + transaction + ", store="
                                + database.path() + ", transaction=" + reader.id());
            }
            return true;
        }
    }

    private boolean isSame(ReadableFile there, BackupMark mark) throws IOException {
        Comparison comparison = new Comparison(there);
        if (there.length() == reader.size()) {
            HotCopy.write(database.store(), reader.meta(), mark, comparison);
            return !comparison.isOther;
        }
        return false;
    }

    private UnsupportedFormatException noBackup() {
        return new UnsupportedFormatException(
                "the target is no backup of this store, or was written to since: name a new file: target=" + target
                        + ", store=" + database.path());
    }

    /** Takes what a copy would be, and compares it with a file of that length. What is in free pages does not count. */
    private final class Comparison implements HotCopy.Target {
        private final ReadableFile there;
        private final int pageSize = database.store().pageSize();
        private byte[] found = new byte[0];
        private long start;
        private @Nullable Reachable used;
        private boolean isOther;

        Comparison(ReadableFile there) {
            this.there = there;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (found.length < length) {
                found = new byte[length];
            }
            isOther = isOther || there.read(start, found, 0, length) < length;
            for (int at = 0; at < length && !isOther; ) {
                int mismatch = Arrays.mismatch(bytes, offset + at, offset + length, found, at, length);
                if (mismatch < 0) {
                    break;
                }
                long page = (start + at + mismatch) / pageSize;
                isOther = isUsed(page);
                at = (int) Math.min(length, (page + 1) * pageSize - start);
            }
            start += length;
        }

        private boolean isUsed(long page) throws IOException {
            Meta meta = reader.meta();
            if (used == null) {
                used = Reachable.of(database.store(), meta);
            }
            return page < 2
                    || used.contains(page)
                    || (page >= meta.freelist() && page < meta.freelist() + database.freelistPages(meta));
        }
    }

    private void copy(@Nullable BackupMark mark, boolean replaces, NewFile.Check check) throws IOException {
        NewFile.write(
                targets,
                name,
                replaces,
                reader.size(),
                copy -> HotCopy.write(
                        database.store(),
                        reader.meta(),
                        mark,
                        (bytes, offset, length) -> copy.write(copy.length(), bytes, offset, length)),
                check);
    }

    private void check(String unfinished) throws IOException {
        try (BoltDatabase made = BoltDatabase.builder(target.resolveSibling(unfinished))
                .io(database.io())
                .requiresLock(database.requiresLock())
                .readOnly(true)
                .open()) {
            CheckReport report = made.check();
            if (!report.isSound()) {
                throw new CorruptRecordException(
                        "the store is damaged, so there is no copy of it: salvage it",
                        database.store().name(),
                        0,
                        "problems=" + report.problems());
            }
        }
    }
}
