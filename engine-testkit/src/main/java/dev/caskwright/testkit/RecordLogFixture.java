package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.BatchDraft;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.api.spi.log.RecordScanner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the parts of the log contract share: logs on simulated disks, and ways to look at them. */
abstract class RecordLogFixture {
    static final long SEGMENT_BYTES = 4096;

    final CrashableIoManager disk = new CrashableIoManager();
    final AtomicInteger awaited = new AtomicInteger();
    final AtomicInteger sealed = new AtomicInteger();
    final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private long version;

    /** Returns the factory under test. */
    protected abstract RecordLogFactory factory();

    /**
     * What a scan shows of a put or a tombstone.
     *
     * @param value the value, or null for a tombstone
     */
    record Shown(String key, @Nullable String value, long version, long expiresAt) {
        @Override
        public String toString() {
            String shortened = value == null || value.length() < 20 ? value : value.length() + " bytes";
            return key + "=" + shortened + "@" + version + (expiresAt == 0 ? "" : " expires " + expiresAt);
        }
    }

    /** A log that was opened and replayed. */
    record Opened(RecordLogOpening opening, RecordLog log, Map<String, Long> index) {}

    // ---------------------------------------------------------------- opening

    RecordLogOptions options() {
        return options(Runnable::run, false, true);
    }

    RecordLogOptions options(Executor maintenance, boolean readOnly, boolean createIfMissing) {
        SplittableRandom random = new SplittableRandom(7);
        return new RecordLogOptions(
                SEGMENT_BYTES,
                readOnly,
                createIfMissing,
                random::nextLong,
                maintenance,
                awaited::incrementAndGet,
                sealed::incrementAndGet,
                cause -> failure.compareAndSet(null, cause));
    }

    RecordLog open() throws IOException {
        return open(disk).log();
    }

    Opened open(IoManager io) throws IOException {
        return open(io, options());
    }

    /** Opens a log as an engine does: replays every segment and keeps the latest locator of each key. */
    Opened open(IoManager io, RecordLogOptions options) throws IOException {
        RecordLogOpening opening = factory().open(io, io, options);
        Map<String, Long> index = replay(opening);
        opening.finish();
        version = Math.max(version, opening.log().lastVersion());
        return new Opened(opening, opening.log(), index);
    }

    static Map<String, Long> replay(RecordLogOpening opening) throws IOException {
        RecordLog log = opening.log();
        Map<String, Long> latest = new TreeMap<>();
        Map<String, Long> puts = new TreeMap<>();
        for (LogSegment segment : log.segments()) {
            opening.replay(segment, (tombstone, locator, source, offset, length) -> {
                String key = new String(source, offset, length, UTF_8);
                Long present = latest.get(key);
                if (present == null || present == locator || log.isAfter(locator, present)) {
                    latest.put(key, locator);
                    puts.remove(key);
                    if (!tombstone) {
                        puts.put(key, locator);
                    }
                }
            });
        }
        return puts;
    }

    // ---------------------------------------------------------------- writing

    static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    static RecordDraft draftPut(RecordLog log, String key, String value, long expiresAt) {
        RecordDraft draft = log.newDraft();
        draft.put(bytes(key), bytes(value), expiresAt);
        return draft;
    }

    static RecordDraft draftDelete(RecordLog log, String key) {
        RecordDraft draft = log.newDraft();
        draft.delete(bytes(key));
        return draft;
    }

    long nextVersion() {
        return ++version;
    }

    long put(RecordLog log, String key, String value) throws IOException {
        return put(log, key, value, 0);
    }

    long put(RecordLog log, String key, String value, long expiresAt) throws IOException {
        return log.append(draftPut(log, key, value, expiresAt), nextVersion(), false);
    }

    long delete(RecordLog log, String key) throws IOException {
        return log.append(draftDelete(log, key), nextVersion(), false);
    }

    /** Adds a put to a batch. */
    static void put(BatchDraft batch, String key, String value, long expiresAt) {
        byte[] source = bytes(key + value);
        batch.put(source, 0, bytes(key).length, bytes(value).length, expiresAt);
    }

    /** Adds a delete to a batch. */
    static void delete(BatchDraft batch, String key) {
        batch.delete(bytes(key), 0, bytes(key).length);
    }

    /** Appends a batch that {@code content} fills. */
    long[] batch(RecordLog log, Consumer<BatchDraft> content) throws IOException {
        BatchDraft batch = log.newBatchDraft();
        content.accept(batch);
        long first = version + 1;
        version += batch.size();
        return log.appendBatch(batch, first, false);
    }

    /** Appends puts of "key0" and so on, each with a value of a length, until the log has this many segments. */
    int fill(RecordLog log, int segments, int valueLength) throws IOException {
        int count = 0;
        while (log.segments().size() < segments) {
            put(log, "key" + count++, "v".repeat(valueLength));
        }
        return count;
    }

    // ---------------------------------------------------------------- reading

    static String valueAt(RecordLog log, long locator) throws IOException {
        RecordReader reader = log.newReader();
        reader.read(locator);
        return new String(reader.value(), UTF_8);
    }

    /** Returns the keys and values that an index from a replay stands for, read through a reader. */
    static Map<String, String> content(Opened opened) throws IOException {
        Map<String, String> content = new TreeMap<>();
        for (Map.Entry<String, Long> entry : opened.index().entrySet()) {
            RecordReader reader = opened.log().newReader();
            reader.read(entry.getValue());
            byte[] key = bytes(entry.getKey());
            assertThat(reader.hasKey(key, 0, key.length)).as(entry.getKey()).isTrue();
            content.put(entry.getKey(), new String(reader.value(), UTF_8));
        }
        return content;
    }

    /** Returns every put and tombstone of the log, in its order. */
    static List<Shown> scan(RecordLog log) throws IOException {
        List<Shown> shown = new ArrayList<>();
        for (LogSegment segment : log.segments()) {
            shown.addAll(scan(log, segment));
        }
        return shown;
    }

    static List<Shown> scan(RecordLog log, LogSegment segment) throws IOException {
        List<Shown> shown = new ArrayList<>();
        RecordScanner scanner = log.scan(segment, segment.length());
        while (scanner.next()) {
            if (scanner.isPut() || scanner.isTombstone()) {
                String value = scanner.isPut() ? new String(scanner.value(), UTF_8) : null;
                shown.add(new Shown(new String(scanner.key(), UTF_8), value, scanner.version(), scanner.expiresAt()));
            }
        }
        return shown;
    }

    static List<String> keys(RecordLog log) throws IOException {
        return scan(log).stream().map(Shown::key).toList();
    }

    // ---------------------------------------------------------------- damage

    /** Returns the name of the only file that has this text in it. */
    static String fileWith(CrashableIoManager disk, String text) throws IOException {
        List<String> found = new ArrayList<>();
        for (String name : disk.list()) {
            if (indexOf(disk.content(name), bytes(text)) >= 0) {
                found.add(name);
            }
        }
        assertThat(found).as("files with %s", text).hasSize(1);
        return found.get(0);
    }

    static int indexOf(byte[] content, byte[] wanted) {
        for (int at = 0; at + wanted.length <= content.length; at++) {
            int same = 0;
            while (same < wanted.length && content[at + same] == wanted[same]) {
                same++;
            }
            if (same == wanted.length) {
                return at;
            }
        }
        return -1;
    }

    /** Changes one bit in the middle of a text that only one file has; returns that file's name. */
    static String flipIn(CrashableIoManager disk, String text) throws IOException {
        String name = fileWith(disk, text);
        byte[] content = disk.content(name);
        content[indexOf(content, bytes(text)) + text.length() / 2] ^= 4;
        disk.install(name, content);
        return name;
    }
}
