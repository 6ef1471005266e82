package dev.caskwright.cli;

import dev.caskwright.api.Entry;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.cli.inspect.FileWindow;
import dev.caskwright.cli.inspect.Findings;
import dev.caskwright.cli.inspect.Inspector;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what a file of a store holds. */
@Command(
        name = "inspect",
        description = {
            "Print what a file of a store holds, record by record, with offsets: a data file, a hint file, a manifest or an image"
                    + " of Bitcask, a file of bolt, a log, sorted file or manifest of moss.",
            "The file is taken by itself, so what it holds need not count for its store: 'verify' tells what is damaged there."
                    + " What is not sound is told with its offset, and the exit code is 1 then. Of a file that is being written"
                    + " to, the end may be torn. Holds 256 KiB of the file at once, whatever its length. Changes nothing."
        })
final class InspectCommand implements Callable<Integer> {
    private static final int MOST_BYTES = 4 << 10;
    private static final int LONGEST_CHARACTER = 4; // bytes in UTF-8
    private static final String EXPIRY = "expiresAt";

    private final Shell shell;

    @Parameters(paramLabel = "FILE", description = "The file.")
    private Path file = Path.of("");

    @Option(
            names = "--bytes",
            paramLabel = "N",
            description = "How many bytes of each key and value are printed, up to 4096: 64 by default.")
    private int bytes = 64;

    @Option(names = "--limit", paramLabel = "N", description = "End after this many lines.")
    private long limit = Long.MAX_VALUE;

    @Mixin
    private JsonOption json = new JsonOption();

    private long lines;
    private long damages;

    InspectCommand(Shell shell) {
        this.shell = shell;
    }

    /** Ends a run that has printed enough. */
    private static final class EnoughException extends IOException {
        private static final long serialVersionUID = 1L;
    }

    @Override
    public Integer call() throws IOException {
        if (bytes < 0 || bytes > MOST_BYTES || limit < 0) {
            throw new UsageException("--bytes must be from 0 to " + MOST_BYTES + ", and --limit not negative");
        }
        if (Files.isDirectory(file)) {
            throw new UsageException("this is a directory, and inspect takes one of its files: " + file);
        }
        try (FileWindow window = FileWindow.open(file)) {
            if (!Inspector.show(window, new Printer())) {
                throw new UnsupportedFormatException("no file of a store that is known: file=" + file);
            }
        } catch (EnoughException e) {
            return damages == 0 ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
        }
        return damages == 0 ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }

    /** Prints one line for each finding. */
    private final class Printer implements Findings {
        @Override
        public int mostBytes() {
            return bytes;
        }

        @Override
        public void found(long offset, String kind, Object... fields) throws IOException {
            if (lines++ >= limit) {
                throw new EnoughException();
            }
            if (json.isOn()) {
                printJson(offset, kind.strip(), fields);
                return;
            }
            StringBuilder line = new StringBuilder().append(offset).append(' ').append(kind);
            for (int i = 0; i < fields.length; i += 2) {
                String text = text((String) fields[i], fields[i + 1]);
                if (!text.isEmpty()) {
                    line.append(i == 0 ? " " : ", ")
                            .append(fields[i])
                            .append('=')
                            .append(text);
                }
            }
            shell.println(line.toString());
        }

        private void printJson(long offset, String kind, Object... fields) throws IOException {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("offset", offset);
            object.put("kind", kind);
            for (int i = 0; i < fields.length; i += 2) {
                Object value = fields[i + 1];
                if (value instanceof byte[] found) {
                    byte[] raw = whole(found);
                    boolean isText = Encoding.text(raw) != Encoding.Text.NONE;
                    object.put(
                            isText ? (String) fields[i] : fields[i] + "Hex",
                            isText
                                    ? new String(raw, StandardCharsets.UTF_8)
                                    : HexFormat.of().formatHex(raw));
                } else {
                    object.put((String) fields[i], value);
                }
            }
            Figures.printJson(shell.out(), object);
        }

        /** Returns bytes without the start of a character that was cut where no more bytes were wanted. */
        private byte[] whole(byte[] found) {
            for (int cut = 0; found.length == bytes && cut < LONGEST_CHARACTER && cut < found.length; cut++) {
                byte[] shorter = Arrays.copyOf(found, found.length - cut);
                if (Encoding.text(shorter) != Encoding.Text.NONE) {
                    return shorter;
                }
            }
            return found;
        }

        /** Returns what is printed of a field; empty if it says nothing. */
        private String text(String name, Object value) {
            if (value instanceof byte[] found) {
                byte[] raw = whole(found);
                return Encoding.text(raw) == Encoding.Text.NONE
                        ? "0x" + HexFormat.of().formatHex(raw)
                        : '"'
                                + new String(raw, StandardCharsets.UTF_8)
                                        .replace("\\", "\\\\")
                                        .replace("\"", "\\\"")
                                + '"';
            }
            if (value instanceof Boolean flag) {
                return flag ? "yes" : "";
            }
            if (name.equals(EXPIRY) && value instanceof Long millis) {
                return millis == Entry.NEVER ? "" : millis + " (" + Instant.ofEpochMilli(millis) + ")";
            }
            return value.toString();
        }

        @Override
        public void damaged(long offset, String what) throws IOException {
            damages++;
            if (lines++ >= limit) {
                throw new EnoughException();
            }
            if (json.isOn()) {
                json.print(shell, "offset", offset, "kind", "damaged", "what", what);
            } else {
                shell.println(offset + " damaged: " + what);
            }
        }
    }
}
