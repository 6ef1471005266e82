package dev.caskwright.importer;

import dev.caskwright.importer.LevelDbTable.MalformedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A directory of LevelDB. {@code CURRENT} names the manifest, a log whose records say which tables are live and from which number on
 * logs of changes count; both kinds of files are described in LevelDB's own {@code table_format.md} and {@code log_format.md}. Each
 * version of a key has a number, and the greatest decides, whichever file it is in.
 *
 * <p>All is read twice, first for the number that decides for each key, then for the values; so it takes memory for every key. Checksums
 * of all blocks and log records are checked. Only the order of bytes ({@code leveldb.BytewiseComparator}) is known, and blocks that are
 * stored plain or by Snappy.
 */
final class LevelDb implements ForeignFormat {
    private static final Pattern MANIFEST = Pattern.compile("MANIFEST-\\d+");
    private static final Pattern LOG = Pattern.compile("(\\d+)\\.log");
    private static final String COMPARATOR = "leveldb.BytewiseComparator";

    // Of edits in the manifest.
    private static final int EDIT_COMPARATOR = 1;
    private static final int EDIT_LOG = 2;
    private static final int EDIT_NEXT_FILE = 3;
    private static final int EDIT_LAST_NUMBER = 4;
    private static final int EDIT_COMPACTION = 5;
    private static final int EDIT_DELETED = 6;
    private static final int EDIT_NEW = 7;
    private static final int EDIT_LOG_BEFORE = 9;

    private static final long MISSING = -1;
    private static final int PUT = 1;
    private static final int NUMBER_SHIFT = 8;

    /** Takes a version of a key: its number in the upper bytes and what it is in the lowest, as LevelDB has them. */
    interface VersionVisitor {
        void version(byte[] key, long numberAndKind, ByteBuffer value) throws IOException;
    }

    @Override
    public String name() {
        return "leveldb";
    }

    @Override
    public String description() {
        return "the directory of a store of LevelDB";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        State state = state(source, receiver);
        Map<ByteBuffer, Long> latest = new HashMap<>();
        visit(
                source,
                state,
                receiver,
                (key, number, value) -> latest.merge(ByteBuffer.wrap(key), number, LevelDb::later));
        Receiver quiet = new Quiet(receiver);
        visit(source, state, quiet, (key, number, value) -> {
            if ((number & 0xFF) == PUT && latest.remove(ByteBuffer.wrap(key), number)) {
                byte[] bytes = new byte[value.remaining()];
                value.get(bytes);
                receiver.entry(key, bytes, Receiver.NEVER);
            }
        });
        long lost = latest.values().stream()
                .filter(number -> (number & 0xFF) == PUT)
                .count();
        if (lost > 0) {
            // Damage was told the first time, so what was sound then is there no more.
            throw new IOException(
                    "the store was changed while it was read: keys not found again=" + lost + ", " + source);
        }
    }

    private static long later(long one, long other) {
        return Long.compareUnsigned(one, other) >= 0 ? one : other;
    }

    /** Which files count. */
    private static final class State {
        final TreeSet<Long> tables = new TreeSet<>();
        long firstLog = MISSING;
        long logBefore;
        boolean hasNextFile;
        boolean hasLastNumber;

        /** Each manifest that is whole says these; one of which nothing is left is no store without tables. */
        boolean isWhole() {
            return firstLog != MISSING && hasNextFile && hasLastNumber;
        }
    }

    private static State state(Path source, Receiver receiver) throws IOException {
        Path current = source.resolve("CURRENT");
        if (!Files.isRegularFile(current)) {
            throw new IOException("no store of LevelDB, there is no file CURRENT: " + source);
        }
        String name;
        try (SourceFile file = SourceFile.open(current)) {
            name = new String(file.read(Math.min(file.left(), 1_000)), StandardCharsets.ISO_8859_1).strip();
        }
        if (!MANIFEST.matcher(name).matches()) {
            throw new IOException("no store of LevelDB, CURRENT names no manifest: " + source);
        }
        Path manifest = source.resolve(name);
        State state = new State();
        LevelDbLog.read(manifest, receiver, (offset, record) -> {
            try {
                edit(record, state);
            } catch (MalformedException e) {
                throw new IOException(
                        "an edit of the manifest makes no sense: file=" + manifest + ", offset=" + offset, e);
            }
        });
        if (!state.isWhole()) {
            throw new IOException(
                    "the manifest does not say which files count, its beginning is damaged or missing: " + manifest);
        }
        return state;
    }

    private static void edit(ByteBuffer edit, State state) throws IOException {
        while (edit.hasRemaining()) {
            int kind = (int) LevelDbTable.varint(edit);
            switch (kind) {
                case EDIT_COMPARATOR -> {
                    String comparator = new String(LevelDbTable.bytes(edit), StandardCharsets.ISO_8859_1);
                    if (!comparator.equals(COMPARATOR)) {
                        throw new IOException("the keys are in an order that is not known: " + comparator);
                    }
                }
                case EDIT_LOG -> state.firstLog = LevelDbTable.varint(edit);
                case EDIT_LOG_BEFORE -> state.logBefore = LevelDbTable.varint(edit);
                case EDIT_NEXT_FILE -> {
                    LevelDbTable.varint(edit);
                    state.hasNextFile = true;
                }
                case EDIT_LAST_NUMBER -> {
                    LevelDbTable.varint(edit);
                    state.hasLastNumber = true;
                }
                case EDIT_COMPACTION -> {
                    LevelDbTable.varint(edit);
                    LevelDbTable.bytes(edit);
                }
                case EDIT_DELETED -> {
                    LevelDbTable.varint(edit);
                    state.tables.remove(LevelDbTable.varint(edit));
                }
                case EDIT_NEW -> {
                    LevelDbTable.varint(edit);
                    state.tables.add(LevelDbTable.varint(edit));
                    LevelDbTable.varint(edit);
                    LevelDbTable.bytes(edit);
                    LevelDbTable.bytes(edit);
                }
                default -> throw new MalformedException("kind=" + kind);
            }
        }
    }

    private static void visit(Path source, State state, Receiver receiver, VersionVisitor visitor) throws IOException {
        for (long number : state.tables) {
            Path table = source.resolve(String.format(Locale.ROOT, "%06d.ldb", number));
            if (!Files.exists(table)) {
                table = source.resolve(String.format(Locale.ROOT, "%06d.sst", number)); // as it was called before 2013
            }
            if (Files.exists(table)) {
                LevelDbTable.visit(table, receiver, visitor);
            } else {
                receiver.damage(table, 0, "a table is missing");
            }
        }
        for (Path log : logs(source, state)) {
            LevelDbLog.read(log, receiver, (offset, record) -> {
                try {
                    batch(record, visitor);
                } catch (MalformedException e) {
                    receiver.damage(log, offset, "a batch of changes makes no sense");
                }
            });
        }
    }

    private static Collection<Path> logs(Path source, State state) throws IOException {
        Map<Long, Path> logs = new TreeMap<>();
        List<Path> all = new ArrayList<>();
        try (Stream<Path> files = Files.list(source)) {
            files.forEach(all::add);
        }
        for (Path each : all) {
            Matcher name = LOG.matcher(each.getFileName().toString());
            if (name.matches() && name.group(1).length() < 19) {
                long number = Long.parseLong(name.group(1));
                if (number >= state.firstLog || number == state.logBefore) {
                    logs.put(number, each);
                }
            }
        }
        return logs.values();
    }

    private static void batch(ByteBuffer record, VersionVisitor visitor) throws IOException {
        record.order(ByteOrder.LITTLE_ENDIAN);
        if (record.remaining() < Long.BYTES + Integer.BYTES) {
            throw new MalformedException("shorter than its header");
        }
        long number = record.getLong();
        int count = record.getInt();
        if (count < 0) {
            throw new MalformedException("count=" + count);
        }
        // All of it before any of it counts.
        ByteBuffer trial = record.duplicate();
        for (int i = 0; i < count; i++) {
            change(trial);
        }
        if (trial.hasRemaining()) {
            throw new MalformedException("longer than its changes");
        }
        for (int i = 0; i < count; i++) {
            int kind = record.get(record.position());
            ByteBuffer[] change = change(record);
            byte[] key = new byte[change[0].remaining()];
            change[0].get(key);
            visitor.version(key, (number + i) << NUMBER_SHIFT | kind, change[1]);
        }
    }

    /** Checks that a version of a key is a put or a delete. */
    static void checkKind(int kind) {
        if (kind != 0 && kind != PUT) {
            throw new MalformedException("kind=" + kind);
        }
    }

    private static ByteBuffer[] change(ByteBuffer record) {
        int kind = LevelDbTable.readByte(record);
        checkKind(kind);
        ByteBuffer key = LevelDbTable.slice(record);
        return new ByteBuffer[] {key, kind == PUT ? LevelDbTable.slice(record) : ByteBuffer.allocate(0)};
    }

    /** Passes nothing on but what stops the reading: damage was told the first time. */
    private record Quiet(Receiver told) implements Receiver {
        @Override
        public void entry(byte[] key, byte[] value, long expiresAtMillis) throws IOException {
            told.entry(key, value, expiresAtMillis);
        }

        @Override
        public void damage(Path file, long offset, String what) {}

        @Override
        public void skipped(String what, long count) {}
    }
}
