package dev.caskwright.testkit;

import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** The simplest engine there can be, to prove the contract with: a sorted map behind one lock, its "disk" another map. */
final class MapEngine implements StorageEngine {
    private static final class Store {
        final NavigableMap<byte[], Entry> entries = KeyValues.newMap();
        final List<ChangeVisitor.Change> changes = new ArrayList<>();
        long version;
        long deadBytes;
        boolean isOpen;

        Store copy() {
            Store copy = new Store();
            copy.entries.putAll(entries);
            copy.changes.addAll(changes);
            copy.version = version;
            return copy;
        }
    }

    private static final Map<Path, Store> STORES = new ConcurrentHashMap<>();

    private final Store store;
    private final InstantSource clock;
    private final List<View> snapshots = new ArrayList<>();
    private boolean isClosed;
    private long latestMillis;
    private long merges;

    MapEngine(Path directory, InstantSource clock) throws IOException {
        if (Files.isRegularFile(directory)) {
            throw new NotDirectoryException(directory.toString());
        }
        this.store = STORES.computeIfAbsent(directory, path -> new Store());
        this.clock = clock;
        synchronized (store) {
            if (store.isOpen) {
                throw new EngineLockedException("in use: " + directory);
            }
            store.isOpen = true;
        }
    }

    private long now() {
        latestMillis = Math.max(latestMillis, clock.millis());
        return latestMillis;
    }

    private void check() throws EngineClosedException {
        if (isClosed) {
            throw new EngineClosedException("engine is closed");
        }
    }

    private static void checkKey(byte[] key) {
        if (key.length == 0 || key.length > MAX_KEY_LENGTH) {
            throw new IllegalArgumentException("key length: " + key.length);
        }
    }

    private static boolean isAlive(Entry entry, long now) {
        return entry != null && (entry.expiresAtMillis() == Entry.NEVER || now < entry.expiresAtMillis());
    }

    private static Entry copy(Entry entry) {
        return new Entry(entry.key().clone(), entry.value().clone(), entry.version(), entry.expiresAtMillis());
    }

    private View view() throws IOException {
        synchronized (store) {
            check();
            NavigableMap<byte[], Entry> alive = KeyValues.newMap();
            long now = now();
            store.entries.forEach((key, entry) -> {
                if (isAlive(entry, now)) {
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

    private static int copyTo(byte[] value, ByteBuffer target) {
        if (value == null) {
            return ABSENT;
        }
        if (value.length <= target.remaining()) {
            target.put(value);
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
    public Optional<OrderedView> ordered() {
        return Optional.of(range -> view().ordered().get().range(range));
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        write(new WriteBatch().put(key, value, options), options);
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        synchronized (store) {
            boolean isThere = contains(key);
            if (isThere) {
                write(new WriteBatch().delete(key), options);
            }
            return isThere;
        }
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        synchronized (store) {
            boolean isAbsent = !contains(key);
            if (isAbsent) {
                put(key, value, options);
            }
            return isAbsent;
        }
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        synchronized (store) {
            boolean isExpected = Arrays.equals(get(key), expected);
            if (isExpected) {
                put(key, value, options);
            }
            return isExpected;
        }
    }

    @Override
    public boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options)
            throws IOException {
        synchronized (store) {
            Entry entry = entry(key);
            boolean isExpected = entry != null && entry.version() == expectedVersion;
            if (isExpected) {
                put(key, value, options);
            }
            return isExpected;
        }
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        synchronized (store) {
            return Arrays.equals(get(key), expected) && delete(key, options);
        }
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) throws IOException {
        synchronized (store) {
            byte[] value = get(key);
            if (value != null) {
                put(key, value, options);
            }
            return value != null;
        }
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        synchronized (store) {
            check();
            List<WriteBatch.Change> changes = batch.changes();
            changes.forEach(change -> checkKey(change.key()));
            for (int i = 0; i < changes.size(); i++) {
                WriteBatch.Change change = changes.get(i);
                byte[] key = change.key().clone();
                byte[] value = change.value() == null ? null : change.value().clone();
                long expiry = change.expiry().expiresAtMillis(clock.millis());
                long version = ++store.version;
                Entry before = value == null
                        ? store.entries.remove(key)
                        : store.entries.put(key, new Entry(key, value, version, expiry));
                store.deadBytes += before == null ? 0 : bytes(before);
                store.changes.add(new ChangeVisitor.Change(version, key, value, expiry, i == changes.size() - 1));
            }
        }
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
            if (change.version() > version) {
                last = change.version();
                if (!visitor.visit(change)) {
                    break;
                }
            }
        }
        return last;
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
            store.entries.values().removeIf(entry -> !isAlive(entry, now));
            store.deadBytes = 0;
            merges++;
        }
    }

    @Override
    public void backup(Path target) throws IOException {
        synchronized (store) {
            check();
            STORES.put(target, store.copy());
        }
    }

    @Override
    public EngineStats stats() {
        synchronized (store) {
            long live =
                    store.entries.values().stream().mapToLong(MapEngine::bytes).sum();
            long disk = live + store.deadBytes;
            int open = (int) snapshots.stream().filter(view -> !view.isClosed).count();
            return new EngineStats(
                    store.entries.size(),
                    1,
                    disk,
                    live,
                    store.deadBytes,
                    0,
                    live,
                    0,
                    false,
                    0,
                    0,
                    open,
                    merges,
                    0,
                    disk,
                    0,
                    store.version,
                    0);
        }
    }

    private static long bytes(Entry entry) {
        return entry.key().length + entry.value().length;
    }

    @Override
    public Throwable health() {
        return null;
    }

    @Override
    public void close() {
        synchronized (store) {
            if (!isClosed) {
                isClosed = true;
                store.isOpen = false;
                snapshots.forEach(View::close);
            }
        }
    }

    private final class MapTransaction implements Transaction {
        private final Map<byte[], Long> read = new TreeMap<>(Arrays::compareUnsigned);
        private final WriteBatch batch = new WriteBatch();
        private boolean isCommitted;

        @Override
        public byte[] get(byte[] key) throws IOException {
            for (WriteBatch.Change change : batch.changes()) {
                if (Arrays.equals(change.key(), key)) {
                    return change.value();
                }
            }
            Entry entry = entry(key);
            read.putIfAbsent(key, entry == null ? 0 : entry.version());
            return entry == null ? null : entry.value();
        }

        @Override
        public void put(byte[] key, byte[] value) {
            batch.put(key, value);
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
                    if ((entry == null ? 0 : entry.version()) != expected.getValue()) {
                        return false;
                    }
                }
                write(batch, options);
                return true;
            }
        }
    }

    private final class View implements Snapshot {
        private final NavigableMap<byte[], Entry> entries;
        private final long version;
        private volatile boolean isClosed;

        View(NavigableMap<byte[], Entry> entries, long version) {
            this.entries = entries;
            this.version = version;
        }

        private void checkOpen() throws IOException {
            if (isClosed) {
                throw new EngineClosedException("view is closed");
            }
        }

        @Override
        public Entry entry(byte[] key) throws IOException {
            checkOpen();
            checkKey(key);
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
                if (!visitor.visit(copy(entry))) {
                    return;
                }
            }
        }

        @Override
        public Optional<OrderedView> ordered() {
            return Optional.of(this::range);
        }

        private Cursor range(Range range) throws IOException {
            checkOpen();
            List<Entry> found = new ArrayList<>();
            for (Entry entry : (range.isDescending() ? entries.descendingMap() : entries).values()) {
                byte[] start = range.start();
                int order = start == null ? 1 : Arrays.compareUnsigned(entry.key(), start);
                order = range.isDescending() && start != null ? -order : order;
                boolean isStarted = order > 0 || order == 0 && range.isStartInclusive();
                if (isStarted && range.isBeforeEnd(entry.key()) && found.size() < range.limit()) {
                    found.add(copy(entry));
                }
            }
            return new ListCursor(found.iterator());
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

    private static final class ListCursor implements Cursor {
        private final Iterator<Entry> entries;
        private boolean isClosed;

        ListCursor(Iterator<Entry> entries) {
            this.entries = entries;
        }

        @Override
        public Entry next() throws IOException {
            if (isClosed) {
                throw new EngineClosedException("cursor is closed");
            }
            return entries.hasNext() ? entries.next() : null;
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }
}
