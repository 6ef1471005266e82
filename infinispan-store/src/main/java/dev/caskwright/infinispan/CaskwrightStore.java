package dev.caskwright.infinispan;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineSettings;
import dev.caskwright.api.spi.io.SideFiles;
import io.reactivex.rxjava3.core.Flowable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.PrimitiveIterator;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.infinispan.commons.CacheConfigurationException;
import org.infinispan.commons.configuration.ConfiguredBy;
import org.infinispan.commons.executors.NonBlockingResource;
import org.infinispan.commons.io.ByteBuffer;
import org.infinispan.commons.io.ByteBufferFactory;
import org.infinispan.commons.time.TimeService;
import org.infinispan.commons.util.IntSet;
import org.infinispan.marshall.persistence.PersistenceMarshaller;
import org.infinispan.persistence.PersistenceUtil;
import org.infinispan.persistence.spi.InitializationContext;
import org.infinispan.persistence.spi.MarshallableEntry;
import org.infinispan.persistence.spi.MarshallableEntryFactory;
import org.infinispan.persistence.spi.NonBlockingStore;
import org.infinispan.persistence.spi.PersistenceException;
import org.infinispan.util.concurrent.BlockingManager;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

/**
 * Keeps the entries of a cache in a Caskwright engine, in a directory that belongs to one cache of one node. Segments
 * are prefixes of the keys of an ordered engine, so that one can be read or removed without looking at the others.
 *
 * <p><b>Durability.</b> A write is acknowledged after it survives the end of the process, or a power loss with {@code
 * sync-writes}. An entry and its expiry are written in one batch.
 *
 * <p><b>Threads.</b> Every method may be called by any thread and never blocks one that must not: files are touched on blocking threads
 * of Infinispan, and, for single entries, on those of the application that call, unless the configuration says otherwise.
 *
 * @param <K> keys
 * @param <V> values
 */
@ConfiguredBy(CaskwrightStoreConfiguration.class)
public final class CaskwrightStore<K, V> implements NonBlockingStore<K, V> {
    private static final String DIRECTORY = "caskwright";
    private static final int DELETES_IN_BATCH = 1000;
    private static final int PURGED_IN_BATCH = 128;

    private volatile @Nullable Opened<K, V> opened;

    /** Called by Infinispan. */
    public CaskwrightStore() {}

    /** What there is between start and stop. */
    private record Opened<K, V>(
            StorageEngine engine,
            OrderedView ordered,
            WriteQueue queue,
            boolean callerRuns,
            FailedWrites failedWrites,
            Set<Integer> unremoved, // segments whose removal was asked for and has not been done
            GivenEntries given,
            Path directory,
            BlockingManager blocking,
            TimeService time,
            PersistenceMarshaller marshaller,
            ByteBufferFactory buffers,
            MarshallableEntryFactory<K, V> entries) {

        long now() {
            return time.wallClockTime();
        }
    }

    @Override
    public CompletionStage<Void> start(InitializationContext context) {
        return context.getBlockingManager().runBlocking(() -> opened = open(context), "caskwright-start");
    }

    private Opened<K, V> open(InitializationContext context) {
        CaskwrightStoreConfiguration configuration = context.getConfiguration();
        String cache = context.getCache().getName();
        Path directory = PersistenceUtil.getQualifiedLocation(
                context.getGlobalConfiguration(), configuration.path(), cache, DIRECTORY);
        StorageEngine engine = openEngine(configuration, directory, cache);
        try {
            OrderedView ordered = engine.ordered();
            checkIdentity(engine, directory, identity(context, cache));
            WriteQueue queue = new WriteQueue(
                    engine,
                    context.getBlockingManager().asExecutor("caskwright-write"),
                    context.getNonBlockingExecutor(),
                    configuration.syncWrites() ? WriteQueue.Writer.GATHERING_THREAD : writer(configuration));
            return new Opened<>(
                    engine,
                    ordered,
                    queue,
                    configuration.callerRuns(),
                    configuration.failedWrites(),
                    ConcurrentHashMap.newKeySet(),
                    GivenEntries.of(context.getCache()),
                    directory,
                    context.getBlockingManager(),
                    context.getTimeService(),
                    context.getPersistenceMarshaller(),
                    context.getByteBufferFactory(),
                    context.getMarshallableEntryFactory());
        } catch (IOException | RuntimeException | Error e) {
            Causes.closeAfter(e, engine::close);
            if (e instanceof MissingFacetException) {
                throw new CacheConfigurationException(
                        "the engine of a store needs an order: cache=" + cache + ", engine=" + configuration.engine()
                                + ": " + e.getMessage(),
                        e);
            }
            throw e instanceof RuntimeException unchecked ? unchecked : failed("opening", e);
        }
    }

    private static WriteQueue.Writer writer(CaskwrightStoreConfiguration configuration) {
        return configuration.callerRuns() ? WriteQueue.Writer.CALLER : WriteQueue.Writer.THREAD;
    }

    /** Returns whether this thread may wait for a file: it may unless it is one of those that Infinispan says must not. */
    static boolean mayBlock() {
        return !(Thread.currentThread().getThreadGroup() instanceof NonBlockingResource);
    }

    private static StorageEngine openEngine(CaskwrightStoreConfiguration configuration, Path directory, String cache) {
        EngineSettings settings = new EngineSettings(
                EngineSettings.Access.CREATE, configuration.durability(), configuration.engineOptions());
        try {
            Files.createDirectories(directory);
            return Backends.engine(configuration.engine()).open(directory.resolve("data"), settings);
        } catch (EngineLockedException e) {
            throw new PersistenceException(
                    "the directory of the store is in use; give each node one of its own: cache=" + cache
                            + ", directory=" + directory,
                    e);
        } catch (IllegalArgumentException e) {
            throw new CacheConfigurationException("bad option of a store: cache=" + cache + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw failed("opening", e);
        }
    }

    private static String identity(InitializationContext context, String cache) {
        int segments =
                context.getCache().getCacheConfiguration().clustering().hash().numSegments();
        return "format=1, cluster=" + cluster(context) + ", cache=" + cache + ", segments=" + segments;
    }

    private static String cluster(InitializationContext context) {
        boolean isClustered = context.getGlobalConfiguration().isClustered()
                && context.getCache()
                        .getCacheConfiguration()
                        .clustering()
                        .cacheMode()
                        .isClustered();
        return isClustered ? context.getGlobalConfiguration().transport().clusterName() : "none";
    }

    private static void checkIdentity(StorageEngine engine, Path directory, String expected) throws IOException {
        byte[] found = engine.get(Layout.IDENTITY);
        if (found == null && engine.size() == 0) {
            engine.put(Layout.IDENTITY, expected.getBytes(StandardCharsets.UTF_8));
            return;
        }
        String text = found == null ? "something else" : new String(found, StandardCharsets.UTF_8);
        if (!text.equals(expected)) {
            throw new PersistenceException("the directory holds the store of another cache: directory=" + directory
                    + ", expected=[" + expected + "], found=[" + text
                    + "]; nothing was changed. Give the cache another path, or move the directory away");
        }
    }

    @Override
    public CompletionStage<Void> stop() {
        Opened<K, V> open = opened;
        opened = null;
        if (open == null) {
            return CompletableFuture.completedFuture(null);
        }
        return open.queue.close();
    }

    @Override
    public CompletionStage<Void> destroy() {
        Opened<K, V> open = opened;
        if (open == null) {
            return stop();
        }
        return open.blocking.thenRunBlocking(stop(), () -> deleteAll(open.directory), "caskwright-destroy");
    }

    private static void deleteAll(Path directory) {
        try {
            SideFiles.deleteTree(directory);
        } catch (IOException e) {
            throw failed("destroying", e);
        }
    }

    @Override
    public Set<Characteristic> characteristics() {
        return EnumSet.of(Characteristic.BULK_READ, Characteristic.SEGMENTABLE, Characteristic.EXPIRATION);
    }

    @Override
    public CompletionStage<Boolean> isAvailable() {
        Opened<K, V> open = opened;
        boolean isHealthy = open != null && open.engine.health() == null;
        return CompletableFuture.completedFuture(isHealthy);
    }

    @Override
    public CompletionStage<MarshallableEntry<K, V>> load(int segment, Object key) {
        Opened<K, V> open = open();
        byte[] entryKey = Layout.entryKey(segment, marshalled(open, key));
        if (open.callerRuns && mayBlock()) {
            try {
                return CompletableFuture.completedFuture(read(open, entryKey, key));
            } catch (RuntimeException e) {
                return CompletableFuture.failedFuture(e);
            }
        }
        return open.blocking.supplyBlocking(() -> read(open, entryKey, key), "caskwright-load");
    }

    private static <K, V> @Nullable MarshallableEntry<K, V> read(Opened<K, V> open, byte[] entryKey, Object key) {
        try {
            byte[] stored = open.engine.get(entryKey);
            return stored == null || Layout.isExpired(stored, open.now()) ? null : entry(open, key, stored);
        } catch (IOException e) {
            throw failed("reading", e);
        }
    }

    @Override
    public CompletionStage<Boolean> containsKey(int segment, Object key) {
        return load(segment, key).thenApply(entry -> entry != null);
    }

    @Override
    public CompletionStage<Void> write(int segment, MarshallableEntry<? extends K, ? extends V> entry) {
        Opened<K, V> open = open();
        return change(open, GivenEntries.isGiven(entry) ? putGiven(open, segment, entry) : put(open, segment, entry));
    }

    /** Adds a change to the queue, and tells if it fails. */
    private static <R> CompletionStage<R> change(Opened<?, ?> open, WriteQueue.Change<R> change) {
        return open.queue.add(change).whenComplete((result, problem) -> {
            if (problem != null) {
                open.failedWrites.failed(problem);
            }
        });
    }

    /** Puts what another node has given, unless its key was written since, or there is nothing to be given any more. */
    private static WriteQueue.Change<Void> putGiven(Opened<?, ?> open, int segment, MarshallableEntry<?, ?> entry) {
        boolean isWanted = open.given.isTransferring();
        byte[] entryKey = entryKey(segment, entry);
        WriteQueue.Change<Void> put = put(entryKey, entry);
        return batch -> isWanted && !open.given.isWritten(entryKey) ? put.addTo(batch) : null;
    }

    private static WriteQueue.Change<Void> put(Opened<?, ?> open, int segment, MarshallableEntry<?, ?> entry) {
        byte[] entryKey = entryKey(segment, entry);
        return noting(open, entryKey, put(entryKey, entry));
    }

    /** Returns a change that also notes, while segments are on their way to this node, that the key was written. */
    private static <R> WriteQueue.Change<R> noting(Opened<?, ?> open, byte[] entryKey, WriteQueue.Change<R> change) {
        if (!open.given.isTransferring()) {
            return change;
        }
        return batch -> {
            open.given.wasWritten(entryKey);
            return change.addTo(batch);
        };
    }

    private static byte[] entryKey(int segment, MarshallableEntry<?, ?> entry) {
        ByteBuffer key = entry.getKeyBytes();
        return Layout.entryKey(segment, key.getBuf(), key.getOffset(), key.getLength());
    }

    private static WriteQueue.Change<Void> put(byte[] entryKey, MarshallableEntry<?, ?> entry) {
        byte[] value = Layout.value(entry);
        long expiry = Layout.expiry(value);
        return batch -> {
            if (expiry != Layout.NEVER) {
                // Else an entry that is written often would leave a record in the index for each time, until it
                // expires.
                byte[] previous = batch.get(entryKey);
                byte[] previousExpiry = previous == null ? null : Layout.expiryKey(previous, entryKey);
                if (previousExpiry != null) {
                    batch.delete(previousExpiry);
                }
                batch.put(Layout.expiryKey(expiry, entryKey), new byte[0]);
            }
            batch.put(entryKey, value);
            return null;
        };
    }

    @Override
    public CompletionStage<Boolean> delete(int segment, Object key) {
        Opened<K, V> open = open();
        byte[] entryKey = Layout.entryKey(segment, marshalled(open, key));
        return change(open, noting(open, entryKey, batch -> delete(batch, entryKey)));
    }

    private static boolean delete(WriteQueue.Pending batch, byte[] entryKey) throws IOException {
        byte[] present = batch.get(entryKey);
        if (present == null) {
            return false;
        }
        batch.delete(entryKey);
        byte[] expiryKey = Layout.expiryKey(present, entryKey);
        if (expiryKey != null) {
            batch.delete(expiryKey);
        }
        return true;
    }

    @Override
    public CompletionStage<Void> batch(
            int publisherCount,
            Publisher<SegmentedPublisher<Object>> removes,
            Publisher<SegmentedPublisher<MarshallableEntry<K, V>>> writes) {
        Opened<K, V> open = open();
        // Both are subscribed to before either has given all: they may depend on each other.
        Flowable<WriteQueue.Change<Void>> removed = Flowable.fromPublisher(removes)
                .flatMap(
                        keys -> Flowable.fromPublisher(keys).map(key -> {
                            byte[] entryKey = Layout.entryKey(keys.getSegment(), marshalled(open, key));
                            return noting(open, entryKey, batch -> {
                                delete(batch, entryKey);
                                return null;
                            });
                        }),
                        publisherCount);
        Flowable<WriteQueue.Change<Void>> written = Flowable.fromPublisher(writes)
                .flatMap(
                        entries -> Flowable.fromPublisher(entries).map(entry -> put(open, entries.getSegment(), entry)),
                        publisherCount);
        return Flowable.mergeArray(removed, written)
                .toList()
                .toCompletionStage()
                .thenCompose(changes -> changes.isEmpty()
                        ? CompletableFuture.completedFuture(null)
                        : change(open, batch -> {
                            for (WriteQueue.Change<Void> each : changes) {
                                each.addTo(batch);
                                batch.writeIfLong();
                            }
                            return null;
                        }));
    }

    @Override
    public CompletionStage<Void> clear() {
        return remove(open(), List.of(Layout.everything()), () -> {});
    }

    /** Called with all segments that the node has from now on. What is left in one whose removal has failed is removed first. */
    @Override
    public CompletionStage<Void> addSegments(IntSet segments) {
        Opened<K, V> open = open();
        boolean isNew = !open.given.isTransferring(); // else it is another phase of the same
        return change(open, batch -> {
            if (isNew) {
                open.given.forget();
            }
            List<Integer> left =
                    open.unremoved.stream().filter(segments::contains).toList();
            if (!left.isEmpty()) {
                batch.write();
                for (int segment : left) {
                    removeRange(open, Layout.segment(segment));
                    open.unremoved.remove(segment);
                }
            }
            return null;
        });
    }

    /** Removes the entries of the segments. Writes that are asked for later, to these segments too, come after it. */
    @Override
    public CompletionStage<Void> removeSegments(IntSet segments) {
        Opened<K, V> open = open();
        List<Range> ranges = new ArrayList<>(segments.size());
        segments.forEach((int segment) -> {
            ranges.add(Layout.segment(segment));
            open.unremoved.add(segment);
        });
        return remove(
                open,
                ranges,
                () -> segments.forEach((int segment) -> {
                    open.unremoved.remove(segment);
                    open.given.forget(segment);
                }));
    }

    private static CompletionStage<Void> remove(Opened<?, ?> open, List<Range> ranges, Runnable whenDone) {
        return change(open, batch -> {
            batch.write();
            for (Range each : ranges) {
                removeRange(open, each);
            }
            whenDone.run();
            return null;
        });
    }

    private static void removeRange(Opened<?, ?> open, Range range) throws IOException {
        WriteBatch deletes = new WriteBatch();
        try (Cursor cursor = open.ordered.range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                deletes.delete(entry.key());
                byte[] expiryKey = Layout.isEntry(entry.key()) ? Layout.expiryKey(entry.value(), entry.key()) : null;
                if (expiryKey != null) {
                    deletes.delete(expiryKey);
                }
                if (deletes.size() >= DELETES_IN_BATCH) {
                    open.engine.write(deletes);
                    deletes.clear();
                }
            }
        }
        if (deletes.size() > 0) {
            open.engine.write(deletes);
        }
    }

    @Override
    public CompletionStage<Long> size(IntSet segments) {
        return stored(open(), segments).count().toCompletionStage();
    }

    @Override
    public CompletionStage<Long> approximateSize(IntSet segments) {
        return size(segments);
    }

    @Override
    public Publisher<K> publishKeys(IntSet segments, @Nullable Predicate<? super K> filter) {
        return Flowable.fromPublisher(publishEntries(segments, filter, false)).map(MarshallableEntry::getKey);
    }

    @Override
    public Publisher<MarshallableEntry<K, V>> publishEntries(
            IntSet segments, @Nullable Predicate<? super K> filter, boolean includeValues) {
        Opened<K, V> open = open();
        Flowable<MarshallableEntry<K, V>> all = stored(open, segments).map(each -> entry(open, each));
        return filter == null ? all : all.filter(entry -> filter.test(entry.getKey()));
    }

    /** Returns what is stored and has not expired; read on blocking threads, as fast as it is asked for. */
    private Flowable<Entry> stored(Opened<K, V> open, IntSet segments) {
        Flowable<Entry> all = Flowable.defer(() -> {
            PrimitiveIterator.OfInt each = segments.iterator();
            return Flowable.fromIterable(() -> each).concatMap(segment -> range(open, Layout.segment(segment)));
        });
        return Flowable.fromPublisher(
                open.blocking.blockingPublisher(all.filter(each -> !Layout.isExpired(each.value(), open.now()))));
    }

    private static Flowable<Entry> range(Opened<?, ?> open, Range range) {
        return Flowable.generate(
                () -> open.ordered.range(range),
                (cursor, emitter) -> {
                    Entry entry;
                    try {
                        entry = cursor.next();
                    } catch (IOException e) {
                        throw failed("reading", e);
                    }
                    if (entry == null) {
                        emitter.onComplete();
                    } else {
                        emitter.onNext(entry);
                    }
                },
                Cursor::close);
    }

    @Override
    public Publisher<MarshallableEntry<K, V>> purgeExpired() {
        Opened<K, V> open = open();
        long now = open.now();
        Flowable<Entry> expired =
                Flowable.fromPublisher(open.blocking.blockingPublisher(range(open, Layout.expiredBy(now))));
        return expired.map(Entry::key)
                .buffer(PURGED_IN_BATCH)
                .concatMap(keys -> Flowable.fromCompletionStage(open.queue.add(batch -> purge(batch, keys, now)))
                        .concatMapIterable(purged -> purged))
                .map(each -> entry(open, each));
    }

    /** Deletes entries that have still expired when it is their turn, and returns them. */
    private static List<Entry> purge(WriteQueue.Pending batch, List<byte[]> expiryKeys, long now) throws IOException {
        List<Entry> purged = new ArrayList<>();
        for (byte[] expiryKey : expiryKeys) {
            batch.delete(expiryKey);
            byte[] entryKey = Layout.entryKeyOf(expiryKey);
            byte[] stored = batch.get(entryKey);
            if (stored != null && Layout.isExpired(stored, now)) {
                batch.delete(entryKey);
                purged.add(new Entry(entryKey, stored, Entry.NO_VERSION, Entry.NEVER));
            }
        }
        return purged;
    }

    private static <K, V> MarshallableEntry<K, V> entry(Opened<K, V> open, Entry stored) {
        ByteBuffer key = open.buffers.newByteBuffer(Layout.key(stored.key()));
        Layout.Parts parts = Layout.parts(stored.value());
        return open.entries.create(
                key,
                buffer(open, parts.value()),
                buffer(open, parts.metadata()),
                buffer(open, parts.internalMetadata()),
                parts.created(),
                parts.lastUsed());
    }

    private static <K, V> MarshallableEntry<K, V> entry(Opened<K, V> open, Object key, byte[] stored) {
        Layout.Parts parts = Layout.parts(stored);
        return open.entries.create(
                key,
                buffer(open, parts.value()),
                buffer(open, parts.metadata()),
                buffer(open, parts.internalMetadata()),
                parts.created(),
                parts.lastUsed());
    }

    private static @Nullable ByteBuffer buffer(Opened<?, ?> open, byte @Nullable [] bytes) {
        return bytes == null ? null : open.buffers.newByteBuffer(bytes);
    }

    private static byte[] marshalled(Opened<?, ?> open, Object key) {
        try {
            return open.marshaller.objectToByteBuffer(key);
        } catch (IOException e) {
            throw failed("marshalling a key for", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed("marshalling a key for", e);
        }
    }

    private Opened<K, V> open() {
        return Optional.ofNullable(opened).orElseThrow(() -> new PersistenceException("the store is not started"));
    }

    private static PersistenceException failed(String doing, Throwable cause) {
        return new PersistenceException(doing + " the store failed: " + cause.getMessage(), cause);
    }
}
