package dev.caskwright.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.BoltEngine;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.moss.MossEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An engine of ours with its defaults: Bitcask over the index and IO manager of the given names, told how many keys will
 * come, as those peers are that can be told; or bolt or moss over mapped files.
 */
final class CaskwrightStore implements KeyValueStore {
    private final StorageEngine engine;
    private final @Nullable OrderedView ordered;
    private final @Nullable Merging merging;

    private CaskwrightStore(StorageEngine engine) {
        this.engine = engine;
        this.merging = engine.facet(Merging.class).orElse(null);
        this.ordered = engine.facet(OrderedView.class).orElse(null);
    }

    static CaskwrightStore open(Path directory, StoreOptions options, String index, String io) throws IOException {
        return new CaskwrightStore(BitcaskEngine.builder(directory)
                .index(Backends.keyIndex(index))
                .io(Backends.ioManager(io))
                .durability(options.durability())
                .expectedKeys(options.expectedKeys(), Dataset.KEY_SIZE)
                .open());
    }

    static CaskwrightStore openBolt(Path directory, StoreOptions options) throws IOException {
        BoltDatabase database = BoltDatabase.builder(directory.resolve("data.db"))
                .io(MmapIoManager::open)
                .forcesCommits(options.isSync())
                .open();
        return new CaskwrightStore(BoltEngine.over(database, List.of("data".getBytes(UTF_8)), true));
    }

    static CaskwrightStore openMoss(Path directory, StoreOptions options) throws IOException {
        return new CaskwrightStore(MossEngine.builder(directory)
                .io(MmapIoManager::open)
                .durability(options.durability())
                .open());
    }

    /** Returns the engine, for what its peers do not have. */
    StorageEngine engine() {
        return engine;
    }

    @Override
    public void put(byte[] key, byte[] value) throws IOException {
        engine.put(key, value);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return engine.get(key);
    }

    @Override
    public int getInto(byte[] key, ByteBuffer target) throws IOException {
        return engine.get(key, target);
    }

    @Override
    public void delete(byte[] key) throws IOException {
        engine.delete(key);
    }

    @Override
    public ScanTotals scan() throws IOException {
        ScanTotals totals = new ScanTotals();
        engine.visit(entry -> {
            totals.add(entry.value());
            return true;
        });
        return totals;
    }

    @Override
    public boolean isOrdered() {
        return ordered != null;
    }

    @Override
    public ScanTotals range(byte[] from, int limit) throws IOException {
        if (ordered == null) {
            throw new UnsupportedOperationException("this store has no order");
        }
        ScanTotals totals = new ScanTotals();
        try (Cursor cursor = ordered.range(Range.all().from(from, true).limit(limit))) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                totals.add(entry.value());
            }
        }
        return totals;
    }

    @Override
    public void sync() throws IOException {
        engine.sync();
    }

    @Override
    public void merge() throws IOException {
        if (merging == null) {
            throw new UnsupportedOperationException("this store does not merge");
        }
        merging.merge();
    }

    @Override
    public boolean canMerge() {
        return merging != null;
    }

    @Override
    public double spaceAmplification() {
        return engine.stats().space().amplification();
    }

    @Override
    public long indexBytes() {
        return engine.stats().memory().indexBytes();
    }

    @Override
    public void close() throws IOException {
        engine.close();
    }
}
