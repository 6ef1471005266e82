package dev.caskwright.bolt;

import dev.caskwright.api.Backups;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Salvaging;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.io.IoManagerFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A bolt file that is not open, with all of its buckets. */
final class BoltAtRest implements StoreAtRest, Integrity, Salvaging, Backups, Restoring {
    private final Path file;
    private final IoManagerFactory io;

    BoltAtRest(Path file, IoManagerFactory io) {
        this.file = file;
        this.io = io;
    }

    @Override
    public String describe() {
        return "engine=bolt, file=" + file;
    }

    @Override
    public VerifyReport verify() throws IOException {
        try (BoltDatabase database = open()) {
            return report(database);
        } catch (CorruptRecordException e) {
            return new VerifyReport(
                    0, 0, List.of(new VerifyReport.Damage(e.file(), e.offset(), String.valueOf(e.getMessage()))));
        }
    }

    /** Checks an open file. */
    static VerifyReport report(BoltDatabase database) throws IOException {
        CheckReport report = database.check();
        String name = database.store().name();
        return new VerifyReport(
                report.keys(),
                report.pages() * database.store().pageSize(),
                report.problems().stream()
                        .map(problem -> new VerifyReport.Damage(name, 0, problem))
                        .toList());
    }

    @Override
    public CopyReport backup(Path target) throws IOException {
        try (BoltDatabase database = open()) {
            return FileBackup.write(database, target);
        }
    }

    @Override
    public CopyReport restoreTo(Path newStore) throws IOException {
        try (BoltDatabase database = open()) {
            return FileBackup.restore(database, newStore);
        }
    }

    private BoltDatabase open() throws IOException {
        return BoltDatabase.builder(file).io(io).readOnly(true).open();
    }

    @Override
    public SalvageReport salvage(Path newStore) throws IOException {
        if (io.overlap(file, newStore)) {
            throw new IllegalArgumentException("a store is salvaged into another file: file=" + file);
        }
        BoltSurgery.SalvageResult result = new BoltSurgery(io).salvage(file, newStore);
        try (BoltDatabase made =
                BoltDatabase.builder(newStore).io(io).readOnly(true).open()) {
            CheckReport check = made.check();
            if (!check.isSound()) {
                throw new CorruptRecordException(
                        "the salvaged file is damaged", newStore.toString(), 0, "problems=" + check.problems());
            }
        }
        return new SalvageReport(
                result.keys(),
                result.bytes(),
                result.problems().stream()
                        .map(problem -> new SalvageReport.Loss(String.valueOf(file.getFileName()), 0, 0, problem))
                        .toList());
    }
}
