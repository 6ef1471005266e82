package dev.caskwright.moss.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.io.IoManager;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads every byte of a store's files and tells what is damaged. Changes nothing. */
public final class Verification {
    private long records;
    private long bytes;
    private final List<VerifyReport.Damage> damages = new ArrayList<>();

    private Verification() {}

    /** Checks the manifest, the files that it lists, and the log. */
    public static VerifyReport of(IoManager io) throws IOException {
        Verification verification = new Verification();
        verification.check(io);
        return new VerifyReport(verification.records, verification.bytes, verification.damages);
    }

    private interface Check {
        void run() throws IOException;
    }

    private void note(String file, Check check) throws IOException {
        try {
            check.run();
        } catch (CorruptRecordException e) {
            damages.add(new VerifyReport.Damage(e.file(), e.offset(), String.valueOf(e.getMessage())));
        } catch (NoSuchFileException e) {
            damages.add(new VerifyReport.Damage(file, 0, "file is missing"));
        }
    }

    private void check(IoManager io) throws IOException {
        note(FileNames.MANIFEST, () -> {
            Manifest manifest = Manifest.read(io);
            bytes += io.length(FileNames.MANIFEST);
            Map<Long, Manifest.Listed> files = new TreeMap<>();
            manifest.files().forEach(file -> files.put(file.number(), file));
            manifest.checkpoints().forEach(each -> each.files().forEach(file -> files.put(file.number(), file)));
            for (Manifest.Listed file : files.values()) {
                note(FileNames.sorted(file.number()), () -> checkFile(io, manifest.storeId(), file));
            }
            checkLogs(io, manifest);
        });
    }

    private void checkFile(IoManager io, long storeId, Manifest.Listed listed) throws IOException {
        SortedFile file = SortedFile.open(io, storeId, listed.number(), listed.length());
        try {
            file.verify();
            records += file.entries();
            bytes += file.length();
        } finally {
            file.release();
        }
    }

    private void checkLogs(IoManager io, Manifest manifest) throws IOException {
        List<Long> logs = new ArrayList<>();
        for (String name : io.list()) {
            if (FileNames.logNumber(name) >= 0) {
                logs.add(FileNames.logNumber(name));
                bytes += io.length(name);
            }
        }
        logs.sort(null);
        note(
                FileNames.log(logs.isEmpty() ? 0 : logs.get(0)),
                () -> new LogReader(io, manifest.storeId())
                        .read(logs, manifest.version(), (body, first, last) -> records += last - first + 1));
    }
}
