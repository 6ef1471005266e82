package dev.caskwright.server.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Files of lines, each some words: how they are read, changed and replaced. */
public final class ConfigFile {
    private ConfigFile() {}

    /** Splits a line at spaces; a word in double quotes may have spaces, and a backslash before a quote or a backslash. */
    static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        int p = 0;
        while (p < line.length()) {
            char c = line.charAt(p);
            if (Character.isWhitespace(c)) {
                p++;
                continue;
            }
            StringBuilder word = new StringBuilder();
            boolean isQuoted = c == '"';
            p += isQuoted ? 1 : 0;
            boolean isClosed = !isQuoted;
            while (p < line.length()) {
                c = line.charAt(p);
                if (isQuoted ? c == '"' : Character.isWhitespace(c)) {
                    isClosed = true;
                    break;
                }
                if (isQuoted && c == '\\' && p + 1 < line.length()) {
                    c = line.charAt(++p);
                }
                word.append(c);
                p++;
            }
            if (!isClosed) {
                throw new IllegalArgumentException("unbalanced quotes");
            }
            p++;
            words.add(word.toString());
        }
        return words;
    }

    private static String line(Option option) {
        String text = option.text();
        // A text of several words, as of "bind", is joined again when it is read; one of other spaces is not.
        boolean isPlain = !text.isEmpty()
                && text.indexOf('"') < 0
                && text.indexOf('\\') < 0
                && String.join(" ", words(text)).equals(text);
        return option.name() + " "
                + (isPlain ? text : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"');
    }

    static List<String> merged(List<String> old, Map<String, Option> options, @Nullable List<String> users) {
        List<String> lines = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String line : old) {
            String name = line.isBlank() || line.strip().startsWith("#")
                    ? ""
                    : words(line).get(0).toLowerCase(Locale.ROOT);
            Option option = options.get(name);
            if (option != null) {
                if (seen.add(name)) {
                    lines.add(line(option));
                }
            } else if (users == null || !name.equals("user")) {
                lines.add(line);
            }
        }
        for (Option option : options.values()) {
            if (!option.isInitial() && seen.add(option.name())) {
                lines.add(line(option));
            }
        }
        if (users != null) {
            lines.addAll(users);
        }
        return lines;
    }

    /** Replaces a file, which may hold secrets, so that after a crash it is the old one or the new one. */
    public static void replace(Path target, List<String> lines) throws IOException {
        Path parent = target.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IOException("not a file: " + target);
        }
        Path temporary = Files.createTempFile(parent, target.getFileName() + ".", ".new", permissions(parent));
        try {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            // The name, too, is to survive a power loss.
            try (FileChannel directory = FileChannel.open(parent, StandardOpenOption.READ)) {
                directory.force(true);
            }
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static FileAttribute<?>[] permissions(Path parent) {
        return parent.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }
}
