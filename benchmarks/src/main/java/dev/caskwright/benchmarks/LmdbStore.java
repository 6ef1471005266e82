package dev.caskwright.benchmarks;

import static org.lmdbjava.ByteBufferProxy.PROXY_OPTIMAL;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.GetOp;
import org.lmdbjava.Txn;

/**
 * LMDB through lmdbjava as its documentation recommends for speed: the fast buffer proxy, parameter checks off (the
 * benchmarks' JVMs set {@code lmdbjava.disable.checks}), direct buffers reused per thread, and one read transaction per
 * thread that is reset and renewed for each get. Every put is a transaction of its own, as for all contenders.
 *
 * <p>At WRITE it runs with {@code MDB_NOSYNC}, {@code MDB_WRITEMAP} and {@code MDB_MAPASYNC}: the data is in the shared
 * mapping when the transaction commits, so it survives kill -9; LMDB documents that after a power loss the database may be
 * corrupt. At SYNC it runs with its defaults, which force at every commit. {@code MDB_NORDAHEAD} is not set, since the data
 * fits in memory.
 */
final class LmdbStore implements KeyValueStore {
    private static final long MAP_SLACK_BYTES = 1L << 30;
    private static final int MAP_FACTOR = 5;
    private static final int MAX_READERS = 256;
    private static final int MAX_KEY_SIZE = 511;

    private final Env<ByteBuffer> environment;
    private final Dbi<ByteBuffer> database;
    private final List<Access> accesses = new ArrayList<>();
    private final ThreadLocal<Access> access = ThreadLocal.withInitial(this::newAccess);

    private LmdbStore(Env<ByteBuffer> environment) {
        this.environment = environment;
        this.database = environment.openDbi((byte[]) null, DbiFlags.MDB_CREATE);
    }

    static LmdbStore open(Path directory, StoreOptions options) throws IOException {
        Files.createDirectories(directory);
        // Only address space: the file grows as it is filled (with MDB_WRITEMAP it is sparse).
        Env.Builder<ByteBuffer> builder = Env.create(PROXY_OPTIMAL)
                .setMapSize(options.dataBytes() * MAP_FACTOR + MAP_SLACK_BYTES)
                .setMaxReaders(MAX_READERS)
                .setMaxDbs(1);
        EnvFlags[] flags = options.isSync()
                ? new EnvFlags[0]
                : new EnvFlags[] {EnvFlags.MDB_NOSYNC, EnvFlags.MDB_WRITEMAP, EnvFlags.MDB_MAPASYNC};
        return new LmdbStore(builder.open(directory.toFile(), flags));
    }

    /** What one thread reuses: buffers and a read transaction. */
    private static final class Access {
        final ByteBuffer key = ByteBuffer.allocateDirect(MAX_KEY_SIZE);
        final Txn<ByteBuffer> reader;

        Access(Txn<ByteBuffer> reader) {
            this.reader = reader;
        }

        ByteBuffer key(byte[] bytes) {
            return key.clear().put(bytes).flip();
        }
    }

    private Access newAccess() {
        Txn<ByteBuffer> reader = environment.txnRead();
        reader.reset();
        Access made = new Access(reader);
        synchronized (accesses) {
            accesses.add(made);
        }
        return made;
    }

    @Override
    public void put(byte[] key, byte[] value) {
        Access mine = access.get();
        try (Txn<ByteBuffer> transaction = environment.txnWrite()) {
            // Reserving lets the value be copied once, straight into its page.
            database.reserve(transaction, mine.key(key), value.length).put(value);
            transaction.commit();
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Access mine = access.get();
        mine.reader.renew();
        try {
            ByteBuffer found = database.get(mine.reader, mine.key(key));
            if (found == null) {
                return null;
            }
            byte[] value = new byte[found.remaining()];
            found.get(value);
            return value;
        } finally {
            mine.reader.reset();
        }
    }

    @Override
    public int getInto(byte[] key, ByteBuffer target) {
        Access mine = access.get();
        mine.reader.renew();
        try {
            ByteBuffer found = database.get(mine.reader, mine.key(key));
            if (found == null) {
                return ABSENT;
            }
            int length = found.remaining();
            target.put(found);
            return length;
        } finally {
            mine.reader.reset();
        }
    }

    @Override
    public void delete(byte[] key) {
        database.delete(access.get().key(key));
    }

    @Override
    public ScanTotals scan() {
        ScanTotals totals = new ScanTotals();
        try (Txn<ByteBuffer> transaction = environment.txnRead();
                Cursor<ByteBuffer> cursor = database.openCursor(transaction)) {
            for (boolean more = cursor.first(); more; more = cursor.next()) {
                totals.add(cursor.val());
            }
        }
        return totals;
    }

    @Override
    public ScanTotals range(byte[] from, int limit) {
        ScanTotals totals = new ScanTotals();
        Access mine = access.get();
        mine.reader.renew();
        try (Cursor<ByteBuffer> cursor = database.openCursor(mine.reader)) {
            boolean more = cursor.get(mine.key(from), GetOp.MDB_SET_RANGE);
            for (; more && totals.count() < limit; more = cursor.next()) {
                totals.add(cursor.val());
            }
        } finally {
            mine.reader.reset();
        }
        return totals;
    }

    @Override
    public boolean isOrdered() {
        return true;
    }

    @Override
    public void sync() {
        environment.sync(true);
    }

    @Override
    public void close() {
        synchronized (accesses) {
            for (Access each : accesses) {
                each.reader.close();
            }
            accesses.clear();
        }
        environment.close();
    }
}
