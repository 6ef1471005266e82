package dev.caskwright.fuzz;

import dev.caskwright.bitcask.log.HintFuzz;
import dev.caskwright.bitcask.log.ImageFuzz;
import dev.caskwright.bitcask.log.ManifestFuzz;
import dev.caskwright.bitcask.log.RecordFuzz;
import dev.caskwright.bolt.BoltFuzz;
import dev.caskwright.cli.JsonLinesFuzz;
import dev.caskwright.index.compact.SegmentFuzz;
import dev.caskwright.index.hashmap.TableFuzz;
import dev.caskwright.index.sorted.TreeImageFuzz;
import java.io.IOException;
import java.util.Locale;

/** What is fuzzed: a reader of bytes from outside, and how it is given some. */
enum Target {
    RECORD(RecordFuzz.class, RecordFuzz::fuzzerTestOneInput),
    HINT(HintFuzz.class, HintFuzz::fuzzerTestOneInput),
    IMAGE(ImageFuzz.class, ImageFuzz::fuzzerTestOneInput),
    SEGMENT(SegmentFuzz.class, SegmentFuzz::fuzzerTestOneInput),
    TABLE(TableFuzz.class, TableFuzz::fuzzerTestOneInput),
    SORTED(TreeImageFuzz.class, TreeImageFuzz::fuzzerTestOneInput),
    MANIFEST(ManifestFuzz.class, ManifestFuzz::fuzzerTestOneInput),
    BOLT(BoltFuzz.class, BoltFuzz::fuzzerTestOneInput),
    JSONL(JsonLinesFuzz.class, JsonLinesFuzz::fuzzerTestOneInput);

    private interface Reader {
        void read(byte[] input) throws IOException;
    }

    private final Class<?> type;
    private final Reader reader;

    Target(Class<?> type, Reader reader) {
        this.type = type;
        this.reader = reader;
    }

    /** Returns the class whose method Jazzer calls. */
    Class<?> type() {
        return type;
    }

    /** Fails, naming the input, unless it is read or refused as it should be. */
    void read(byte[] input, String what) {
        try {
            reader.read(input);
        } catch (IOException | RuntimeException | AssertionError | OutOfMemoryError | StackOverflowError e) {
            throw new AssertionError(what + ": " + e, e);
        }
    }

    /** Returns the name of the directory of its corpus. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
