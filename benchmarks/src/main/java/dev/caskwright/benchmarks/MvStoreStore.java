package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.ByteArrayDataType;
import org.jspecify.annotations.Nullable;

/**
 * H2's MVStore as its documentation shows it: a file, the background thread that commits every second or whenever the
 * write buffer is full, and a page cache of {@link StoreOptions#CACHE_BYTES}. A put therefore promises nothing until the
 * next commit: NONE. At SYNC every put commits and forces. Its byte array type orders keys as unsigned bytes.
 */
final class MvStoreStore implements KeyValueStore {
    private static final String FILE_NAME = "store.mv";

    private final MVStore store;
    private final MVMap<byte[], byte[]> map;
    private final boolean sync;

    private MvStoreStore(MVStore store, boolean sync) {
        this.store = store;
        this.sync = sync;
        this.map = store.openMap(
                "data",
                new MVMap.Builder<byte[], byte[]>()
                        .keyType(ByteArrayDataType.INSTANCE)
                        .valueType(ByteArrayDataType.INSTANCE));
    }

    static MvStoreStore open(Path directory, StoreOptions options) throws IOException {
        Files.createDirectories(directory);
        MVStore.Builder builder = new MVStore.Builder()
                .fileName(directory.resolve(FILE_NAME).toString())
                .cacheSize((int) (StoreOptions.CACHE_BYTES >> 20));
        if (options.isSync()) {
            builder.autoCommitDisabled();
        }
        return new MvStoreStore(builder.open(), options.isSync());
    }

    @Override
    public void put(byte[] key, byte[] value) {
        // The map keeps the arrays that it is given.
        map.put(key.clone(), value.clone());
        if (sync) {
            sync();
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        byte[] value = map.get(key);
        return value == null ? null : value.clone();
    }

    @Override
    public int getInto(byte[] key, ByteBuffer target) {
        byte[] value = map.get(key);
        if (value == null) {
            return ABSENT;
        }
        target.put(value);
        return value.length;
    }

    @Override
    public void delete(byte[] key) {
        map.remove(key);
        if (sync) {
            sync();
        }
    }

    @Override
    public ScanTotals scan() {
        return read(map.cursor(null), Long.MAX_VALUE);
    }

    @Override
    public ScanTotals range(byte[] from, int limit) {
        return read(map.cursor(from), limit);
    }

    private static ScanTotals read(Cursor<byte[], byte[]> cursor, long limit) {
        ScanTotals totals = new ScanTotals();
        Iterator<byte[]> keys = cursor;
        while (totals.count() < limit && keys.hasNext()) {
            keys.next();
            totals.add(cursor.getValue());
        }
        return totals;
    }

    @Override
    public boolean isOrdered() {
        return true;
    }

    @Override
    public void sync() {
        store.commit();
        store.sync();
    }

    @Override
    public void settle() {
        store.commit();
    }

    @Override
    public void close() {
        store.close();
    }
}
