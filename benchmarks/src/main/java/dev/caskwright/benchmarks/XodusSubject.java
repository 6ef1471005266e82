package dev.caskwright.benchmarks;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import jetbrains.exodus.ArrayByteIterable;
import jetbrains.exodus.ByteIterable;
import jetbrains.exodus.env.Cursor;
import jetbrains.exodus.env.Environment;
import jetbrains.exodus.env.EnvironmentConfig;
import jetbrains.exodus.env.Environments;
import jetbrains.exodus.env.Store;
import jetbrains.exodus.env.StoreConfig;
import jetbrains.exodus.env.Transaction;

/** JetBrains Xodus for the bolt comparison, set up as {@link XodusStore} says. */
final class XodusSubject implements BoltSubject {
    private final Environment environment;
    private final Store store;

    XodusSubject(Path directory, boolean forces) {
        environment = Environments.newInstance(
                directory.toFile(),
                new EnvironmentConfig().setMemoryUsage(StoreOptions.CACHE_BYTES).setLogDurableWrite(forces));
        store = environment.computeInTransaction(transaction ->
                environment.openStore("data", StoreConfig.WITHOUT_DUPLICATES_WITH_PREFIXING, transaction));
    }

    @Override
    public void putAll(byte[][] keys, byte[][] values, int count) {
        environment.executeInExclusiveTransaction(transaction -> {
            for (int i = 0; i < count; i++) {
                store.put(transaction, new ArrayByteIterable(keys[i]), new ArrayByteIterable(values[i]));
            }
        });
    }

    @Override
    public void putOne(byte[] key, byte[] value) {
        environment.executeInExclusiveTransaction(
                transaction -> store.put(transaction, new ArrayByteIterable(key), new ArrayByteIterable(value)));
    }

    @Override
    public long getAll(byte[][] keys) {
        Transaction transaction = environment.beginReadonlyTransaction();
        try {
            long sum = 0;
            for (byte[] key : keys) {
                sum += copy(Objects.requireNonNull(store.get(transaction, new ArrayByteIterable(key))))[0];
            }
            return sum;
        } finally {
            transaction.abort();
        }
    }

    @Override
    public byte[] get(byte[] key) {
        Transaction transaction = environment.beginReadonlyTransaction();
        try {
            return copy(Objects.requireNonNull(store.get(transaction, new ArrayByteIterable(key))));
        } finally {
            transaction.abort();
        }
    }

    private static byte[] copy(ByteIterable bytes) {
        return Arrays.copyOf(bytes.getBytesUnsafe(), bytes.getLength());
    }

    @Override
    public long scanInPlace() {
        Transaction transaction = environment.beginReadonlyTransaction();
        try (Cursor cursor = store.openCursor(transaction)) {
            long sum = 0;
            while (cursor.getNext()) {
                sum += cursor.getKey().getLength() + cursor.getValue().getLength();
            }
            return sum;
        } finally {
            transaction.abort();
        }
    }

    @Override
    public long scanCopied() {
        Transaction transaction = environment.beginReadonlyTransaction();
        try (Cursor cursor = store.openCursor(transaction)) {
            long sum = 0;
            while (cursor.getNext()) {
                sum += copy(cursor.getKey())[15] + copy(cursor.getValue())[0];
            }
            return sum;
        } finally {
            transaction.abort();
        }
    }

    @Override
    public void close() {
        environment.close();
    }
}
