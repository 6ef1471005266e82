package dev.caskwright.testkit;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Facet;
import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.MergeStats;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.SpaceStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.WriteStats;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The simplest engine there can be, to prove the contract with: a sorted map behind one lock, and a file of all changes. It
 * can be broken in one way at a time.
 */
final class MapEngine
        implements StorageEngine,
                ConditionalWrites,
                Versions,
                Transactions,
                Expiry,
                OrderedView,
                ChangeFeed,
                Merging,
                Backups {
    private final class Store {
        final NavigableMap<byte[], Entry> entries =
                defect == Defect.SIGNED_ORDER ? new TreeMap<>(Arrays::compare) : KeyValues.newMap();
        final List<ChangeVisitor.Change> changes = new ArrayList<>();
        long id = System.nanoTime();
        long history = RANDOM.nextLong();
        long version;
        long deadBytes;
    }

    private static final String FILE = "changes";
    private static final Random RANDOM = new SecureRandom();
    private static final byte CHANGE = 1;
    private static final byte PURGE = 2;
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    /** What an engine has that keeps all in the process. */
    private static final Map<Path, byte[]> IN_THE_PROCESS = new ConcurrentHashMap<>();

    private final Defect defect;
    private final Path directory;
    private final Store store;
    private final InstantSource clock;
    private final List<View> snapshots = new ArrayList<>();
    private final ByteArrayOutputStream unwritten = new ByteArrayOutputStream();
    private boolean isClosed;
    private long latestMillis;
    private long merges;
    private @Nullable Entry deleted;

    MapEngine(Path directory, InstantSource clock) throws IOException {
        this(directory, clock, Defect.NONE);
    }

    MapEngine(Path directory, InstantSource clock, Defect defect) throws IOException {
        if (Files.isRegularFile(directory)) {
            throw new NotDirectoryException(directory.toString());
        }
        this.directory = directory;
        this.clock = clock;
        this.defect = defect;
        this.store = new Store();
        if (!OPEN.add(directory) && defect != Defect.TWO_OWNERS) {
            throw new EngineLockedException("in use: " + directory);
        }
        Files.createDirectories(directory);
        read(stored());
        if (!hasStore(directory)) {
            write(ByteBuffer.allocate(Long.BYTES).putLong(store.id).array());
        }
    }

    private static boolean hasStore(Path directory) {
        return Files.exists(directory.resolve(FILE)) || IN_THE_PROCESS.containsKey(directory);
    }

    private byte[] stored() throws IOException {
        if (defect == Defect.KEEPS_NOTHING || !hasStore(directory)) {
            return new byte[0];
        }
        byte[] inTheProcess = IN_THE_PROCESS.get(directory);
        return inTheProcess != null ? inTheProcess : Files.readAllBytes(directory.resolve(FILE));
    }

    private void read(byte[] bytes) throws IOException {
        if (bytes.length == 0) {
            return;
        }
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        store.id = in.readLong();
        while (in.available() > 0) {
            byte kind = in.readByte();
            byte[] key = in.readNBytes(in.readInt());
            if (kind == PURGE) {
                store.entries.remove(key);
                continue;
            }
            int valueLength = in.readInt();
            byte[] value = valueLength < 0 ? null : in.readNBytes(valueLength);
            if (value != null && defect == Defect.ZEROS_FOR_LARGE_VALUES && value.length > 1 << 20) {
                value = new byte[value.length];
            }
            apply(new ChangeVisitor.Change(in.readLong(), in.readLong(), key, value, in.readLong(), in.readBoolean()));
        }
        if (defect == Defect.STARTS_VERSIONS_AGAIN) {
            store.version = store.entries.values().stream()
                    .mapToLong(Entry::version)
                    .max()
                    .orElse(0);
        }
    }

    private void write(byte[] bytes) throws IOException {
        if (defect == Defect.KEEPS_ALL_IN_THE_PROCESS) {
            IN_THE_PROCESS.merge(
                    directory,
                    bytes,
                    (before, more) -> ByteBuffer.allocate(before.length + more.length)
                            .put(before)
                            .put(more)
                            .array());
        } else if (defect == Defect.WRITES_WHEN_IT_CLOSES) {
            unwritten.write(bytes);
        } else {
            Files.write(directory.resolve(FILE), bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    private void append(ChangeVisitor.Change change) throws IOException {
        byte[] value = change.value();
        ByteBuffer bytes = ByteBuffer.allocate(38 + change.key().length + (value == null ? 0 : value.length));
        bytes.put(CHANGE).putInt(change.key().length).put(change.key()).putInt(value == null ? -1 : value.length);
        if (value != null) {
            bytes.put(value);
        }
        bytes.putLong(change.history())
                .putLong(change.version())
                .putLong(change.expiresAtMillis())
                .put((byte) (change.isLastOfBatch() ? 1 : 0));
        boolean isLost = defect == Defect.LOSES_DELETES && value == null;
        if (!isLost) {
            write(Arrays.copyOf(bytes.array(), bytes.position()));
        }
    }

    private void apply(ChangeVisitor.Change change) {
        byte[] value = change.value();
        byte[] key = change.key();
        store.version = Math.max(store.version, change.version());
        Entry before = value == null
                ? store.entries.remove(key)
                : store.entries.put(key, new Entry(key, value, change.version(), change.expiresAtMillis()));
        store.deadBytes += before == null ? 0 : bytes(before);
        deleted = value == null && before != null ? before : deleted;
        store.changes.add(change);
    }

    private long now() {
        latestMillis = defect == Defect.EXPIRED_COME_BACK ? clock.millis() : Math.max(latestMillis, clock.millis());
        return latestMillis;
    }

    private void check() throws EngineClosedException {
        if (isClosed && defect != Defect.WORKS_AFTER_CLOSE) {
            throw new EngineClosedException("engine is closed");
        }
    }

    private void checkKey(byte[] key) {
        if (defect != Defect.TAKES_ANY_KEY && (key.length == 0 || key.length > MAX_KEY_LENGTH)) {
            throw new IllegalArgumentException("key length: " + key.length);
        }
    }

    private static boolean isAlive(@Nullable Entry entry, long now) {
        return entry != null && (entry.expiresAtMillis() == Entry.NEVER || now < entry.expiresAtMillis());
    }

    private Entry copy(Entry entry) {
        if (defect == Defect.SHARES_ARRAYS) {
            return entry;
        }
        return new Entry(entry.key().clone(), entry.value().clone(), entry.version(), entry.expiresAtMillis());
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        boolean isHidden = defect == Defect.HIDES_A_FACET && kind == Versions.class;
        return isHidden ? Optional.empty() : StorageEngine.super.facet(kind);
    }

    private View view() throws IOException {
        synchronized (store) {
            check();
            NavigableMap<byte[], Entry> alive =
                    defect == Defect.SIGNED_ORDER ? new TreeMap<>(Arrays::compare) : KeyValues.newMap();
            long now = now();
            store.entries.forEach((key, entry) -> {
                if (isAlive(entry, now) || defect == Defect.EXPIRED_ARE_VISITED) {
                    alive.put(key, entry);
                }
            });
            return new View(alive, store.version);
        }
    }

    @Override
    public Entry entry(byte[] key) throws IOException {
        synchronized (store) {
            check();
            checkKey(key);
            Entry entry = store.entries.get(key);
            return isAlive(entry, now()) ? copy(entry) : null;
        }
    }

    @Override
    public byte[] get(byte[] key) throws IOException {
        Entry entry = entry(key);
        return entry == null ? null : entry.value();
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return copyTo(get(key), target);
    }

    private int copyTo(byte @Nullable [] value, ByteBuffer target) {
        if (value == null) {
            return ABSENT;
        }
        if (value.length <= target.remaining()) {
            target.put(value);
        } else if (defect == Defect.FILLS_SMALL_BUFFERS) {
            target.put(value, 0, target.remaining());
        }
        return value.length;
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return entry(key) != null;
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        view().visit(visitor);
    }

    @Override
    public Cursor range(Range range) throws IOException {
        return view().range(range);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        write(new WriteBatch().put(key, value, options), options);
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        synchronized (store) {
            boolean isThere = contains(key);
            if (isThere || defect == Defect.DELETES_THE_ABSENT) {
                write(new WriteBatch().delete(key), options);
            }
            return isThere;
        }
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        synchronized (store) {
            boolean isAbsent = !contains(key);
            if (isAbsent || defect == Defect.PUT_IF_ABSENT_OVERWRITES) {
                put(key, value, options);
            }
            return isAbsent;
        }
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        if (defect == Defect.UPDATES_ARE_LOST) {
            return replaceUnlocked(key, expected, value, options);
        }
        synchronized (store) {
            return replaceUnlocked(key, expected, value, options);
        }
    }

    private boolean replaceUnlocked(byte[] key, byte[] expected, byte[] value, WriteOptions options)
            throws IOException {
        byte[] present = get(key);
        boolean isExpected =
                Arrays.equals(present, expected) || present != null && defect == Defect.REPLACE_COMPARES_NOTHING;
        if (isExpected) {
            if (defect == Defect.UPDATES_ARE_LOST) {
                LockSupport.parkNanos(100_000); // so that the other thread comes in between on any machine
            }
            put(key, value, options);
        }
        return isExpected;
    }

    @Override
    public boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options)
            throws IOException {
        synchronized (store) {
            Entry entry = entry(key);
            boolean isExpected = entry != null
                    && (entry.version() == expectedVersion || defect == Defect.REPLACE_VERSION_COMPARES_NOTHING);
            if (isExpected) {
                put(key, value, options);
            }
            return isExpected;
        }
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        synchronized (store) {
            boolean isExpected = Arrays.equals(get(key), expected) || defect == Defect.DELETE_COMPARES_NOTHING;
            return isExpected && delete(key, options);
        }
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) throws IOException {
        synchronized (store) {
            byte[] value = get(key);
            if (value != null) {
                boolean isStuck = defect == Defect.EXPIRY_CANNOT_BE_TAKEN_AWAY && options.equals(WriteOptions.DEFAULT);
                if (!isStuck) {
                    put(key, value, options);
                }
                if (defect == Defect.EXPIRE_IS_NO_CHANGE) {
                    store.changes.remove(store.changes.size() - 1);
                }
            }
            return value != null;
        }
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        synchronized (store) {
            check();
            batch.changes().forEach(change -> checkKey(change.key()));
        }
        List<WriteBatch.Change> changes = defective(batch.changes());
        for (int i = 0; i < changes.size(); i++) {
            if (defect == Defect.BATCHES_BY_PIECES) {
                synchronized (store) {
                    write(changes.get(i), i, changes.size());
                }
                Thread.yield();
            } else if (i == 0) {
                synchronized (store) {
                    for (int k = 0; k < changes.size(); k++) {
                        write(changes.get(k), k, changes.size());
                    }
                }
            }
        }
    }

    private List<WriteBatch.Change> defective(List<WriteBatch.Change> changes) {
        List<WriteBatch.Change> kept = new ArrayList<>(changes);
        if (defect == Defect.BATCHES_LOSE_DELETES && kept.size() > 1) {
            kept.removeIf(change -> change.value() == null);
        }
        if (defect == Defect.NO_EMPTY_VALUES) {
            kept.removeIf(change -> change.value() != null && change.value().length == 0);
        }
        return kept;
    }

    private void write(WriteBatch.Change change, int number, int count) throws IOException {
        byte[] key = change.key().clone();
        byte[] given = change.value();
        byte[] value = given == null ? null : given.clone();
        boolean isForEver = defect == Defect.BATCHES_DO_NOT_EXPIRE && count > 1;
        long expiry = isForEver ? Entry.NEVER : change.expiry().expiresAtMillis(clock.millis());
        Entry before = store.entries.get(key);
        if (defect == Defect.PUTS_KEEP_THE_EXPIRY && expiry == Entry.NEVER && before != null) {
            expiry = before.expiresAtMillis();
        }
        boolean isEnd = number == count - 1 || defect == Defect.TWO_ENDS_OF_A_BATCH && number == count / 2 && count > 2;
        long version = defect == Defect.ONE_VERSION_FOR_A_BATCH && number > 0 ? store.version : store.version + 1;
        ChangeVisitor.Change made = new ChangeVisitor.Change(history(), version, key, value, expiry, isEnd);
        append(made);
        apply(made);
        if (defect == Defect.DELETE_IS_NO_CHANGE && value == null) {
            store.changes.remove(made);
        }
    }

    private long history() {
        return defect == Defect.ONE_HISTORY_FOR_ALL_COPIES ? 1 : store.history;
    }

    @Override
    public Transaction transaction() {
        return new MapTransaction();
    }

    @Override
    public Snapshot snapshot() throws IOException {
        synchronized (store) {
            View view = view();
            snapshots.add(view);
            return view;
        }
    }

    @Override
    public long changes(long version, ChangeVisitor visitor) throws IOException {
        List<ChangeVisitor.Change> changes;
        synchronized (store) {
            check();
            changes = List.copyOf(store.changes);
        }
        long last = version;
        for (ChangeVisitor.Change change : changes) {
            if (change.version() > version + (defect == Defect.FEED_STARTS_ONE_LATE ? 1 : 0)) {
                last = change.version();
                if (!visitor.visit(change)) {
                    break;
                }
            }
        }
        return last;
    }

    @Override
    public Moment changes(Moment after, ChangeVisitor visitor) throws IOException {
        Moment[] last = {after};
        synchronized (store) {
            check();
            boolean isKnown = after.version() == 0
                    || store.changes.stream().anyMatch(change -> change.moment().equals(after));
            if (!isKnown && defect != Defect.ANY_MOMENT_IS_ITS_OWN) {
                throw new EngineException(ErrorCode.CHANGES_GONE, Outcome.NOT_APPLIED, "gone: " + after, null);
            }
        }
        changes(after.version(), change -> {
            last[0] = change.moment();
            return visitor.visit(change);
        });
        return last[0];
    }

    @Override
    public Moment moment() throws IOException {
        synchronized (store) {
            check();
            int size = store.changes.size();
            return size == 0 ? Moment.START : store.changes.get(size - 1).moment();
        }
    }

    @Override
    public long size() {
        synchronized (store) {
            return store.entries.size();
        }
    }

    @Override
    public void sync() throws IOException {
        synchronized (store) {
            check();
        }
    }

    @Override
    public void merge() throws IOException {
        synchronized (store) {
            check();
            long now = now();
            for (Entry entry : List.copyOf(store.entries.values())) {
                boolean isLost = defect == Defect.MERGE_LOSES_A_KEY && store.entries.size() > 40;
                if (!isAlive(entry, now) || isLost) {
                    store.entries.remove(entry.key());
                    write(ByteBuffer.allocate(5 + entry.key().length)
                            .put(PURGE)
                            .putInt(entry.key().length)
                            .put(entry.key())
                            .array());
                }
            }
            Entry back = deleted;
            if (defect == Defect.MERGE_BRINGS_BACK_THE_DELETED && back != null) {
                store.entries.put(back.key(), back);
            }
            store.deadBytes = defect == Defect.MERGE_GIVES_NOTHING_BACK ? store.deadBytes : 0;
            merges++;
        }
    }

    @Override
    public CopyReport backup(Path target) throws IOException {
        synchronized (store) {
            check();
            Path file = target.resolve(FILE);
            if (target.equals(directory)) {
                if (defect == Defect.BACKUP_INTO_ITSELF) {
                    return copied(0);
                }
                throw new IllegalArgumentException("the store itself: target=" + target);
            }
            if (Files.exists(file)) {
                long id = ByteBuffer.wrap(Files.readAllBytes(file)).getLong();
                if (id != store.id && defect != Defect.BACKUP_OVERWRITES_ANOTHER_STORE) {
                    throw new IOException("another store: target=" + target);
                }
                if (defect == Defect.BACKUP_IS_NEVER_BROUGHT_UP_TO_DATE) {
                    return copied(0);
                }
            }
            Files.createDirectories(target);
            if (defect == Defect.BACKUP_CLEARS_ITS_TARGET) {
                try (Stream<Path> files = Files.list(target)) {
                    for (Path each : files.toList()) {
                        Files.delete(each);
                    }
                }
            }
            byte[] bytes = stored();
            Files.write(file, defect == Defect.BACKUP_IS_EMPTY ? Arrays.copyOf(bytes, Long.BYTES) : bytes);
            return copied(bytes.length);
        }
    }

    @Override
    public EngineStats stats() {
        synchronized (store) {
            long live =
                    store.entries.values().stream().mapToLong(MapEngine::bytes).sum();
            long disk = live + store.deadBytes;
            int open = (int) snapshots.stream().filter(view -> !view.isClosed).count();
            return EngineStats.of(store.entries.size(), store.version, open)
                    .with(new SpaceStats(1, disk, live, store.deadBytes, 0))
                    .with(new MemoryStats(live, 0, 0, 0))
                    .with(new WriteStats(disk))
                    .with(new MergeStats(merges, 0));
        }
    }

    private CopyReport copied(long bytes) {
        return new CopyReport(store.version, 1, bytes, 1, bytes, List.of());
    }

    private static long bytes(Entry entry) {
        return entry.key().length + entry.value().length;
    }

    @Override
    public Throwable health() {
        return null;
    }

    @Override
    public void close() throws IOException {
        synchronized (store) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            snapshots.forEach(View::close);
            if (unwritten.size() > 0) {
                Files.write(
                        directory.resolve(FILE),
                        unwritten.toByteArray(),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            }
            OPEN.remove(directory);
        }
    }

    private final class MapTransaction implements Transaction {
        private final Map<byte[], Long> read = new TreeMap<>(Arrays::compareUnsigned);
        private final WriteBatch batch = new WriteBatch();
        private boolean isCommitted;

        @Override
        public byte[] get(byte[] key) throws IOException {
            for (WriteBatch.Change change : batch.changes()) {
                boolean isBlind = defect == Defect.TRANSACTIONS_DO_NOT_SEE_THEMSELVES;
                if (Arrays.equals(change.key(), key) && !isBlind) {
                    return change.value();
                }
            }
            Entry entry = entry(key);
            read.putIfAbsent(key, entry == null ? 0 : entry.version());
            return entry == null ? null : entry.value();
        }

        @Override
        public void put(byte[] key, byte[] value) {
            noteWrite(key);
            batch.put(key, value);
        }

        private void noteWrite(byte[] key) {
            if (defect == Defect.TRANSACTIONS_CHECK_WRITES) {
                Entry entry = store.entries.get(key);
                read.putIfAbsent(key, entry == null ? 0 : entry.version());
            }
        }

        @Override
        public void put(byte[] key, byte[] value, WriteOptions expiry) {
            batch.put(key, value, expiry);
        }

        @Override
        public void delete(byte[] key) {
            batch.delete(key);
        }

        @Override
        public boolean commit(WriteOptions options) throws IOException {
            if (isCommitted) {
                throw new IllegalStateException("committed before");
            }
            isCommitted = true;
            synchronized (store) {
                for (Map.Entry<byte[], Long> expected : read.entrySet()) {
                    Entry entry = entry(expected.getKey());
                    if ((entry == null ? 0 : entry.version()) != expected.getValue()
                            && defect != Defect.TRANSACTIONS_CHECK_NOTHING) {
                        return false;
                    }
                }
                write(batch, options);
                return true;
            }
        }
    }

    private final class View implements Snapshot, OrderedView {
        private final NavigableMap<byte[], Entry> entries;
        private final long version;
        private volatile boolean isClosed;

        View(NavigableMap<byte[], Entry> entries, long version) {
            this.entries = entries;
            this.version = version;
        }

        private void checkOpen() throws IOException {
            check();
            if (isClosed && defect != Defect.SNAPSHOTS_WORK_AFTER_CLOSE) {
                throw new EngineClosedException("view is closed");
            }
        }

        @Override
        public Entry entry(byte[] key) throws IOException {
            checkOpen();
            checkKey(key);
            if (defect == Defect.SNAPSHOTS_ARE_LIVE) {
                return MapEngine.this.entry(key);
            }
            Entry entry = entries.get(key);
            return entry == null ? null : copy(entry);
        }

        @Override
        public byte[] get(byte[] key) throws IOException {
            Entry entry = entry(key);
            return entry == null ? null : entry.value();
        }

        @Override
        public int get(byte[] key, ByteBuffer target) throws IOException {
            return copyTo(get(key), target);
        }

        @Override
        public boolean contains(byte[] key) throws IOException {
            return entry(key) != null;
        }

        @Override
        public void visit(EntryVisitor visitor) throws IOException {
            checkOpen();
            for (Entry entry : entries.values()) {
                if (!visitor.visit(copy(entry)) && defect != Defect.VISITS_ON) {
                    return;
                }
            }
        }

        @Override
        public Cursor cursor() throws IOException {
            checkOpen();
            List<Entry> found = new ArrayList<>(entries.values());
            if (defect == Defect.CURSORS_SKIP_THE_LAST && found.size() > 100) {
                found.remove(found.size() - 1);
            }
            return new ListCursor(found.iterator());
        }

        @Override
        public Cursor range(Range range) throws IOException {
            checkOpen();
            List<Entry> found = new ArrayList<>();
            for (Entry entry : (range.isDescending() ? entries.descendingMap() : entries).values()) {
                byte[] start = range.start();
                int order = start == null ? 1 : Arrays.compareUnsigned(entry.key(), start);
                order = range.isDescending() && start != null ? -order : order;
                boolean isIncluded = range.isStartInclusive() || defect == Defect.RANGES_INCLUDE_THEIR_START;
                boolean isStarted = order > 0 || order == 0 && isIncluded;
                boolean isWanted = found.size() < range.limit() || defect == Defect.NO_LIMIT;
                if (isStarted && range.isBeforeEnd(entry.key()) && isWanted) {
                    found.add(copy(entry));
                }
            }
            return new ListCursor(found.iterator());
        }

        private final class ListCursor implements Cursor {
            private final Iterator<Entry> walked;
            private boolean isEnded;

            ListCursor(Iterator<Entry> walked) {
                this.walked = walked;
            }

            @Override
            public @Nullable Entry next() throws IOException {
                if (isEnded && defect != Defect.CURSORS_WORK_AFTER_CLOSE) {
                    throw new EngineClosedException("cursor is closed");
                }
                checkOpen();
                Entry entry = walked.hasNext() ? walked.next() : null;
                if (entry != null && defect == Defect.CURSORS_ARE_LIVE) {
                    Entry latest = store.entries.get(entry.key());
                    return copy(latest == null ? entry : latest);
                }
                return entry == null ? null : copy(entry);
            }

            @Override
            public void close() {
                isEnded = true;
            }
        }

        @Override
        public long version() {
            return version;
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }
}
