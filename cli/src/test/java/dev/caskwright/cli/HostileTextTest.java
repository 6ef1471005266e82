package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Nothing that a terminal would obey or hide reaches it, whoever wrote it and on whatever way. */
final class HostileTextTest {
    @TempDir
    private Path temporary;

    private final Cli cli = new Cli();

    static List<String> hostile() {
        return List.of(
                "\u001b[2J\u001b]0;title\u0007",
                "\u0000",
                "\b\b\b",
                "\r",
                "\u007f",
                "\u009b31m",
                "\u0085",
                "\u202e",
                "\u2066\u2069",
                "\u200f",
                "\u061c",
                "\u2028",
                "\ufeff",
                "\udb40\udc01");
    }

    @BeforeEach
    void useTheEngine() {
        cli.stores = new EngineStores();
    }

    /** Asserts that a text has line feeds as its only characters that are not shown as they are. */
    private static void assertPrintable(String text) {
        boolean isPrintable = text.codePoints()
                .allMatch(codePoint -> codePoint == '\n' || codePoint == '\t' || !Printable.isHidden(codePoint));
        assertThat(isPrintable).as(Printable.line(text)).isTrue();
    }

    private static void assertPrintable(Cli.Result result) {
        assertPrintable(result.out());
        assertPrintable(result.err());
    }

    /** Writes a text as JSON with nothing but ASCII. */
    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        text.chars().forEach(unit -> quoted.append(Printable.escape((char) unit)));
        return quoted.append('"').toString();
    }

    @Test
    void keysAndValues() throws IOException {
        String dir = temporary.resolve("store").toString();
        StringBuilder lines = new StringBuilder();
        for (String text : hostile()) {
            lines.append("{\"key\":").append(quoted("k" + text));
            lines.append(",\"value\":").append(quoted(text + "v")).append("}\n");
        }
        assertThat(cli.in(lines.toString()).run("load", "--dir", dir, "-").exitCode())
                .isZero();
        for (String command : List.of("dump", "scan", "watch", "stat", "verify")) {
            Cli.Result result = cli.run(command, "--dir", dir);
            assertThat(result.exitCode()).as(result.err()).isZero();
            assertPrintable(result);
        }
        Cli.Result scanned = cli.run("scan", "--dir", dir, "--index", "btree", "--prefix", "k");
        assertPrintable(scanned);
        assertThat(scanned.out()).hasLineCount(hostile().size());
        // What was dumped is loaded as it was.
        String other = temporary.resolve("other").toString();
        String dump = cli.run("dump", "--dir", dir).out();
        assertThat(cli.in(dump).run("load", "--dir", other, "-").exitCode()).isZero();
        for (String text : hostile()) {
            String key = "k" + text;
            // Exact where no terminal is.
            cli.printsToTerminal = false;
            assertThat(cli.run("get", "--dir", other, key).out()).isEqualTo(text + "v");
            cli.printsToTerminal = true;
            assertPrintable(cli.run("get", "--dir", dir, key));
            assertThat(cli.run("get", "--dir", dir, "--raw", key).out()).isEqualTo(text + "v");
        }
        String key = "k" + hostile().get(0);
        assertPrintable(cli.run("put", "--dir", dir, "--if-absent", key, "v"));
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void argumentsAndLines(String text) throws IOException {
        String dir = temporary.resolve("store").toString();
        List<String[]> commands = List.of(
                new String[] {text},
                new String[] {"get", "--dir", dir, text, text},
                new String[] {"get", "--dir", text + "/none", "k"},
                new String[] {"get", "--dir", dir, "--" + text, "k"},
                new String[] {"get", "--dir", dir, "--index", text, "k"},
                new String[] {"get", "--dir", dir, "--durability", text, "k"},
                new String[] {"get", "--dir", dir, "--encoding", "base64", text},
                new String[] {"put", "--dir", dir, "k", "v", "--ttl", text},
                new String[] {"put", "--dir", dir, "k", "--file", text + "none"},
                new String[] {"load", "--dir", dir, text + "none"},
                new String[] {"get", "--verbose", "--dir", text + "/none", "k"},
                new String[] {"restore", "--dir", dir, text + "none"},
                new String[] {"scan", "--dir", dir, "--limit", text});
        for (String[] command : commands) {
            Cli.Result result = cli.run(command);
            assertThat(result.exitCode())
                    .as(Printable.line(String.join(" ", command)))
                    .isNotZero();
            assertPrintable(result);
        }
        cli.stores = cli;
        for (String line : List.of(
                "{\"" + text + "\":1}", text, "{\"key\":\"" + text + "\"", "{\"key\":\"k\",\"value\":\"v\"}" + text)) {
            assertPrintable(cli.in(line).run("load", "--dir", dir, "-"));
            assertPrintable(cli.in(line).run("batch", "--dir", dir, "-"));
        }
    }

    @Test
    void namesOfFiles() throws IOException {
        Map<String, String> lines = new TreeMap<>();
        for (String text : hostile()) {
            if (text.contains("\u0000")) {
                continue; // no file has it in its name
            }
            Path directory = Files.createDirectory(temporary.resolve("d" + text));
            Files.writeString(directory.resolve("f" + text), "mine");
            String dir = directory.toString();
            for (String command : List.of("stat", "verify", "dump", "merge")) {
                Cli.Result result = cli.run(command, "--dir", dir);
                assertThat(result.exitCode()).isNotZero();
                assertPrintable(result);
            }
            Cli.Result put = cli.run("put", "--dir", dir, "k", "v");
            assertPrintable(put);
            lines.put(text, put.err());
            assertPrintable(cli.run("--verbose", "put", "--dir", dir, "k", "v"));
        }
        assertThat(lines.values()).allMatch(line -> line.lines().count() == 1);
    }

    @Test
    void whatIsReadableStaysSo() throws IOException {
        String text = "Grüße, 日本語, emoji 😀, 'quotes' \"and\" \\ tab\tline\nend";
        assertThat(Printable.lines(text)).isEqualTo(text);
        assertThat(Printable.line("a\nb\u001b")).isEqualTo("a\\u000ab\\u001b");
        String dir = temporary.resolve("store").toString();
        cli.run("put", "--dir", dir, "k", text);
        cli.printsToTerminal = true;
        assertThat(cli.run("get", "--dir", dir, "k").outBytes()).isEqualTo(text.getBytes(UTF_8));
        assertThat(cli.run("dump", "--dir", dir).out()).contains("Grüße, 日本語, emoji");
    }
}
