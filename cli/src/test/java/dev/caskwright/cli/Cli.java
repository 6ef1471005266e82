package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
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
final class Cli implements Stores {
    final MemoryEngine engine = new MemoryEngine();
    final List<Access> accesses = new ArrayList<>();
    Verification verification = new Verification(3, 300, List.of());
    Salvaged salvaged = new Salvaged(3, 300, List.of());
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

    @Override
    public StorageEngine open(Path directory, BackendOptions backends, Access access) {
        accesses.add(access);
        return engine;
    }

    @Override
    public Verification verify(Path directory, BackendOptions backends) throws IOException {
        return verification;
    }

    @Override
    public Copied copy(Path directory, Path target, CopyForm form, BackendOptions backends) {
        return new Copied(7, 1, 100, 1, 100, List.of());
    }

    @Override
    public Salvaged salvage(Path directory, Path target, BackendOptions backends) throws IOException {
        return salvaged;
    }
}
