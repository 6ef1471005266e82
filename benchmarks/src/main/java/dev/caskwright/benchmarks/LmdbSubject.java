package dev.caskwright.benchmarks;

import static org.lmdbjava.ByteBufferProxy.PROXY_OPTIMAL;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.Txn;

/** LMDB for the bolt comparison, set up as {@link LmdbStore} says. */
final class LmdbSubject implements BoltSubject {
    private static final long MAP_SLACK_BYTES = 1L << 30;
    private static final int MAP_FACTOR = 8;
    private static final int KEY_LENGTH = 16;

    private final Env<ByteBuffer> environment;
    private final Dbi<ByteBuffer> database;
    private final ThreadLocal<ByteBuffer> keyBuffer =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(KEY_LENGTH));
    private final Txn<ByteBuffer> reader;

    LmdbSubject(Path directory, boolean forces, long dataBytes) {
        EnvFlags[] flags = forces
                ? new EnvFlags[0]
                : new EnvFlags[] {EnvFlags.MDB_NOSYNC, EnvFlags.MDB_WRITEMAP, EnvFlags.MDB_MAPASYNC};
        environment = Env.create(PROXY_OPTIMAL)
                .setMapSize(dataBytes * MAP_FACTOR + MAP_SLACK_BYTES)
                .setMaxReaders(256)
                .setMaxDbs(1)
                .open(directory.toFile(), flags);
        database = environment.openDbi((byte[]) null, DbiFlags.MDB_CREATE);
        reader = environment.txnRead();
        reader.reset();
    }

    private ByteBuffer buffer(byte[] key) {
        return keyBuffer.get().clear().put(key).flip();
    }

    @Override
    public void putAll(byte[][] keys, byte[][] values, int count) {
        try (Txn<ByteBuffer> transaction = environment.txnWrite()) {
            for (int i = 0; i < count; i++) {
                database.reserve(transaction, buffer(keys[i]), values[i].length).put(values[i]);
            }
            transaction.commit();
        }
    }

    @Override
    public void putOne(byte[] key, byte[] value) {
        try (Txn<ByteBuffer> transaction = environment.txnWrite()) {
            database.reserve(transaction, buffer(key), value.length).put(value);
            transaction.commit();
        }
    }

    @Override
    public long getAll(byte[][] keys) {
        long sum = 0;
        try (Txn<ByteBuffer> transaction = environment.txnRead()) {
            for (byte[] key : keys) {
                sum += copy(database.get(transaction, buffer(key)))[0];
            }
        }
        return sum;
    }

    @Override
    public byte[] get(byte[] key) {
        reader.renew();
        try {
            return copy(database.get(reader, buffer(key)));
        } finally {
            reader.reset();
        }
    }

    private static byte[] copy(ByteBuffer found) {
        ByteBuffer there = Objects.requireNonNull(found);
        byte[] copy = new byte[there.remaining()];
        there.get(copy);
        return copy;
    }

    @Override
    public long scanInPlace() {
        long sum = 0;
        try (Txn<ByteBuffer> transaction = environment.txnRead();
                Cursor<ByteBuffer> cursor = database.openCursor(transaction)) {
            for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                ByteBuffer key = cursor.key();
                ByteBuffer value = cursor.val();
                sum += key.remaining() + key.getLong(8) + value.remaining() + value.getLong(0);
            }
        }
        return sum;
    }

    @Override
    public long scanCopied() {
        long sum = 0;
        try (Txn<ByteBuffer> transaction = environment.txnRead();
                Cursor<ByteBuffer> cursor = database.openCursor(transaction)) {
            for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                sum += copy(cursor.key())[15] + copy(cursor.val())[0];
            }
        }
        return sum;
    }

    @Override
    public Closeable holdReader() {
        return environment.txnRead()::close;
    }

    @Override
    public void close() throws IOException {
        reader.close();
        environment.close();
    }
}
