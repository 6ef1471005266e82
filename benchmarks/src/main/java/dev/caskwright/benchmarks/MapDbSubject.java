package dev.caskwright.benchmarks;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import org.mapdb.BTreeMap;
import org.mapdb.DB;
import org.mapdb.DBMaker;
import org.mapdb.Serializer;

/**
 * MapDB's tree for the bolt comparison. Its commits count only with its write-ahead log, which it is given where commits are
 * forced; otherwise it is set up as {@link MapDbStore} says, and commits promise nothing.
 */
final class MapDbSubject implements BoltSubject {
    private static final long ALLOCATE_BYTES = 64L << 20;

    private final DB database;
    private final BTreeMap<byte[], byte[]> map;

    MapDbSubject(Path directory, boolean forces) {
        DBMaker.Maker maker =
                DBMaker.fileDB(directory.resolve("store.mapdb").toFile()).fileMmapEnable();
        database = forces
                ? maker.transactionEnable().make()
                : maker.fileMmapPreclearDisable()
                        .cleanerHackEnable()
                        .allocateStartSize(ALLOCATE_BYTES)
                        .allocateIncrement(ALLOCATE_BYTES)
                        .make();
        map = database.treeMap("data", Serializer.BYTE_ARRAY, Serializer.BYTE_ARRAY)
                .createOrOpen();
    }

    @Override
    public void putAll(byte[][] keys, byte[][] values, int count) {
        for (int i = 0; i < count; i++) {
            map.put(keys[i].clone(), values[i]); // a node may keep the array
        }
        database.commit();
    }

    @Override
    public void putOne(byte[] key, byte[] value) {
        map.put(key.clone(), value);
        database.commit();
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
        return Objects.requireNonNull(map.get(key));
    }

    @Override
    public long scanInPlace() {
        return scanCopied(); // it has no other
    }

    @Override
    public long scanCopied() {
        long sum = 0;
        for (Iterator<Map.Entry<byte[], byte[]>> each = map.entryIterator(); each.hasNext(); ) {
            Map.Entry<byte[], byte[]> entry = each.next();
            sum += entry.getKey()[15] + entry.getValue()[0];
        }
        return sum;
    }

    @Override
    public void close() {
        database.close();
    }
}
