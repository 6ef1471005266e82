package dev.caskwright.importer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Keeps what it is told, as strings of Latin-1. */
final class Told implements Receiver {
    final Map<String, String> entries = new TreeMap<>();
    final Map<String, Long> expiries = new TreeMap<>();
    final List<String> damage = new ArrayList<>();
    final Map<String, Long> skipped = new TreeMap<>();

    static Told of(ForeignFormat format, Path source) throws IOException {
        return of(format, source, ReadOptions.DEFAULT);
    }

    static Told of(ForeignFormat format, Path source, ReadOptions options) throws IOException {
        Told told = new Told();
        format.read(source, options, told);
        return told;
    }

    @Override
    public void entry(byte[] key, byte[] value, long expiresAtMillis) {
        String name = new String(key, StandardCharsets.ISO_8859_1);
        if (entries.put(name, new String(value, StandardCharsets.ISO_8859_1)) != null) {
            throw new AssertionError("told twice: " + name);
        }
        if (expiresAtMillis != NEVER) {
            expiries.put(name, expiresAtMillis);
        }
    }

    @Override
    public void damage(Path file, long offset, String what) {
        damage.add(file.getFileName() + "@" + offset + ": " + what);
    }

    @Override
    public void skipped(String what, long count) {
        skipped.merge(what, count, Long::sum);
    }
}
