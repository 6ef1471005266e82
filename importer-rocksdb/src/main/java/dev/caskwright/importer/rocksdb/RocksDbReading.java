package dev.caskwright.importer.rocksdb;

import dev.caskwright.importer.Parts;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.Logger;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;

/** Reads one column family of a store, opened read-only and without a log of its own, so that the directory stays as it is. */
final class RocksDbReading {
    private static final String DEFAULT = "default";
    private static final int TIME_BYTES = 4;
    private static final long MILLIS_PER_SECOND = 1_000;

    /** RocksDB would open all tables at once; where a process may have 1,024 files, a store of more could not be read. */
    private static final int MOST_OPEN_FILES = 256;

    private RocksDbReading() {}

    static void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        if (!Files.isRegularFile(source.resolve("CURRENT"))) {
            throw new IOException("no store of RocksDB, there is no file CURRENT: " + source);
        }
        load();
        try (DBOptions opening = new DBOptions();
                Logger silent = new Logger(InfoLogLevel.HEADER_LEVEL) {
                    @Override
                    protected void log(InfoLogLevel level, String message) {
                        // What matters comes as an exception.
                    }
                }) {
            // A torn tail of the log of changes is normal after a crash; damage anywhere else ends the opening.
            opening.setCreateIfMissing(false)
                    .setParanoidChecks(true)
                    .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
                    .setMaxOpenFiles(MOST_OPEN_FILES)
                    .setLogger(silent);
            read(source, opening, options, receiver);
        } catch (RocksDBException e) {
            throw new IOException("the store cannot be opened: " + e.getMessage() + ": " + source, e);
        }
    }

    private static void load() throws IOException {
        try {
            RocksDB.loadLibrary();
        } catch (RuntimeException e) {
            // What RocksDB makes of a temporary directory that is full, or may not be written to.
            throw new IOException("the library of RocksDB cannot be loaded: " + e + ", cause=" + e.getCause(), e);
        }
    }

    private static void read(Path source, DBOptions opening, ReadOptions options, Receiver receiver)
            throws IOException, RocksDBException {
        List<ColumnFamilyDescriptor> families = new ArrayList<>();
        Map<String, Integer> places = new LinkedHashMap<>();
        try (Options plain = new Options()) {
            for (byte[] name : RocksDB.listColumnFamilies(plain, source.toString())) {
                places.put(Parts.name(name), families.size());
                families.add(new ColumnFamilyDescriptor(name));
            }
        }
        boolean isDefault = options.part() == null && places.containsKey(DEFAULT);
        String part = isDefault ? DEFAULT : Parts.choose(options, places.keySet(), "column family");
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try (RocksDB store = RocksDB.openReadOnly(opening, source.toString(), families, handles);
                org.rocksdb.ReadOptions reading = new org.rocksdb.ReadOptions()
                        .setVerifyChecksums(true)
                        .setFillCache(false)
                        .setTotalOrderSeek(true)) {
            Integer place = places.get(part);
            if (place == null) {
                throw new IOException("no column family " + part + ": " + source);
            }
            try (RocksIterator entries = store.newIterator(handles.get(place), reading)) {
                tell(source, entries, options.expireAfterSeconds(), receiver);
            }
            if (isDefault && places.size() > 1) {
                receiver.skipped("column families other than " + DEFAULT, places.size() - 1);
            }
        } finally {
            handles.forEach(ColumnFamilyHandle::close);
        }
    }

    private static void tell(Path source, RocksIterator entries, long expireAfterSeconds, Receiver receiver)
            throws IOException {
        for (entries.seekToFirst(); entries.isValid(); entries.next()) {
            byte[] value = entries.value();
            if (expireAfterSeconds == 0) {
                receiver.entry(entries.key(), value, Receiver.NEVER);
            } else if (value.length < TIME_BYTES) {
                receiver.damage(
                        source, Receiver.SOMEWHERE, "a value is shorter than the time that TtlDB notes after it");
            } else {
                int at = value.length - TIME_BYTES;
                long seconds =
                        ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
                receiver.entry(entries.key(), Arrays.copyOf(value, at), after(seconds, expireAfterSeconds));
            }
        }
        try {
            entries.status();
        } catch (RocksDBException e) {
            Status status = e.getStatus();
            if (status == null || status.getCode() != Status.Code.Corruption) {
                throw new IOException("the store cannot be read to its end: " + e.getMessage() + ": " + source, e);
            }
            receiver.damage(source, Receiver.SOMEWHERE, "the rest is left out, " + e.getMessage());
        }
    }

    private static long after(long seconds, long expireAfterSeconds) {
        long last = Receiver.NEVER / MILLIS_PER_SECOND - 1;
        return expireAfterSeconds >= last - seconds
                ? Receiver.NEVER
                : (seconds + expireAfterSeconds) * MILLIS_PER_SECOND;
    }
}
