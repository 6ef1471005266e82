package dev.caskwright.bitcask.log;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.fuzz.Allocated;
import dev.caskwright.fuzz.Sample;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;

/**
 * A small store of which a file is made by the fuzzer, with right checksums over wrong content, so that the fuzzer gets
 * after them. Whatever is read from it must be an answer or a typed error: no other exception, no memory running out, no
 * endless loop.
 *
 * <p>Each target has the reader of its format read the file first, and looks whether the answer is sound; that takes some
 * microseconds. Then the store is opened with it, which takes a hundred times as long.
 */
final class FuzzedStore {
    private static final Path HOME = Path.of("store");
    private static final Path SALVAGED = Path.of("salvaged");

    /** How many keys were written. */
    static final int KEYS = 8;

    /** Of how many files one is used in every way. */
    private static final int ONE_IN = Integer.getInteger("caskwright.fuzz.thoroughOneIn", 1);

    /** One of data files and hint files only. */
    static final FuzzedStore PLAIN = new FuzzedStore(UnaryOperator.identity());

    private final UnaryOperator<EngineBuilder> options;
    private final Map<String, byte[]> files = new TreeMap<>();
    private final Manifest manifest;
    private final CrashableIoManager single = new CrashableIoManager().logging(false);

    /** Makes a store with options of its own. */
    FuzzedStore(UnaryOperator<EngineBuilder> options) {
        this.options = options;
        try {
            CrashableIoManager disk = new CrashableIoManager();
            try (BitcaskEngine engine = open(disk)) {
                for (int i = 0; i < KEYS; i++) {
                    engine.put(KeyValues.key(i), new byte[30]);
                }
                engine.delete(KeyValues.key(1));
            }
            for (String name : disk.list()) {
                files.put(name, disk.content(name));
            }
            manifest = Manifest.read(disk);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private BitcaskEngine open(CrashableIoManager disk) throws IOException {
        return builder(disk).open();
    }

    private EngineBuilder builder(CrashableIoManager disk) {
        SplittableRandom random = new SplittableRandom(1);
        return options.apply(BitcaskEngine.builder(HOME)
                .io(disk.factory())
                .clock(new ManualClock())
                .random(random::nextLong)
                .executor(Runnable::run)
                .autoMerge(false)
                .replayThreads(1)
                .maxFileBytes(300));
    }

    StoreId store() {
        return manifest.store();
    }

    Manifest manifest() {
        return manifest;
    }

    byte[] file(String name) {
        return files.get(name).clone();
    }

    static int checksum(byte[] source, int from, int length, int mask) {
        CRC32C crc = new CRC32C();
        crc.update(source, from, length);
        return (int) crc.getValue() ^ mask;
    }

    /** Returns a directory with this file, which takes the place of one before it. For one thread. */
    CrashableIoManager directoryWith(String name, byte[] content) {
        single.install(name, content);
        return single;
    }

    /**
     * Uses the store with one file replaced: opens it and reads everything; and of many such files, one in every way there
     * is, which takes ten times as long.
     */
    void use(String name, byte[] content) throws IOException {
        if (Sample.READERS_ONLY) {
            return;
        }
        if (Sample.isOneIn(ONE_IN, content)) {
            useInEveryWay(name, content);
        } else {
            read(name, content);
        }
    }

    private void read(String name, byte[] content) throws IOException {
        attempt(() -> {
            try (BitcaskEngine engine =
                    builder(disk(name, content)).readOnly(true).open()) {
                readAll(engine);
            }
        });
    }

    private static void readAll(BitcaskEngine engine) throws IOException {
        attempt(() -> engine.visit(entry -> true));
        for (int i = 0; i < KEYS; i++) {
            int key = i;
            attempt(() -> engine.get(KeyValues.key(key)));
        }
    }

    private void useInEveryWay(String name, byte[] content) throws IOException {
        attempt(() -> BitcaskEngine.verify(HOME, disk(name, content).factory()));
        attempt(() -> {
            CrashableIoManager old = disk(name, content);
            CrashableIoManager fresh = new CrashableIoManager().logging(false);
            BitcaskEngine.salvage(
                    HOME,
                    SALVAGED,
                    (directory, create) ->
                            (directory.equals(HOME) ? old : fresh).factory().open(directory, create));
            try (BitcaskEngine engine = open(fresh)) {
                engine.visit(entry -> true);
            }
        });
        attempt(() -> {
            try (BitcaskEngine engine = open(disk(name, content))) {
                readAll(engine);
                attempt(() -> engine.put(KeyValues.key(1), new byte[10], WriteOptions.SYNC));
                attempt(engine::merge);
            }
        });
    }

    private CrashableIoManager disk(String name, byte[] content) {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        files.forEach(disk::install);
        disk.install(name, content);
        try {
            believe(disk, name, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return disk;
    }

    /** Has the manifest believe what the fuzzer made, so that it gets past the manifest's sums, too. */
    private static void believe(CrashableIoManager disk, String name, byte[] content) throws IOException {
        Manifest manifest = name.equals(FileNames.MANIFEST) ? null : Manifest.read(disk);
        if (manifest == null) {
            return;
        }
        Manifest.Image image = manifest.image();
        if (FileNames.hasSuffix(name, "hint")) {
            manifest.noteHints(FileNames.id(name), hintSum(content));
            manifest.rewrite(disk);
        } else if (image != null && image.name().equals(name)) {
            manifest.rewrite(disk);
            manifest.publish(image.withSum(imageSum(content)));
        }
        manifest.close();
    }

    /** Returns the sum of a hint file, of what lies where its ends should; 0 if nothing does. */
    static long hintSum(byte[] file) {
        return sum(file, file.length - 16L - 4L * (int) RecordFormat.INT.get(file, 44));
    }

    /** Returns the sum of an image, of what lies where its ends should; 0 if nothing does. */
    static long imageSum(byte[] file) {
        return sum(file, (long) RecordFormat.LONG.get(file, 48));
    }

    private static long sum(byte[] file, long lastBlock) {
        return lastBlock < 0 || lastBlock > file.length - 4
                ? 0
                : (int) RecordFormat.INT.get(file, (int) lastBlock) & 0xFFFFFFFFL
                        | (long) (int) RecordFormat.INT.get(file, 60) << 32;
    }

    /** What may end with a typed error. */
    interface Use {
        void run() throws IOException;
    }

    private static void attempt(Use use) throws IOException {
        try {
            use.run();
        } catch (EngineException e) {
            // A typed error is as good as an answer.
        }
    }

    /** Has a reader read, which may end with a typed error, but not take much memory for that. */
    static void read(Use reader) throws IOException {
        Allocated.requireLittle(() -> attempt(reader));
    }

    /** Fails unless a reader's answer is one that there can be. */
    static void require(boolean isSound, String what, long found) {
        if (!isSound) {
            throw new AssertionError(what + ": " + found);
        }
    }
}
