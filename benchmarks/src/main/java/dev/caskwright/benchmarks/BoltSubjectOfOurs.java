package dev.caskwright.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.bolt.BoltCursor;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.BoltTransaction;
import dev.caskwright.bolt.Bucket;
import dev.caskwright.bolt.ByteView;
import dev.caskwright.io.mmap.MmapIoManager;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Our bolt engine over mapped files, with its defaults. */
final class BoltSubjectOfOurs implements BoltSubject {
    /** The name of the file. */
    static final String FILE = "data.db";

    private static final byte[] BUCKET = "data".getBytes(UTF_8);
    private static final int PAGES_PER_COMMIT = 1_000;

    private final BoltDatabase database;

    BoltSubjectOfOurs(Path directory, boolean forces) throws IOException {
        database = BoltDatabase.builder(directory.resolve(FILE))
                .io(MmapIoManager::open)
                .forcesCommits(forces)
                .open();
        database.update(transaction -> transaction.createBucketIfNotExists(BUCKET));
    }

    @Override
    public void putAll(byte[][] keys, byte[][] values, int count) throws IOException {
        database.update(transaction -> {
            Bucket bucket = Objects.requireNonNull(transaction.bucket(BUCKET));
            for (int i = 0; i < count; i++) {
                bucket.put(keys[i], values[i]);
            }
        });
    }

    @Override
    public void putOne(byte[] key, byte[] value) throws IOException {
        database.update(transaction ->
                Objects.requireNonNull(transaction.bucket(BUCKET)).put(key, value));
    }

    @Override
    public void batchOne(byte[] key, byte[] value) throws IOException {
        database.batch(transaction ->
                Objects.requireNonNull(transaction.bucket(BUCKET)).put(key, value));
    }

    @Override
    public long getAll(byte[][] keys) throws IOException {
        return database.query(transaction -> {
            Bucket bucket = Objects.requireNonNull(transaction.bucket(BUCKET));
            long sum = 0;
            for (byte[] key : keys) {
                sum += Objects.requireNonNull(bucket.get(key))[0];
            }
            return sum;
        });
    }

    @Override
    public byte[] get(byte[] key) throws IOException {
        return database.query(transaction -> Objects.requireNonNull(
                Objects.requireNonNull(transaction.bucket(BUCKET)).get(key)));
    }

    @Override
    public long scanInPlace() throws IOException {
        return database.query(transaction -> {
            BoltCursor cursor =
                    Objects.requireNonNull(transaction.bucket(BUCKET)).cursor();
            long sum = 0;
            for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                ByteView key = cursor.keyView();
                ByteView value = Objects.requireNonNull(cursor.valueView());
                sum += key.length() + key.getLong(8) + value.length() + value.getLong(0);
            }
            return sum;
        });
    }

    @Override
    public long scanCopied() throws IOException {
        return database.query(transaction -> {
            BoltCursor cursor =
                    Objects.requireNonNull(transaction.bucket(BUCKET)).cursor();
            long sum = 0;
            for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                sum += cursor.key()[15] + Objects.requireNonNull(cursor.value())[0];
            }
            return sum;
        });
    }

    @Override
    public long size(Path directory) throws IOException {
        return database.query(BoltTransaction::size);
    }

    @Override
    public long forces() {
        return database.stats().forces();
    }

    /** Compacts in place, and returns the length of a compact copy of that, whose pages are full. */
    @Override
    public long compact(Path directory) throws IOException {
        database.compact(PAGES_PER_COMMIT);
        Path copy = directory.resolve("compact.db");
        database.compactTo(copy);
        return Files.size(copy);
    }

    @Override
    public Closeable holdReader() throws IOException {
        return database.beginRead()::close;
    }

    /** Returns the root page of the bucket. */
    long rootPage() throws IOException {
        return database.query(transaction ->
                Objects.requireNonNull(transaction.bucket(BUCKET)).root());
    }

    /** Returns how many pages were written so far. */
    long writtenPages() {
        return database.stats().writtenPages();
    }

    @Override
    public void close() throws IOException {
        database.close();
    }
}
