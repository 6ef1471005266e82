package dev.caskwright.cli;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Copies all entries of a store into a new store of another engine. */
@Command(
        name = "convert",
        description = {
            "Copy all entries of a store, as of one moment, into a new store of another engine; then read the new one,"
                    + " and print how many entries both have and a digest over them, which must be the same.",
            "Nothing that exists is written to. Entries that expire are refused by an engine without expiry: the"
                    + " command ends then, and the new store is not to be used."
        })
final class ConvertCommand implements Callable<Integer> {
    private final Shell shell;

    @Option(names = "--from", required = true, paramLabel = "PATH", description = "The store to copy.")
    private Path source = Path.of("");

    @Option(
            names = "--from-engine",
            paramLabel = "NAME",
            description = "The engine of the store to copy; bitcask by default.")
    private String sourceEngine = BackendOptions.DEFAULT_ENGINE;

    @Option(
            names = "--from-set",
            paramLabel = "NAME=VALUE",
            description = "An option of the engine of the store to copy.")
    private Map<String, String> sourceOptions = new LinkedHashMap<>();

    @Option(
            names = "--to",
            required = true,
            paramLabel = "PATH",
            description = "The new store: a missing or empty directory, or for an engine of one file a missing file.")
    private Path target = Path.of("");

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    ConvertCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (Files.exists(target) && !(Files.isDirectory(target) && Directories.isEmptyOrMissing(target))) {
            throw new UsageException("the new store must not exist: " + target);
        }
        Directories.refuseOverlap(source, target);
        EntryDigest copied;
        BackendOptions from = BackendOptions.of(sourceEngine, sourceOptions);
        try (StorageEngine store = shell.stores().open(source, from, Access.READ);
                StorageEngine made = shell.stores().open(target, backends, Access.CREATE);
                Progress progress = shell.progress("copied", "entries");
                Cursor entries = store.cursor()) {
            BatchedCopy copy = new BatchedCopy(made, progress);
            for (Entry entry = entries.next(); entry != null; entry = entries.next()) {
                copy.put(entry.key(), entry.value(), entry.expiresAtMillis());
            }
            copied = copy.finish();
        }
        EntryDigest found;
        try (StorageEngine made = shell.stores().open(target, backends, Access.READ)) {
            found = EntryDigest.of(made);
        }
        if (json.isOn()) {
            Map<String, Object> figures = new LinkedHashMap<>();
            copied.addTo(figures, "copied");
            found.addTo(figures, "found");
            figures.put("isKept", copied.isKeptBy(found));
            json.print(shell, figures);
        } else {
            shell.println("copied: " + copied);
            shell.println("found:  " + found);
        }
        return copied.isKeptBy(found) ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }
}
