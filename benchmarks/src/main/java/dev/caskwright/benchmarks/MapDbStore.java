package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentNavigableMap;
import org.jspecify.annotations.Nullable;
import org.mapdb.DB;
import org.mapdb.DBMaker;
import org.mapdb.Serializer;

/**
 * MapDB's hash map or tree map in a mapped file, as its performance page recommends: mapping on, clearing of new pages
 * off, mappings released at close, room allocated in large steps, and no transactions, so that a put promises nothing
 * (NONE): MapDB refuses to open a file after a crash. At SYNC the write-ahead log is on and every put commits.
 */
final class MapDbStore implements KeyValueStore {
    private static final String FILE_NAME = "store.mapdb";
    private static final long ALLOCATE_BYTES = 64L << 20;

    private final DB database;
    private final ConcurrentMap<byte[], byte[]> map;
    private final boolean sync;

    private MapDbStore(DB database, ConcurrentMap<byte[], byte[]> map, boolean sync) {
        this.database = database;
        this.map = map;
        this.sync = sync;
    }

    static MapDbStore openHashMap(Path directory, StoreOptions options) throws IOException {
        DB database = database(directory, options);
        ConcurrentMap<byte[], byte[]> map = database.hashMap("data", Serializer.BYTE_ARRAY, Serializer.BYTE_ARRAY)
                .createOrOpen();
        return new MapDbStore(database, map, options.isSync());
    }

    static MapDbStore openTreeMap(Path directory, StoreOptions options) throws IOException {
        DB database = database(directory, options);
        ConcurrentMap<byte[], byte[]> map = database.treeMap("data", Serializer.BYTE_ARRAY, Serializer.BYTE_ARRAY)
                .createOrOpen();
        return new MapDbStore(database, map, options.isSync());
    }

    private static DB database(Path directory, StoreOptions options) throws IOException {
        Files.createDirectories(directory);
        DBMaker.Maker maker = DBMaker.fileDB(directory.resolve(FILE_NAME).toFile());
        if (options.isSync()) {
            return maker.fileMmapEnable().transactionEnable().make();
        }
        return maker.fileMmapEnable()
                .fileMmapPreclearDisable()
                .cleanerHackEnable()
                .allocateStartSize(ALLOCATE_BYTES)
                .allocateIncrement(ALLOCATE_BYTES)
                .make();
    }

    @Override
    public void put(byte[] key, byte[] value) {
        // A tree's node may keep the key array.
        map.put(key.clone(), value);
        if (sync) {
            database.commit();
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return map.get(key);
    }

    @Override
    public void delete(byte[] key) {
        map.remove(key);
        if (sync) {
            database.commit();
        }
    }

    @Override
    public ScanTotals scan() {
        ScanTotals totals = new ScanTotals();
        for (Map.Entry<byte[], byte[]> entry : map.entrySet()) {
            totals.add(entry.getValue());
        }
        return totals;
    }

    @Override
    public ScanTotals range(byte[] from, int limit) {
        if (!(map instanceof ConcurrentNavigableMap<byte[], byte[]> tree)) {
            throw new UnsupportedOperationException("this store has no order");
        }
        ScanTotals totals = new ScanTotals();
        for (Map.Entry<byte[], byte[]> entry : tree.tailMap(from, true).entrySet()) {
            totals.add(entry.getValue());
            if (totals.count() == limit) {
                break;
            }
        }
        return totals;
    }

    @Override
    public boolean isOrdered() {
        return map instanceof ConcurrentNavigableMap;
    }

    @Override
    public void sync() {
        database.commit();
    }

    @Override
    public void close() {
        database.close();
    }
}
