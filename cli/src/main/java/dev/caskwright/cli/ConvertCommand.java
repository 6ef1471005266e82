package dev.caskwright.cli;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.EngineSettings.Access;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
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
    private static final int BATCH_ENTRIES = 1_000;
    private static final int BATCH_BYTES = 4 << 20;

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
    private BackendOptions backends = new BackendOptions();

    ConvertCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (Files.exists(target) && !(Files.isDirectory(target) && Directories.isEmptyOrMissing(target))) {
            throw new UsageException("the new store must not exist: " + target);
        }
        EntryDigest copied = new EntryDigest();
        BackendOptions from = BackendOptions.of(sourceEngine, sourceOptions);
        try (StorageEngine store = shell.stores().open(source, from, Access.READ);
                StorageEngine made = shell.stores().open(target, backends, Access.CREATE);
                Progress progress = shell.progress("copied", "entries")) {
            copy(store, made, copied, progress);
            made.sync();
            progress.finish();
        }
        EntryDigest found = new EntryDigest();
        try (StorageEngine made = shell.stores().open(target, backends, Access.READ);
                Cursor entries = made.cursor()) {
            for (Entry entry = entries.next(); entry != null; entry = entries.next()) {
                found.add(entry);
            }
        }
        shell.println("copied: " + copied);
        shell.println("found:  " + found);
        return copied.isSameAs(found) ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }

    private static void copy(StorageEngine from, StorageEngine to, EntryDigest digest, Progress progress)
            throws IOException {
        WriteBatch batch = new WriteBatch();
        long bytes = 0;
        try (Cursor entries = from.cursor()) {
            for (Entry entry = entries.next(); entry != null; entry = entries.next()) {
                WriteOptions options = entry.expiresAtMillis() == Entry.NEVER
                        ? WriteOptions.DEFAULT
                        : WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(entry.expiresAtMillis()));
                batch.put(entry.key(), entry.value(), options);
                bytes += entry.key().length + (long) entry.value().length;
                digest.add(entry);
                progress.step();
                if (batch.size() == BATCH_ENTRIES || bytes > BATCH_BYTES) {
                    to.write(batch);
                    batch.clear();
                    bytes = 0;
                }
            }
        }
        to.write(batch);
    }

    /** A count and a digest of entries that do not depend on their order: the sum of the digests of all. */
    private static final class EntryDigest {
        private final Digest digest = new Digest();
        private final byte[] sum = new byte[32];
        private long entries;

        void add(Entry entry) {
            byte[] one = digest.of(entry.key(), entry.value());
            int carry = 0;
            for (int i = sum.length - 1; i >= 0; i--) {
                carry += (sum[i] & 0xFF) + (one[i] & 0xFF);
                sum[i] = (byte) carry;
                carry >>>= Byte.SIZE;
            }
            entries++;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%,d entries, digest %s",
                    entries,
                    HexFormat.of().formatHex(sum));
        }

        boolean isSameAs(EntryDigest other) {
            return entries == other.entries && Arrays.equals(sum, other.sum);
        }
    }
}
