package dev.caskwright.cli;

import dev.caskwright.api.Backups;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Salvaging;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs commands in this process, by default on an engine in memory. */
final class Cli implements Stores, StoreAtRest, Integrity, Salvaging, Backups, Restoring {
    final MemoryEngine engine = new MemoryEngine();
    final List<Access> accesses = new ArrayList<>();
    VerifyReport verification = new VerifyReport(3, 300, List.of());
    SalvageReport salvaged = new SalvageReport(3, 300, List.of());
    private TargetAction restoring = target -> {};
    Stores stores = this;
    Shell.Pause pause = millis -> {
        throw new AssertionError("nothing to wait for");
    };
    byte[] in = {};
    boolean printsToTerminal;
    boolean showsProgress;

    /** What a command left behind. */
    record Result(int exitCode, byte[] outBytes, String err) {
        String out() {
            return new String(outBytes, StandardCharsets.UTF_8);
        }

        List<String> errLines() {
            return err.lines().toList();
        }
    }

    Result run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        return run(out, out, arguments);
    }

    Result run(OutputStream out, ByteArrayOutputStream captured, String... arguments) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Shell shell = new Shell(
                new ByteArrayInputStream(in),
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                printsToTerminal,
                showsProgress,
                stores,
                millis -> pause.millis(millis));
        int exitCode = new Main(shell).run(arguments);
        return new Result(exitCode, captured.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    Cli in(String text) {
        in = text.getBytes(StandardCharsets.UTF_8);
        return this;
    }

    /** What happens while a backup is restored. */
    @FunctionalInterface
    interface TargetAction {
        void run(Path target) throws IOException;
    }

    Cli whileRestoring(TargetAction what) {
        restoring = what;
        return this;
    }

    @Override
    public StorageEngine open(Path directory, BackendOptions backends, Access access) {
        accesses.add(access);
        return engine;
    }

    @Override
    public StoreAtRest atRest(Path directory, BackendOptions backends) {
        return this;
    }

    @Override
    public VerifyReport verify() {
        return verification;
    }

    @Override
    public CopyReport backup(Path target) {
        return new CopyReport(7, 1, 100, 1, 100, List.of());
    }

    @Override
    public CopyReport restoreTo(Path newStore) throws IOException {
        restoring.run(newStore);
        return new CopyReport(7, 1, 100, 1, 100, List.of());
    }

    @Override
    public SalvageReport salvage(Path newStore) {
        return salvaged;
    }
}
