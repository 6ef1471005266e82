package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import jetbrains.exodus.ArrayByteIterable;
import jetbrains.exodus.ByteIterable;
import jetbrains.exodus.env.Cursor;
import jetbrains.exodus.env.Environment;
import jetbrains.exodus.env.EnvironmentConfig;
import jetbrains.exodus.env.Environments;
import jetbrains.exodus.env.Store;
import jetbrains.exodus.env.StoreConfig;
import jetbrains.exodus.env.Transaction;
import org.jspecify.annotations.Nullable;

/**
 * JetBrains Xodus with its defaults and a log cache of {@link StoreOptions#CACHE_BYTES}: a store without duplicates, with
 * key prefixing as its documentation recommends for random access, a read-only transaction per get and an exclusive one
 * per put. SYNC sets {@code exodus.log.durableWrite}.
 */
final class XodusStore implements KeyValueStore {
    private final Environment environment;
    private final Store store;

    private XodusStore(Environment environment) {
        this.environment = environment;
        this.store = environment.computeInTransaction(transaction ->
                environment.openStore("data", StoreConfig.WITHOUT_DUPLICATES_WITH_PREFIXING, transaction));
    }

    static XodusStore open(Path directory, StoreOptions options) throws IOException {
        Files.createDirectories(directory);
        EnvironmentConfig config =
                new EnvironmentConfig().setMemoryUsage(StoreOptions.CACHE_BYTES).setLogDurableWrite(options.isSync());
        return new XodusStore(Environments.newInstance(directory.toFile(), config));
    }

    @Override
    public void put(byte[] key, byte[] value) {
        environment.executeInExclusiveTransaction(transaction ->
                store.put(transaction, new ArrayByteIterable(key.clone()), new ArrayByteIterable(value.clone())));
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Transaction transaction = environment.beginReadonlyTransaction();
        try {
            ByteIterable value = store.get(transaction, new ArrayByteIterable(key));
            return value == null ? null : copy(value);
        } finally {
            transaction.abort();
        }
    }

    @Override
    public void delete(byte[] key) {
        environment.executeInExclusiveTransaction(
                transaction -> store.delete(transaction, new ArrayByteIterable(key.clone())));
    }

    @Override
    public ScanTotals scan() {
        ScanTotals totals = new ScanTotals();
        Transaction transaction = environment.beginReadonlyTransaction();
        try (Cursor cursor = store.openCursor(transaction)) {
            while (cursor.getNext()) {
                totals.add(copy(cursor.getValue()));
            }
        } finally {
            transaction.abort();
        }
        return totals;
    }

    @Override
    public ScanTotals range(byte[] from, int limit) {
        ScanTotals totals = new ScanTotals();
        Transaction transaction = environment.beginReadonlyTransaction();
        try (Cursor cursor = store.openCursor(transaction)) {
            boolean more = cursor.getSearchKeyRange(new ArrayByteIterable(from)) != null;
            for (; more && totals.count() < limit; more = cursor.getNext()) {
                totals.add(copy(cursor.getValue()));
            }
        } finally {
            transaction.abort();
        }
        return totals;
    }

    private static byte[] copy(ByteIterable bytes) {
        byte[] copy = new byte[bytes.getLength()];
        System.arraycopy(bytes.getBytesUnsafe(), 0, copy, 0, copy.length);
        return copy;
    }

    @Override
    public boolean isOrdered() {
        return true;
    }

    @Override
    public void sync() {
        throw new UnsupportedOperationException("Xodus forces per environment, not on demand");
    }

    @Override
    public void close() {
        environment.close();
    }
}
