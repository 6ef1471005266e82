package dev.caskwright.bolt;

import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Collects changes, and commits them if what was read is as it was then: the same value, and not written again. */
final class OptimisticTransaction implements Transaction {
    private final BoltEngine engine;
    private final WriteBatch batch = new WriteBatch();
    private final Map<byte[], Change> changes = new TreeMap<>(Arrays::compareUnsigned);
    private final Map<byte[], Seen> seen = new TreeMap<>(Arrays::compareUnsigned);
    private boolean isCommitted;

    @SuppressWarnings("ArrayRecordComponent") // these are not compared
    private record Change(byte @Nullable [] value) {}

    @SuppressWarnings("ArrayRecordComponent") // these are not compared
    private record Seen(byte @Nullable [] value, long mark) {}

    OptimisticTransaction(BoltEngine engine) {
        this.engine = engine;
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        Change own = changes.get(key);
        if (own != null) {
            return own.value == null ? null : own.value.clone();
        }
        long mark = engine.marks().of(key); // first: a write that comes between the two counts as one that came later
        byte[] value = engine.get(key);
        seen.putIfAbsent(key.clone(), new Seen(value == null ? null : value.clone(), mark));
        return value;
    }

    @Override
    public void put(byte[] key, byte[] value) {
        put(key, value, WriteOptions.DEFAULT);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions expiry) {
        BucketView.checkKey(key);
        engine.checkOptions(expiry);
        batch.put(key, value);
        changes.put(key.clone(), new Change(value.clone()));
    }

    @Override
    public void delete(byte[] key) {
        BucketView.checkKey(key);
        batch.delete(key);
        changes.put(key.clone(), new Change(null));
    }

    @Override
    public boolean commit(WriteOptions options) throws IOException {
        if (isCommitted) {
            throw new IllegalStateException("the transaction was committed before: begin another one");
        }
        isCommitted = true;
        return engine.writeIf(this::isUnchanged, batch, options);
    }

    /** Returns whether all that was read is as it was. */
    private boolean isUnchanged(Bucket bucket) throws IOException {
        for (Map.Entry<byte[], Seen> each : seen.entrySet()) {
            byte[] then = each.getValue().value;
            byte[] now = bucket.get(each.getKey());
            if (!Arrays.equals(then, now)
                    || (now != null && engine.marks().of(each.getKey()) != each.getValue().mark)) {
                return false;
            }
        }
        return true;
    }
}
