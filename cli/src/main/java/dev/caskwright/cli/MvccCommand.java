package dev.caskwright.cli;

import dev.caskwright.mvcc.DeleteRange;
import dev.caskwright.mvcc.Event;
import dev.caskwright.mvcc.HashResult;
import dev.caskwright.mvcc.KeyRange;
import dev.caskwright.mvcc.KeyValue;
import dev.caskwright.mvcc.MvccStore;
import dev.caskwright.mvcc.Put;
import dev.caskwright.mvcc.RangeRequest;
import dev.caskwright.mvcc.RangeResult;
import dev.caskwright.mvcc.Watch;
import dev.caskwright.mvcc.WatchBatch;
import dev.caskwright.mvcc.WatchRequest;
import dev.caskwright.mvcc.Written;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Reads and writes database files of etcd servers, which must be stopped: a file has one writer, or readers alone. */
@Command(
        name = "mvcc",
        description = {
            "Read and write the database file of an etcd server, DATA/member/snap/db, or a file of the same kind.",
            "A file that a server has open is locked: stop the server, or take 'etcdctl snapshot save'."
        },
        synopsisSubcommandLabel = "COMMAND")
final class MvccCommand implements Runnable {
    private final Shell shell;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    MvccCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "no command: name one, such as 'caskwright mvcc get --file DB KEY'");
    }

    /** The file that a command works on. */
    static final class FileOption {
        @Option(names = "--file", required = true, paramLabel = "DB", description = "The database file.")
        private @Nullable Path file;

        MvccStore read(Shell shell) throws IOException {
            shell.stores().look(path());
            return MvccStore.builder(existing()).readOnly(true).open();
        }

        MvccStore write() throws IOException {
            return MvccStore.open(existing());
        }

        MvccStore create() throws IOException {
            return MvccStore.open(path());
        }

        private Path path() {
            Path given = file;
            if (given == null) {
                throw new UsageException("no file: give one with --file");
            }
            return given;
        }

        private Path existing() throws IOException {
            if (!Files.exists(path())) {
                throw new NoSuchFileException(path().toString());
            }
            return path();
        }
    }

    /** A key, or a range that starts with it. */
    static final class RangeOptions {
        @Parameters(index = "0", arity = "0..1", paramLabel = "KEY", description = "The key; without one, all keys.")
        private @Nullable String key;

        @Option(names = "--prefix", description = "All keys that start with KEY.")
        private boolean isPrefix;

        @Option(names = "--from-key", description = "KEY and all keys after it.")
        private boolean isFromKey;

        @Option(names = "--to", paramLabel = "END", description = "KEY and all keys before END.")
        private @Nullable String end;

        /** Refuses what would be all keys for want of a word. */
        void requireKey() {
            if (key == null) {
                throw new UsageException("say which key to delete; --from-key '' deletes all");
            }
        }

        KeyRange range(Encoding encoding) {
            String given = key;
            String to = end;
            if ((isPrefix ? 1 : 0) + (isFromKey ? 1 : 0) + (to != null ? 1 : 0) > 1) {
                throw new UsageException("--prefix, --from-key and --to exclude each other");
            }
            byte[] first = given == null ? new byte[0] : encoding.argument("the key", given);
            if (to != null) {
                return KeyRange.between(first, encoding.argument("the end", to));
            }
            if (given == null || isFromKey) {
                return KeyRange.from(first);
            }
            return isPrefix ? KeyRange.prefix(first) : KeyRange.of(first);
        }
    }

    private static void checkRevision(long revision) {
        if (revision < 0) {
            throw new UsageException("--rev must not be negative: " + revision);
        }
    }

    private static String text(byte[] bytes, Encoding encoding) {
        return encoding == Encoding.BASE64
                ? Base64.getEncoder().encodeToString(bytes)
                : new String(bytes, StandardCharsets.UTF_8);
    }

    private static String describe(KeyValue entry) {
        return "create=" + entry.createRevision() + ", mod=" + entry.modRevision() + ", version=" + entry.version()
                + (entry.lease() == 0 ? "" : ", lease=" + Long.toHexString(entry.lease()));
    }

    // ---------------------------------------------------------------- keys

    @Command(name = "get", description = "Print the value of a key, at the latest revision or an earlier one.")
    int get(
            @Mixin FileOption file,
            @Mixin EncodingOption text,
            @Option(names = "--rev", paramLabel = "REVISION", description = "The revision; the latest by default.")
                    long revision,
            @Parameters(index = "0", paramLabel = "KEY", description = "The key.") String key)
            throws IOException {
        checkRevision(revision);
        try (MvccStore store = file.read(shell)) {
            KeyRange range = KeyRange.of(text.encoding().argument("the key", key));
            RangeResult result = store.range(RangeRequest.of(range).atRevision(revision));
            if (result.entries().isEmpty()) {
                shell.complain("key not found");
                return ExitCode.NOT_FOUND_OR_DAMAGE;
            }
            shell.println(text(result.entries().get(0).value(), text.encoding()));
            return ExitCode.OK;
        }
    }

    @Command(
            name = "range",
            description = "Print keys with their values, each after a space, at the latest revision or an earlier one.")
    int range(
            @Mixin FileOption file,
            @Mixin EncodingOption text,
            @Mixin RangeOptions keys,
            @Option(names = "--rev", paramLabel = "REVISION", description = "The revision; the latest by default.")
                    long revision,
            @Option(names = "--limit", paramLabel = "N", description = "Print this many keys at most.") long limit,
            @Option(names = "--descending", description = "Begin with the last key.") boolean isDescending,
            @Option(names = "--count", description = "Print how many there are, and nothing else.") boolean isCount,
            @Option(names = "--long", description = "Print revisions, version and lease of each key, too.")
                    boolean isLong)
            throws IOException {
        checkRevision(revision);
        if (limit < 0) {
            throw new UsageException("--limit must not be negative: " + limit);
        }
        try (MvccStore store = file.read(shell)) {
            RangeResult result = store.range(RangeRequest.of(keys.range(text.encoding()))
                    .atRevision(revision)
                    .withLimit(limit)
                    .sortedBy(RangeRequest.Order.KEY, isDescending)
                    .returning(isCount ? RangeRequest.Kind.COUNT : RangeRequest.Kind.ENTRIES));
            if (isCount) {
                shell.println(Long.toString(result.count()));
            }
            for (KeyValue entry : result.entries()) {
                shell.println(text(entry.key(), text.encoding()) + " " + text(entry.value(), text.encoding())
                        + (isLong ? " " + describe(entry) : ""));
            }
            return ExitCode.OK;
        }
    }

    @Command(name = "put", description = "Put a value, and print the new revision once it is durable.")
    int put(
            @Mixin FileOption file,
            @Mixin EncodingOption text,
            @Option(names = "--lease", paramLabel = "ID", description = "The lease that the key goes with, in hex.")
                    @Nullable String lease,
            @Parameters(index = "0", paramLabel = "KEY", description = "The key.") String key,
            @Parameters(index = "1", paramLabel = "VALUE", description = "The value.") String value)
            throws IOException {
        try (MvccStore store = file.create()) {
            Put put = Put.of(
                            text.encoding().argument("the key", key),
                            text.encoding().argument("the value", value))
                    .withLease(lease == null ? 0 : id(lease));
            long revision = store.put(put).revision();
            store.commit();
            shell.println("revision=" + revision);
            return ExitCode.OK;
        }
    }

    @Command(name = "delete", description = "Delete keys, and print how many and the new revision once it is durable.")
    int delete(@Mixin FileOption file, @Mixin EncodingOption text, @Mixin RangeOptions keys) throws IOException {
        keys.requireKey();
        try (MvccStore store = file.write()) {
            var written = store.delete(DeleteRange.of(keys.range(text.encoding())));
            store.commit();
            shell.println("deleted=" + written.result().deleted() + ", revision=" + written.revision());
            return written.result().deleted() > 0 ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
        }
    }

    @Command(
            name = "watch",
            description =
                    "Print the changes of keys, from a revision on to the latest: revision, PUT or DELETE, key and"
                            + " value, with spaces between them.")
    int watch(
            @Mixin FileOption file,
            @Mixin EncodingOption text,
            @Mixin RangeOptions keys,
            @Option(
                            names = "--rev",
                            paramLabel = "REVISION",
                            description = "The first revision; the one after the last compaction by default.")
                    long revision)
            throws IOException {
        checkRevision(revision);
        try (MvccStore store = file.read(shell)) {
            long first = revision > 0 ? revision : Math.max(1, store.compactedRevision() + 1);
            WatchRequest request = WatchRequest.of(keys.range(text.encoding())).fromRevision(first);
            try (Watch watch = store.watch(request)) {
                for (WatchBatch batch = watch.poll(); batch != null; batch = watch.poll()) {
                    for (Event event : batch.events()) {
                        shell.println(event.revision() + " " + event.kind() + " "
                                + text(event.keyValue().key(), text.encoding())
                                + (event.kind() == Event.Kind.DELETE
                                        ? ""
                                        : " " + text(event.keyValue().value(), text.encoding())));
                    }
                }
            }
            return ExitCode.OK;
        }
    }

    // ---------------------------------------------------------------- the whole store

    @Command(
            name = "compact",
            description = "Remove what is only needed to read before a revision. The space is used again; with"
                    + " --defragment the file gets shorter.")
    int compact(
            @Mixin FileOption file,
            @Option(names = "--defragment", description = "Give the space back to the file system.")
                    boolean isDefragmenting,
            @Parameters(index = "0", paramLabel = "REVISION", description = "The first revision that stays.")
                    long revision)
            throws IOException {
        if (revision < 1) {
            throw new UsageException("a revision is 1 or more");
        }
        try (MvccStore store = file.write()) {
            long before = store.stats().keys();
            store.compact(revision);
            store.commit();
            if (isDefragmenting) {
                store.defragment();
            }
            shell.println(String.format(
                    Locale.ROOT,
                    "compacted=%d, keys: %,d -> %,d",
                    revision,
                    before,
                    store.stats().keys()));
            return ExitCode.OK;
        }
    }

    @Command(name = "hash", description = "Print the hash of all revisions, as 'etcdctl endpoint hashkv' does.")
    int hash(
            @Mixin FileOption file,
            @Option(names = "--rev", paramLabel = "REVISION", description = "The last revision; the latest by default.")
                    long revision)
            throws IOException {
        checkRevision(revision);
        try (MvccStore store = file.read(shell)) {
            HashResult result = store.hash(revision);
            shell.println("hash=" + Integer.toUnsignedString(result.hash()) + ", revision=" + result.revision()
                    + ", compacted=" + result.compactedRevision());
            return ExitCode.OK;
        }
    }

    // ---------------------------------------------------------------- leases

    private static long id(String hex) {
        try {
            return Long.parseUnsignedLong(hex, 16);
        } catch (NumberFormatException e) {
            throw new UsageException("a lease is a number in hex: " + hex);
        }
    }

    /** What is done with leases. */
    enum LeaseAction {
        LIST,
        GRANT,
        REVOKE,
        KEYS
    }

    @Command(
            name = "lease",
            description =
                    "List leases with their seconds, grant one for SECONDS, revoke one with its keys, or list its keys."
                            + " Leases have numbers in hex. Time does not go on while a file is not open.")
    int lease(
            @Mixin FileOption file,
            @Mixin EncodingOption text,
            @Parameters(index = "0", paramLabel = "ACTION", description = "list, grant, revoke or keys.")
                    LeaseAction action,
            @Parameters(
                            index = "1",
                            arity = "0..1",
                            paramLabel = "SECONDS|ID",
                            description = "How long a granted lease lives, or the lease.")
                    @Nullable String argument)
            throws IOException {
        if (action == LeaseAction.LIST) {
            try (MvccStore store = file.read(shell)) {
                for (long id : store.leases()) {
                    shell.println(Long.toHexString(id) + " " + store.lease(id).ttlSeconds());
                }
                return ExitCode.OK;
            }
        }
        if (argument == null) {
            throw new UsageException("say which lease, or how long a new one lives");
        }
        return switch (action) {
            case KEYS -> leaseKeys(file, text, id(argument));
            case REVOKE -> revokeLease(file, id(argument));
            default -> grantLease(file, argument);
        };
    }

    private int leaseKeys(FileOption file, EncodingOption text, long id) throws IOException {
        try (MvccStore store = file.read(shell)) {
            for (byte[] key : store.lease(id).keys()) {
                shell.println(text(key, text.encoding()));
            }
            return ExitCode.OK;
        }
    }

    private int revokeLease(FileOption file, long id) throws IOException {
        try (MvccStore store = file.write()) {
            Written<Integer> written = store.revokeLease(id);
            store.commit();
            shell.println("deleted=" + written.result() + ", revision=" + written.revision());
            return ExitCode.OK;
        }
    }

    private int grantLease(FileOption file, String seconds) throws IOException {
        long ttl;
        try {
            ttl = Long.parseLong(seconds);
        } catch (NumberFormatException e) {
            throw new UsageException("seconds are a number: " + seconds);
        }
        if (ttl < 1) {
            throw new UsageException("a lease lives for a second at least");
        }
        try (MvccStore store = file.create()) {
            long id = store.grantLease(0, ttl).result().id();
            store.commit();
            shell.println(Long.toHexString(id));
            return ExitCode.OK;
        }
    }
}
