package dev.caskwright.importer.rocksdb;

import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Keeps what it is told of a format that is found by its name, as strings of UTF-8. */
final class Told implements Receiver {
    final Map<String, String> entries = new TreeMap<>();
    final Map<String, Long> expiries = new TreeMap<>();
    final List<String> damage = new ArrayList<>();
    final Map<String, Long> skipped = new TreeMap<>();

    static Told of(String format, Path source, ReadOptions options) throws IOException {
        Told told = new Told();
        ForeignFormat.named(format).orElseThrow().read(source, options, told);
        return told;
    }

    static Told of(String format, Path source) throws IOException {
        return of(format, source, ReadOptions.DEFAULT);
    }

    /** Options that name a part. */
    static ReadOptions part(String name) {
        return new ReadOptions(0, 0, name, null);
    }

    @Override
    public void entry(byte[] key, byte[] value, long expiresAtMillis) {
        String name = new String(key, StandardCharsets.UTF_8);
        if (entries.put(name, new String(value, StandardCharsets.UTF_8)) != null) {
            throw new AssertionError("told twice: " + name);
        }
        if (expiresAtMillis != NEVER) {
            expiries.put(name, expiresAtMillis);
        }
    }

    @Override
    public void damage(Path file, long offset, String what) {
        damage.add(file.getFileName() + ": " + what);
    }

    @Override
    public void skipped(String what, long count) {
        skipped.merge(what, count, Long::sum);
    }
}
