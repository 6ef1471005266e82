package dev.caskwright.moss;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.moss.file.FileNames;
import dev.caskwright.moss.file.LogReader;
import dev.caskwright.moss.file.Manifest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * First everything is read and judged: the manifest, the files that it lists, the log. Only then is something changed:
 * what the log has is written below and forced, so that nothing rests on pages that may never have reached the disk;
 * then the log and what no manifest lists are removed. Each step may be cut short and done again.
 */
/** Opens a store with a directory. */
final class Opening {
    private final Settings settings;
    private final IoManager io;
    private final OperatorResolver resolver;

    private Opening(Settings settings, IoManager io) {
        this.settings = settings;
        this.io = io;
        this.resolver = new OperatorResolver(settings.operator());
    }

    /** How a directory may be found. */
    record Place(Path directory, boolean isCreating, boolean isAmongOtherFiles) {}

    static MossEngine open(Place place, IoManagerFactory factory, Settings settings, @Nullable StorageEngine lower)
            throws IOException {
        IoManager io = factory.open(place.directory, place.isCreating && !settings.isReadOnly());
        try {
            IoManager.Lock lock = io.lock(!settings.isReadOnly());
            try {
                return new Opening(settings, io).open(lock, place, lower);
            } catch (Throwable e) {
                Causes.closeAfter(e, lock);
                throw e;
            }
        } catch (Throwable e) {
            Causes.closeAfter(e, io);
            throw e;
        }
    }

    /** Opens an engine over a lower level, without a directory and so without a log. */
    static MossEngine open(StorageEngine lower, Settings settings) throws IOException {
        OperatorResolver resolver = new OperatorResolver(settings.operator());
        EngineBottom bottom = EngineBottom.open(lower, resolver, 0, settings);
        try {
            Store store = new Store(settings, resolver, bottom);
            checkOperator(store);
            MossEngine engine = new MossEngine(store, null);
            engine.start();
            return engine;
        } catch (Throwable e) {
            bottom.release();
            throw e;
        }
    }

    private MossEngine open(IoManager.Lock lock, Place place, @Nullable StorageEngine lower) throws IOException {
        Manifest manifest = manifest(place, lower != null);
        if (manifest.isOver() != (lower != null)) {
            throw new UnsupportedFormatException(
                    "store " + (manifest.isOver() ? "is over" : "has files of its own and not")
                            + " a lower level: directory=" + io.describe() + "; open it as it was made");
        }
        if (lower == null) {
            FileStore files = new FileStore(io, manifest, resolver, settings.retention());
            return open(manifest, files.bottom(), new Resources(io, lock, files));
        }
        Bottom bottom = EngineBottom.open(lower, resolver, manifest.storeId(), settings);
        return open(manifest, bottom, new Resources(io, lock, null));
    }

    private MossEngine open(Manifest manifest, Bottom bottom, Resources resources) throws IOException {
        FileStore files = resources.files();
        Store store = new Store(settings, resolver, bottom);
        try {
            MossEngine engine = new MossEngine(store, resources);
            List<Long> logs = logs();
            recover(engine, new LogReader(io, manifest.storeId()), logs);
            checkOperator(store);
            if (!settings.isReadOnly()) {
                store.persister.drain();
                removeLogs(logs);
                if (files != null) {
                    files.removeOrphans();
                    files.forgetOldCheckpoints();
                }
                long nextLog = logs.isEmpty() ? 1 : logs.get(logs.size() - 1) + 1;
                store.log(new WriteLog(store, io, manifest.storeId(), nextLog));
            }
            store.durables().advance(store.stack().bottom.version());
            engine.start();
            return engine;
        } catch (Throwable e) {
            store.stack().bottom.release();
            if (files != null) {
                files.close();
            }
            throw e;
        }
    }

    private Manifest manifest(Place place, boolean isOver) throws IOException {
        List<String> names = new ArrayList<>(io.list());
        if (names.contains(FileNames.MANIFEST)) {
            return Manifest.read(io);
        }
        for (String name : names) {
            if (FileNames.sortedNumber(name) >= 0 || FileNames.logNumber(name) >= 0) {
                throw new CorruptRecordException(
                        "manifest is missing", FileNames.MANIFEST, 0, "there is a file of a store: " + name);
            }
        }
        if (settings.isReadOnly() || !place.isCreating) {
            throw new UnsupportedFormatException("directory has no store: directory=" + io.describe());
        }
        names.remove(FileNames.NEW_MANIFEST);
        if (!place.isAmongOtherFiles && !names.isEmpty()) {
            throw new UnsupportedFormatException("directory has other files and no store: directory=" + io.describe()
                    + ", one=" + names.get(0) + "; choose an empty one, or allow it with createAmongOtherFiles");
        }
        long storeId = settings.random().getAsLong();
        Manifest manifest = new Manifest(storeId, isOver, 1, 0, List.of(), List.of());
        manifest.prepare(io);
        Manifest.install(io);
        return manifest;
    }

    private List<Long> logs() throws IOException {
        List<Long> numbers = new ArrayList<>();
        for (String name : io.list()) {
            long number = FileNames.logNumber(name);
            if (number >= 0) {
                numbers.add(number);
            }
        }
        numbers.sort(null);
        return numbers;
    }

    private void recover(MossEngine engine, LogReader reader, List<Long> logs) throws IOException {
        if (logs.isEmpty()) {
            return;
        }
        Store store = engine.store();
        long version = store.stack().bottom.version();
        reader.read(logs, version, (body, first, last) -> {}); // judged before anything changes
        store.lock.lock();
        try {
            reader.read(logs, version, (body, first, last) -> {
                engine.writes().replay(body, first, last);
                if (!settings.isReadOnly() && store.dirtyBytes() > settings.persistBytes()) {
                    store.persister.step(false);
                }
            });
        } finally {
            store.lock.unlock();
        }
    }

    private static void checkOperator(Store store) throws IOException {
        store.resolver.check(View.searchNow(store, KeySpace.OPERATOR).value());
    }

    private void removeLogs(List<Long> logs) throws IOException {
        for (long number : logs) {
            io.delete(FileNames.log(number));
        }
    }
}
