package dev.caskwright.cli;

import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Copies what another store keeps into a new store. */
@Command(
        name = "import",
        description = {
            "Copy all entries of another kind of store into a new one; then read the new one, and print how many"
                    + " entries both have and a digest over them, which must be the same.",
            "The source is only read, and must not be written to meanwhile. What is damaged in it is told with file"
                    + " and offset and left out, and the command ends with 1. Formats: riak-bitcask, bitcask-go"
                    + " and leveldb (directories), redis-rdb (a file; its strings), bolt and mapdb (files); and where their module"
                    + " was added, which docs/command-line.md tells how to do: rocksdb and lmdb (directories),"
                    + " mvstore (a file)."
        })
final class ImportCommand implements Callable<Integer> {
    private final Shell shell;

    @Option(names = "--from", required = true, paramLabel = "FORMAT", description = "The format of the source.")
    private String format = "";

    @Parameters(paramLabel = "SOURCE", description = "The directory or file to read.")
    private Path source = Path.of("");

    @Option(
            names = "--to",
            required = true,
            paramLabel = "PATH",
            description = "The new store: a missing or empty directory, or for an engine of one file a missing file.")
    private Path target = Path.of("");

    @Option(
            names = "--expire-after",
            paramLabel = "TIME",
            converter = TimeToLive.class,
            description = "When an entry expires, counted from when it was written: what Riak was told as"
                    + " expiry_secs, or RocksDB's TtlDB as its ttl. For riak-bitcask and rocksdb only.")
    private @Nullable Duration expireAfter;

    @Option(
            names = "--database",
            paramLabel = "N",
            description = "Which database of a dump is read; 0 by default. For redis-rdb only.")
    private int database;

    @Option(
            names = "--part",
            paramLabel = "NAME",
            description =
                    "Which part is read, if there are several: a column family of rocksdb, a database of lmdb, a map"
                            + " of mvstore or mapdb, a bucket of bolt (with / between those that it is in and its own name).")
    private @Nullable String part;

    @Option(
            names = "--elements",
            paramLabel = "KIND",
            description =
                    "What keys and values are: bytes, strings, or objects if the map was opened without types. For"
                            + " mvstore, whose files do not say.")
    private ReadOptions.@Nullable Elements elements;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    ImportCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        ForeignFormat from = from();
        if (Files.exists(target) && !(Files.isDirectory(target) && Directories.isEmptyOrMissing(target))) {
            throw new UsageException("the new store must not exist: " + target);
        }
        Directories.refuseOverlap(source, target);
        ReadOptions options = options();
        EntryDigest copied;
        int losses;
        try (Progress progress = shell.progress("imported", "entries");
                Importing importing = new Importing(progress, System.currentTimeMillis())) {
            read(from, options, importing);
            copied = importing.finish();
            losses = importing.losses;
        }
        EntryDigest found;
        try (StorageEngine made = shell.stores().open(target, backends, Access.READ)) {
            found = EntryDigest.of(made);
        }
        if (json.isOn()) {
            Map<String, Object> figures = new LinkedHashMap<>();
            copied.addTo(figures, "imported");
            found.addTo(figures, "found");
            figures.put("losses", losses);
            figures.put("isKept", copied.isKeptBy(found));
            json.print(shell, figures);
        } else {
            shell.println("imported: " + copied);
            shell.println("found:    " + found);
        }
        return copied.isKeptBy(found) && losses == 0 ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }

    private ForeignFormat from() throws IOException {
        try {
            return ForeignFormat.named(format).orElseThrow(this::missing);
        } catch (ServiceConfigurationError e) {
            throw new IOException(
                    "the format " + format + " is not there, and there is one that cannot be loaded: " + e.getMessage()
                            + ", cause=" + e.getCause(),
                    e);
        }
    }

    private UsageException missing() {
        String artifact = ForeignFormat.optional().get(format);
        if (artifact != null) {
            return new UsageException("the format " + format + " is read by dev.caskwright:" + artifact
                    + ", which is not there: put its jar and those that it needs into the directory lib");
        }
        Set<String> names = new TreeSet<>(ForeignFormat.optional().keySet());
        ForeignFormat.all().forEach(each -> names.add(each.name()));
        return new UsageException("no such format: " + format + "; there are " + String.join(", ", names));
    }

    private void read(ForeignFormat from, ReadOptions options, Receiver receiver) throws IOException {
        try {
            from.read(source, options, receiver);
        } catch (LinkageError e) {
            throw new IOException(
                    "the library that reads " + format + " is missing or does not run here; dev.caskwright:"
                            + ForeignFormat.optional().getOrDefault(format, "caskwright-importer")
                            + " names the one that it needs: " + e,
                    e);
        }
    }

    private ReadOptions options() {
        if (database < 0) {
            throw new UsageException("the number of a database must not be negative: " + database);
        }
        if (expireAfter == null) {
            return new ReadOptions(0, database, part, elements);
        }
        if (expireAfter.toSeconds() == 0) {
            throw new UsageException("--expire-after must be a second or more, as the source notes seconds");
        }
        return new ReadOptions(expireAfter.toSeconds(), database, part, elements);
    }

    /** Takes what is told of the source. The new store is made for the first entry, so that a wrong source leaves none behind. */
    private final class Importing implements Receiver, Closeable {
        private final Progress progress;
        private final long nowMillis;
        private @Nullable StorageEngine made;
        private @Nullable BatchedCopy copy;
        private long expired;
        private int losses;

        Importing(Progress progress, long nowMillis) {
            this.progress = progress;
            this.nowMillis = nowMillis;
        }

        @Override
        public void entry(byte[] key, byte[] value, long expiresAtMillis) throws IOException {
            if (expiresAtMillis <= nowMillis) {
                expired++;
            } else if (key.length == 0 || key.length > StorageEngine.MAX_KEY_LENGTH) {
                losses++;
                if (json.isOn()) {
                    json.print(shell, "what", "a key that is empty or too long", "keyBytes", key.length);
                } else {
                    shell.println("left out: a key of " + key.length + " bytes; keys have 1 to "
                            + StorageEngine.MAX_KEY_LENGTH);
                }
            } else {
                copy().put(key, value, expiresAtMillis == NEVER ? Entry.NEVER : expiresAtMillis);
            }
        }

        @Override
        public void damage(Path file, long offset, String what) throws IOException {
            losses++;
            if (json.isOn()) {
                Map<String, Object> figures = new LinkedHashMap<>();
                figures.put("file", file);
                if (offset != SOMEWHERE) {
                    figures.put("offset", offset);
                }
                figures.put("what", what);
                json.print(shell, figures);
                return;
            }
            shell.println("damaged: " + what + ": file=" + file + (offset == SOMEWHERE ? "" : ", offset=" + offset));
        }

        @Override
        public void skipped(String what, long count) throws IOException {
            if (json.isOn()) {
                json.print(shell, "leftOut", what, "count", count);
            } else {
                shell.println(String.format(Locale.ROOT, "left out: %,d %s", count, what));
            }
        }

        private BatchedCopy copy() throws IOException {
            if (copy == null) {
                made = shell.stores().open(target, backends, Access.CREATE);
                copy = new BatchedCopy(made, progress);
            }
            return copy;
        }

        EntryDigest finish() throws IOException {
            if (expired > 0) {
                skipped("entries that have expired", expired);
            }
            return copy().finish();
        }

        @Override
        public void close() throws IOException {
            if (made != null) {
                made.close();
            }
        }
    }
}
