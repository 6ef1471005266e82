package dev.caskwright.importer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Keeps all that it is told, as text, for tests of formats. Bytes that are no UTF-8 are read as Latin-1. For one thread.
 */
public final class Told implements Receiver {
    private final Map<String, String> entries = new TreeMap<>();
    private final Map<String, Long> expiries = new TreeMap<>();
    private final List<String> damage = new ArrayList<>();
    private final Map<String, Long> skipped = new TreeMap<>();

    /** Makes one that was told nothing. */
    public Told() {}

    /** Returns what a format tells of a store. */
    public static Told of(ForeignFormat format, Path source, ReadOptions options) throws IOException {
        Told told = new Told();
        format.read(source, options, told);
        return told;
    }

    /** Returns the same, by the default options. */
    public static Told of(ForeignFormat format, Path source) throws IOException {
        return of(format, source, ReadOptions.DEFAULT);
    }

    /** Returns the same of a format that is found by its name, and must be there. */
    public static Told of(String format, Path source, ReadOptions options) throws IOException {
        return of(ForeignFormat.named(format).orElseThrow(), source, options);
    }

    /** Returns the same, by the default options. */
    public static Told of(String format, Path source) throws IOException {
        return of(format, source, ReadOptions.DEFAULT);
    }

    /**
     * Reads a store of which bytes are damaged, whatever it says: by telling, or by an error that names something. A key may
     * be there twice.
     *
     * @param story what tells this damage from others
     * @throws AssertionError if it ends in any other way
     */
    public static void ofDamaged(String format, Path source, ReadOptions options, String story) {
        try {
            of(format, source, options);
        } catch (IOException e) {
            if (e.getMessage() == null || e.getMessage().isBlank()) {
                throw new AssertionError("an error without a word: " + story, e);
            }
        } catch (RuntimeException | Error e) {
            boolean isToldTwice = e instanceof IllegalStateException
                    && e.getMessage() != null
                    && e.getMessage().contains("told twice");
            if (!isToldTwice) {
                throw new AssertionError(story, e);
            }
        }
    }

    /** Returns the values, by key. */
    public Map<String, String> entries() {
        return Collections.unmodifiableMap(entries);
    }

    /** Returns when those keys expire that do, in milliseconds since 1970. */
    public Map<String, Long> expiries() {
        return Collections.unmodifiableMap(expiries);
    }

    /** Returns what is damaged: the name of the file, {@code @} and the offset if it is known, a colon, and what it is. */
    public List<String> damage() {
        return Collections.unmodifiableList(damage);
    }

    /** Returns how many of what was left out. */
    public Map<String, Long> skipped() {
        return Collections.unmodifiableMap(skipped);
    }

    @Override
    public void entry(byte[] key, byte[] value, long expiresAtMillis) {
        String name = text(key);
        if (entries.put(name, text(value)) != null) {
            throw new IllegalStateException("a key was told twice: " + name);
        }
        if (expiresAtMillis != NEVER) {
            expiries.put(name, expiresAtMillis);
        }
    }

    @Override
    public void damage(Path file, long offset, String what) {
        damage.add(file.getFileName() + (offset == SOMEWHERE ? "" : "@" + offset) + ": " + what);
    }

    @Override
    public void skipped(String what, long count) {
        skipped.merge(what, count, Long::sum);
    }

    private static String text(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)
                ? text
                : new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
