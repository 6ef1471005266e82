package dev.caskwright.cli;

import dev.caskwright.bolt.BoltCursor;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.BoltFile;
import dev.caskwright.bolt.BoltTransaction;
import dev.caskwright.bolt.Bucket;
import dev.caskwright.bolt.CheckReport;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tools for files in the format of bolt, named as bbolt's users know them. All but {@code compact} only read. */
@Command(
        name = "bolt",
        description = "Look at files in the format of bolt, as bbolt and etcd write them, check and copy them.",
        synopsisSubcommandLabel = "COMMAND")
final class BoltCommand implements Runnable {
    private static final int HEX_LINE_BYTES = 16;

    private final Shell shell;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    BoltCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "no command: name one, such as 'caskwright bolt check FILE'");
    }

    private Path existing(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        shell.stores().look(file);
        return file;
    }

    private BoltDatabase open(Path file) throws IOException {
        return BoltDatabase.builder(existing(file)).readOnly(true).open();
    }

    private BoltFile pagesOf(Path file) throws IOException {
        return BoltFile.open(existing(file), StandardIoManager::open);
    }

    // ---------------------------------------------------------------- the whole file

    @Command(name = "check", description = "Check that every page is used exactly once and every key is in order.")
    int check(@Parameters(paramLabel = "FILE", description = "The file.") Path file) throws IOException {
        try (BoltDatabase database = open(file)) {
            CheckReport report = database.check();
            for (String problem : report.problems()) {
                shell.println(problem);
            }
            shell.println(
                    report.isSound() ? "OK" : String.format(Locale.ROOT, "%,d problems found", report.problemCount()));
            return report.isSound() ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
        }
    }

    @Command(name = "info", description = "Print the page size and what the meta pages say.")
    int info(@Parameters(paramLabel = "FILE", description = "The file.") Path file) throws IOException {
        try (BoltFile pages = pagesOf(file)) {
            shell.println("Page Size: " + pages.pageSize());
            shell.println("Pages: " + pages.pages());
            for (BoltFile.MetaInfo meta : pages.metas()) {
                shell.println("Meta " + meta.page() + ": transaction=" + meta.transaction() + ", root=" + meta.root()
                        + ", freelist=" + (meta.freelist() < 0 ? "none" : String.valueOf(meta.freelist()))
                        + ", highWater=" + meta.highWater());
            }
            return ExitCode.OK;
        }
    }

    @Command(name = "stats", description = "Print how many buckets, keys and pages of each kind there are.")
    int stats(@Parameters(paramLabel = "FILE", description = "The file.") Path file) throws IOException {
        try (BoltDatabase database = open(file);
                BoltFile pages = pagesOf(file)) {
            CheckReport report = database.check();
            Map<BoltFile.Kind, Long> counts = new EnumMap<>(BoltFile.Kind.class);
            long overflow = 0;
            for (long id = 0; id < pages.pages(); ) {
                BoltFile.PageInfo page = pages.page(id);
                counts.merge(page.kind(), 1L, Long::sum);
                overflow += page.overflow();
                id += page.overflow() + 1;
            }
            shell.println("Buckets: " + report.buckets());
            shell.println("Keys: " + report.keys());
            shell.println("Pages: " + pages.pages() + " of " + pages.pageSize() + " bytes");
            for (BoltFile.Kind kind : BoltFile.Kind.values()) {
                shell.println("  " + kind.name().toLowerCase(Locale.ROOT) + ": " + counts.getOrDefault(kind, 0L));
            }
            shell.println("  overflow: " + overflow);
            return report.isSound() ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
        }
    }

    @Command(
            name = "compact",
            description = "Copy all buckets of a file into a new one, into full pages and without free ones.")
    int compact(
            @Option(
                            names = {"-o", "--output"},
                            required = true,
                            paramLabel = "NEWFILE",
                            description = "The file to write; it must not exist.")
                    Path target,
            @Parameters(paramLabel = "FILE", description = "The file to copy.") Path file)
            throws IOException {
        if (Files.exists(target)) {
            throw new UsageException("the file to write exists: " + target);
        }
        long before = Files.size(existing(file));
        try (BoltDatabase source = open(file)) {
            source.compactTo(target);
        }
        shell.println(String.format(Locale.ROOT, "%,d -> %,d bytes", before, Files.size(target)));
        return ExitCode.OK;
    }

    // ---------------------------------------------------------------- buckets and keys

    /** A bucket by the names that lead to it. */
    private static Bucket bucket(BoltTransaction transaction, List<String> names, Encoding encoding)
            throws IOException {
        Bucket bucket = transaction.root();
        for (String name : names) {
            Bucket inner = bucket.bucket(encoding.argument("the bucket's name", name));
            if (inner == null) {
                throw new UsageException("no such bucket: " + name);
            }
            bucket = inner;
        }
        return bucket;
    }

    private static String text(byte[] bytes, Encoding encoding) {
        return encoding == Encoding.BASE64
                ? Base64.getEncoder().encodeToString(bytes)
                : new String(bytes, StandardCharsets.UTF_8);
    }

    @Command(name = "buckets", description = "Print the names of the buckets, of the root or within another one.")
    int buckets(
            @Mixin EncodingOption text,
            @Parameters(index = "0", paramLabel = "FILE", description = "The file.") Path file,
            @Parameters(index = "1..*", arity = "0..*", paramLabel = "BUCKET", description = "Names that lead to it.")
                    @Nullable List<String> path)
            throws IOException {
        try (BoltDatabase database = open(file)) {
            database.view(transaction -> bucket(transaction, path == null ? List.of() : path, text.encoding())
                    .forEachBucket((name, none) -> shell.println(text(name, text.encoding()))));
            return ExitCode.OK;
        }
    }

    @Command(
            name = "keys",
            description = "Print the keys of a bucket, in order; the names of buckets within it are among them.")
    int keys(
            @Mixin EncodingOption text,
            @Parameters(index = "0", paramLabel = "FILE", description = "The file.") Path file,
            @Parameters(index = "1..*", arity = "1..*", paramLabel = "BUCKET", description = "Names that lead to it.")
                    List<String> path)
            throws IOException {
        try (BoltDatabase database = open(file)) {
            database.view(transaction -> {
                BoltCursor cursor = bucket(transaction, path, text.encoding()).cursor();
                for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                    shell.println(text(cursor.key(), text.encoding()));
                }
            });
            return ExitCode.OK;
        }
    }

    @Command(name = "get", description = "Write the value of a key to standard output, byte for byte.")
    int get(
            @Mixin EncodingOption text,
            @Parameters(index = "0", paramLabel = "FILE", description = "The file.") Path file,
            @Parameters(
                            index = "1..*",
                            arity = "2..*",
                            paramLabel = "NAME",
                            description = "The names of the buckets that lead to the key, then the key.")
                    List<String> names)
            throws IOException {
        try (BoltDatabase database = open(file);
                BoltTransaction transaction = database.beginRead()) {
            byte[] key = text.encoding().argument("the key", names.get(names.size() - 1));
            byte[] value = bucket(transaction, names.subList(0, names.size() - 1), text.encoding())
                    .get(key);
            if (value == null) {
                shell.complain("no such key");
                return ExitCode.NOT_FOUND_OR_DAMAGE;
            }
            if (shell.printsToTerminal()) {
                shell.println(new String(value, StandardCharsets.UTF_8));
            } else {
                shell.out().write(value);
            }
            return ExitCode.OK;
        }
    }

    // ---------------------------------------------------------------- pages

    @Command(name = "pages", description = "Print a line for each page: its number, kind, elements and further pages.")
    int pages(@Parameters(paramLabel = "FILE", description = "The file.") Path file) throws IOException {
        try (BoltFile pages = pagesOf(file)) {
            shell.println("ID       TYPE       ITEMS  OVRFLW");
            for (long id = 0; id < pages.pages(); ) {
                BoltFile.PageInfo page = pages.page(id);
                shell.println(String.format(
                                Locale.ROOT,
                                "%-8d %-10s %-6s %s",
                                id,
                                page.kind().name().toLowerCase(Locale.ROOT),
                                page.kind() == BoltFile.Kind.FREE ? "" : String.valueOf(page.count()),
                                page.overflow() == 0 ? "" : String.valueOf(page.overflow()))
                        .stripTrailing());
                id += page.overflow() + 1;
            }
            return ExitCode.OK;
        }
    }

    private static void checkPage(BoltFile pages, long id) throws IOException {
        if (id < 0 || id >= pages.pages()) {
            throw new UsageException("no such page: " + id + "; the file has " + pages.pages() + ", from 0 on");
        }
    }

    @Command(name = "page", description = "Print what pages hold, element by element.")
    int page(
            @Mixin EncodingOption text,
            @Parameters(index = "0", paramLabel = "FILE", description = "The file.") Path file,
            @Parameters(index = "1..*", arity = "1..*", paramLabel = "ID", description = "Numbers of pages.")
                    List<Long> ids)
            throws IOException {
        try (BoltFile pages = pagesOf(file)) {
            for (long id : ids) {
                checkPage(pages, id);
                BoltFile.PageInfo page = pages.page(id);
                shell.println("Page ID: " + id);
                shell.println("Page Type: " + page.kind().name().toLowerCase(Locale.ROOT));
                shell.println("Item Count: " + page.count());
                shell.println("Overflow: " + page.overflow());
                if (page.kind() == BoltFile.Kind.LEAF || page.kind() == BoltFile.Kind.BRANCH) {
                    for (String line : items(pages.items(id), text.encoding())) {
                        shell.println(line);
                    }
                }
            }
            return ExitCode.OK;
        }
    }

    private static List<String> items(List<BoltFile.Item> items, Encoding encoding) {
        List<String> lines = new ArrayList<>();
        for (BoltFile.Item item : items) {
            String key = text(item.key(), encoding);
            if (item.child() != 0) {
                lines.add(key + ": page " + item.child());
            } else {
                lines.add(key + ": " + (item.isBucket() ? "bucket" : text(item.value(), encoding)));
            }
        }
        return lines;
    }

    @Command(name = "dump", description = "Print the bytes of pages in hexadecimal.")
    int dump(
            @Parameters(index = "0", paramLabel = "FILE", description = "The file.") Path file,
            @Parameters(index = "1..*", arity = "1..*", paramLabel = "ID", description = "Numbers of pages.")
                    List<Long> ids)
            throws IOException {
        try (BoltFile pages = pagesOf(file)) {
            for (long id : ids) {
                checkPage(pages, id);
                byte[] bytes = pages.bytes(id);
                for (int at = 0; at < bytes.length; at += HEX_LINE_BYTES) {
                    int end = Math.min(bytes.length, at + HEX_LINE_BYTES);
                    shell.println(String.format(Locale.ROOT, "%08x  ", id * pages.pageSize() + at)
                            + HexFormat.ofDelimiter(" ").formatHex(bytes, at, end));
                }
            }
            return ExitCode.OK;
        }
    }
}
