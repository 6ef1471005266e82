package dev.caskwright.bitcask.write;

import dev.caskwright.api.Entry;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.read.Reads;
import dev.caskwright.bitcask.store.Limits;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Remembers the version of every key it reads, 0 for an absent one, and commits only if they are the same. */
public final class OptimisticTransaction implements Transaction {
    private final Reads reads;
    private final Writes writes;
    private final WriteBatch batch = new WriteBatch();
    private final Map<byte[], WriteBatch.Change> own = new TreeMap<>(Arrays::compareUnsigned);
    private final Map<byte[], Long> read = new TreeMap<>(Arrays::compareUnsigned);
    private boolean ended;

    public OptimisticTransaction(Reads reads, Writes writes) {
        this.reads = reads;
        this.writes = writes;
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        byte[] copy = key.clone(); // the caller may change its array meanwhile
        WriteBatch.Change change = own.get(copy);
        if (change != null) {
            byte[] value = change.value();
            return value == null ? null : value.clone();
        }
        Entry entry = reads.entry(copy, null);
        // The first version read counts: a second read that differs makes the commit fail, as it should.
        read.putIfAbsent(copy, entry == null ? 0L : entry.version());
        return entry == null ? null : entry.value();
    }

    @Override
    public void put(byte[] key, byte[] value) {
        put(key, value, WriteOptions.DEFAULT);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions expiry) {
        Limits.checkKey(key);
        Limits.checkValue(value);
        byte[] copy = key.clone();
        byte[] valueCopy = value.clone();
        batch.put(copy, valueCopy, expiry);
        own.put(copy, new WriteBatch.Change(copy, valueCopy, expiry));
    }

    @Override
    public void delete(byte[] key) {
        Limits.checkKey(key);
        byte[] copy = key.clone();
        batch.delete(copy);
        own.put(copy, new WriteBatch.Change(copy, null, WriteOptions.DEFAULT));
    }

    @Override
    public boolean commit(WriteOptions options) throws IOException {
        if (ended) {
            throw new IllegalStateException("the transaction was committed before: start a new one");
        }
        ended = true;
        return writes.writeIf(batch, options, read);
    }
}
