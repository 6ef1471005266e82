package dev.caskwright.examples.migration;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Copies the default column family of RocksDB into a new store. {@code caskwright import} does the same, and reads it back; a
 * program like this one can leave things out or change them on the way, as this one leaves out what has no value.
 *
 * <pre>
 * java ... FromRocksDb /var/lib/casks.rocksdb /var/lib/casks
 * </pre>
 */
public final class FromRocksDb {
    private static final int ENTRIES_AT_ONCE = 1_000;

    private FromRocksDb() {}

    /** Copies. Arguments: directory of RocksDB, directory of the new store. */
    public static void main(String[] arguments) throws IOException, RocksDBException {
        long copied = copy(Path.of(arguments[0]), Path.of(arguments[1]));
        System.out.println(copied + " entries copied");
    }

    static long copy(Path source, Path directory) throws IOException, RocksDBException {
        RocksDB.loadLibrary();
        try (Options options = new Options();
                RocksDB database = RocksDB.openReadOnly(options, source.toString());
                RocksIterator entries = database.newIterator();
                StorageEngine store = BitcaskEngine.open(directory)) {
            WriteBatch batch = new WriteBatch();
            for (entries.seekToFirst(); entries.isValid(); entries.next()) {
                if (entries.value().length > 0) {
                    batch.put(entries.key(), entries.value());
                }
                if (batch.size() == ENTRIES_AT_ONCE) {
                    store.write(batch);
                    batch.clear();
                }
            }
            entries.status(); // an iterator ends at an error as it does at the end
            store.write(batch);
            store.sync();
            return store.size();
        }
    }
}
