package dev.caskwright.bitcask;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.cache.ValueCache;
import dev.caskwright.api.spi.cache.ValueCacheFactory;
import dev.caskwright.api.spi.engine.PluginCheck;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.background.Background;
import dev.caskwright.bitcask.background.BackgroundThreads;
import dev.caskwright.bitcask.events.OpenEvent;
import dev.caskwright.bitcask.events.RecoveryEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.merge.Checkpoints;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.bitcask.merge.Merger;
import dev.caskwright.bitcask.merge.RateLimit;
import dev.caskwright.bitcask.read.Reads;
import dev.caskwright.bitcask.replay.IndexLoading;
import dev.caskwright.bitcask.store.ReadEpochs;
import dev.caskwright.bitcask.store.RecordKeyMatcher;
import dev.caskwright.bitcask.store.Sessions;
import dev.caskwright.bitcask.store.Store;
import dev.caskwright.bitcask.store.StoreClock;
import dev.caskwright.bitcask.write.AsyncSync;
import dev.caskwright.bitcask.write.BackgroundSync;
import dev.caskwright.bitcask.write.WritePace;
import dev.caskwright.bitcask.write.Writes;
import java.io.Closeable;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Opens a store step by step: directory, lock, log, index, replay. Whatever was opened is released again, last first,
 * when a step fails or the engine is closed.
 */
final class Opening {
    /** Time passes in a store that nobody writes to, and no file is sealed then. */
    private static final long EXPIRY_CHECK_MILLIS = 5_000;

    private static final String MADE_BY_THE_FILE_SYSTEM = "lost+found"; // at the root of a new one

    /** What an open engine consists of. */
    record Parts(
            Store store,
            Reads reads,
            Writes writes,
            WritePace pace,
            AsyncSync asyncSync,
            Merger merger,
            Checkpoints checkpoints,
            IndexLoading indexLoading,
            Background background,
            Path directory,
            IoManagerFactory ioFactory,
            Opening opening,
            long openMillis,
            boolean openedFromImage,
            long replayedRecords,
            long tornBytesCut) {
        void release() throws IOException {
            opening.release(null);
        }
    }

    private final EngineOptions options;
    private final Deque<Closeable> opened = new ArrayDeque<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    /** Weak, because the log knows this object and threads keep sessions, which know the log, for longer than engines. */
    private volatile WeakReference<@Nullable BitcaskEngine> engine = new WeakReference<>(null);

    private final MergePolicy policy;

    Opening(EngineOptions options) {
        this.options = options;
        this.policy = new MergePolicy(options.maxSpaceAmplification(), options.maxFileBytes());
    }

    BitcaskEngine run() throws IOException {
        long started = System.nanoTime();
        InitializedEarly.now();
        OpenEvent event = StoreEvents.open();
        if (event == null) {
            return openOrRelease(started);
        }
        BitcaskEngine result = null;
        try {
            result = openOrRelease(started);
            return result;
        } finally {
            event.end(
                    options.directory().toString(),
                    options.readOnly(),
                    result != null,
                    result == null ? 0 : result.indexedKeys());
        }
    }

    private BitcaskEngine openOrRelease(long started) throws IOException {
        try {
            return open(started);
        } catch (AbstractMethodError | NoSuchMethodError e) {
            release(e);
            throw PluginCheck.outdated(e);
        } catch (IOException | RuntimeException | Error e) {
            release(e);
            throw e;
        }
    }

    private BitcaskEngine open(long started) throws IOException {
        boolean create = options.createIfMissing() && !options.readOnly();
        IoManager io = keep(PluginCheck.complete(options.io().open(options.directory(), create)));
        checkIsStore(io, create);
        keep(io.lock(!options.readOnly()));
        IoManagerFactory startupFactory = options.startupIo();
        IoManager startupIo = startupFactory == null ? io : keep(startupFactory.open(options.directory(), false));
        Background background =
                keep(new Background(options.executor(), options.retryTimer(), () -> failure.get() == null));
        Background.Task merging = background.task(
                "a merge",
                options.mergeBytesPerSecond() > 0 ? BackgroundThreads.Work.PACED : BackgroundThreads.Work.LONG,
                this::mergeInBackground);
        Background.Task expiring = background.task(
                "looking for what has expired", BackgroundThreads.Work.LONG, this::mergeExpiredInBackground);
        ReadEpochs epochs = new ReadEpochs(Sessions.slots());
        RecoveryEvent recovery = StoreEvents.recovery();
        RecordLogOpening opening =
                options.recordLog().open(io, startupIo, logOptions(create, background, merging, epochs));
        RecordLog log = opening.log();
        Closeable abandonLog = keep(log::abandon);
        KeyIndex index = keep(PluginCheck.complete(options.index()
                .open(new KeyIndexContext(
                        options.expectedKeys(),
                        options.expectedKeyLength(),
                        opening.secret(),
                        new RecordKeyMatcher(log)))));
        IndexLoading loading = keep(new IndexLoading(
                opening,
                index,
                options.imageEveryBytes() > 0,
                options.replayThreads(),
                options.mostReplayBytesLater()));
        boolean isImageLoaded = loading.begin();
        long replayed = loading.replay(index, isImageLoaded);
        opening.finish();
        if (recovery != null) {
            recovery.end(
                    io.describe(),
                    isImageLoaded,
                    replayed,
                    opening.tornBytesCut(),
                    log.segments().size());
        }
        loading.goOn(rest -> background
                .task("loading the key index", BackgroundThreads.Work.LONG, rest)
                .request());
        StoreClock clock = new StoreClock(options.clock(), log.clockNotes(), options.readOnly());
        if (options.forgetToldExpiries()) {
            clock.forgetTold();
        }
        clock.note();
        ValueCacheFactory caches = options.valueCache();
        ValueCache cache = caches == null ? null : keep(caches);
        Store store = new Store(
                io.describe(),
                log,
                epochs,
                index,
                clock,
                cache,
                options.maxSnapshots(),
                ~opening.secret(),
                options.readOnly(),
                isImageLoaded,
                failure);
        Reads reads = new Reads(store);
        BackgroundSync backgroundSync =
                new BackgroundSync(store, options.syncEveryBytes(), options.syncEvery(), background);
        WritePace pace = new WritePace(store, options.maxFileBytes(), options.changesRetainedBytes());
        Writes writes = new Writes(store, reads, options.durability(), backgroundSync, background, pace);
        Merger merger =
                new Merger(store, new RateLimit(options.mergeBytesPerSecond()), options.changesRetainedBytes(), pace);
        Checkpoints checkpoints = new Checkpoints(store, merger, options.imageEveryBytes(), background, isImageLoaded);
        backgroundSync.start();
        long millis = (System.nanoTime() - started) / 1_000_000;
        BitcaskEngine result = new BitcaskEngine(new Parts(
                store,
                reads,
                writes,
                pace,
                new AsyncSync(store, background),
                merger,
                checkpoints,
                loading,
                background,
                options.directory(),
                options.io(),
                this,
                millis,
                isImageLoaded,
                replayed,
                opening.tornBytesCut()));
        engine = new WeakReference<>(result);
        opened.remove(abandonLog); // from here on the engine closes it properly, and nothing below throws
        if (options.autoMerge() && !options.readOnly()) {
            merging.request();
        }
        if (options.autoMerge() && !options.readOnly() && options.retryTimer() == null) {
            background.requestEvery(EXPIRY_CHECK_MILLIS, expiring);
        }
        background.handOver();
        return result;
    }

    /** Judges by names, before the lock is taken: that leaves a file behind in what may be no store. */
    private void checkIsStore(IoManager io, boolean create) throws IOException {
        List<String> names = new ArrayList<>(io.list());
        if (options.recordLog().isLog(names)) {
            return;
        }
        if (!create) {
            throw new UnsupportedFormatException("no store in this directory: " + io.describe());
        }
        if (options.createAmongOtherFiles()) {
            return;
        }
        names.addAll(io.listObstacles());
        for (String name : names) {
            if (!options.recordLog().isOwn(name) && !name.equals(MADE_BY_THE_FILE_SYSTEM)) {
                throw new UnsupportedFormatException("no store in this directory, and none is made among other files:"
                        + " directory=" + io.describe() + ", found=" + name.replaceAll("\\p{C}", "?")
                        + "; use an empty or missing directory, or insist with createAmongOtherFiles"
                        + " (on the command line --among-other-files)");
            }
        }
    }

    private RecordLogOptions logOptions(
            boolean create, Background background, Background.Task merging, ReadEpochs epochs) {
        return new RecordLogOptions(
                options.maxFileBytes(),
                options.readOnly(),
                create,
                options.random(),
                background,
                epochs::awaitReaders,
                () -> onSealed(merging),
                cause -> failure.compareAndSet(null, cause),
                options.codec(),
                options.recodeOnMerge(),
                options.encryption());
    }

    private void onSealed(Background.Task merging) {
        BitcaskEngine open = engine.get();
        if (open != null) {
            open.askForImage();
        }
        if (options.autoMerge()) {
            if (open != null && options.mergeBytesPerSecond() == 0) { // or writers are to come first
                open.paceWriters();
            }
            merging.request();
        }
    }

    private void mergeExpiredInBackground() throws IOException {
        BitcaskEngine open = engine.get();
        if (open != null) {
            open.mergeExpiredInBackground(policy);
        }
    }

    private void mergeInBackground() throws IOException {
        BitcaskEngine open = engine.get();
        if (open != null) {
            open.mergeInBackground(policy);
        }
    }

    private ValueCache keep(ValueCacheFactory caches) {
        ValueCache cache = caches.open();
        opened.push(() -> Store.tolerate(cache::close));
        return cache;
    }

    private <C extends Closeable> C keep(C closeable) {
        opened.push(closeable);
        return closeable;
    }

    private void release(@Nullable Throwable cause) throws IOException {
        Throwable first = null;
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (IOException | RuntimeException | Error e) {
                Throwable told = cause == null ? first : cause;
                if (told == null) {
                    first = e;
                } else {
                    Causes.add(told, e);
                }
            }
        }
        if (first != null) {
            rethrow(first);
        }
    }

    /** Throws what a call threw that may throw IO exceptions. */
    static void rethrow(Throwable e) throws IOException {
        if (e instanceof IOException io) {
            throw io;
        }
        if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        throw (Error) e;
    }
}
