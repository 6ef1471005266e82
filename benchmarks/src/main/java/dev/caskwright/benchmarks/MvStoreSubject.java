package dev.caskwright.benchmarks;

import java.nio.file.Path;
import java.util.Objects;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.ByteArrayDataType;

/** H2's MVStore for the bolt comparison: a commit where the others commit, and the cache of {@link StoreOptions}. */
final class MvStoreSubject implements BoltSubject {
    private final MVStore store;
    private final MVMap<byte[], byte[]> map;
    private final boolean forces;

    MvStoreSubject(Path directory, boolean forces) {
        this.forces = forces;
        store = new MVStore.Builder()
                .fileName(directory.resolve("store.mv").toString())
                .cacheSize((int) (StoreOptions.CACHE_BYTES >> 20))
                .autoCommitDisabled()
                .open();
        map = store.openMap(
                "data",
                new MVMap.Builder<byte[], byte[]>()
                        .keyType(ByteArrayDataType.INSTANCE)
                        .valueType(ByteArrayDataType.INSTANCE));
    }

    private void commit() {
        store.commit();
        if (forces) {
            store.sync();
        }
    }

    @Override
    public void putAll(byte[][] keys, byte[][] values, int count) {
        for (int i = 0; i < count; i++) {
            map.put(keys[i], values[i]);
        }
        commit();
    }

    @Override
    public void putOne(byte[] key, byte[] value) {
        map.put(key, value);
        commit();
    }

    @Override
    public long getAll(byte[][] keys) {
        long sum = 0;
        for (byte[] key : keys) {
            sum += get(key)[0];
        }
        return sum;
    }

    @Override
    public byte[] get(byte[] key) {
        return Objects.requireNonNull(map.get(key)).clone();
    }

    @Override
    public long scanInPlace() {
        long sum = 0;
        for (Cursor<byte[], byte[]> cursor = map.cursor(null); cursor.hasNext(); ) {
            sum += cursor.next().length + cursor.getValue().length;
        }
        return sum;
    }

    @Override
    public long scanCopied() {
        long sum = 0;
        for (Cursor<byte[], byte[]> cursor = map.cursor(null); cursor.hasNext(); ) {
            sum += cursor.next().clone()[15] + cursor.getValue().clone()[0];
        }
        return sum;
    }

    @Override
    public void close() {
        store.close();
    }
}
