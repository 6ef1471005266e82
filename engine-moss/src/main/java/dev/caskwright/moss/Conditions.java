package dev.caskwright.moss;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.Probe;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes of the root collection that depend on what is there. The look and the write are one step: no other write comes
 * between.
 */
final class Conditions {
    private static final byte[] ROOT = KeySpace.prefix(0);
    private static final byte[] NOTHING = {};

    private final Store store;
    private final Writes writes;
    private final Function<WriteOptions, Durability> durability;

    Conditions(Store store, Writes writes, Function<WriteOptions, Durability> durability) {
        this.store = store;
        this.writes = writes;
        this.durability = durability;
    }

    /** Says whether the present entry is as the write needs it. */
    interface Condition {
        boolean holds(Probe present);
    }

    static Condition hasValue(byte[] expected) {
        byte[] copy = expected.clone();
        return present -> {
            byte[] source = present.source();
            int from = present.offset();
            return present.isPresent()
                    && source != null
                    && Arrays.equals(source, from, from + present.length(), copy, 0, copy.length);
        };
    }

    /** Writes a value, or deletes the key if it is null, if the condition holds; returns whether it did. */
    boolean write(byte[] key, byte @Nullable [] value, Condition condition, WriteOptions options) throws IOException {
        Writes.checkKey(key);
        byte[] whole = KeySpace.key(ROOT, key);
        byte[] stored = value == null ? NOTHING : value;
        Writes.checkValue(stored);
        store.settings.checkStored(whole.length, stored.length);
        int kind = value == null ? Kind.DELETE : Kind.PUT;
        long bytes = (long) whole.length + stored.length;
        return writes.write(bytes, value == null, durability.apply(options), operations -> {
                    if (!condition.holds(View.searchNow(store, whole))) {
                        return false;
                    }
                    operations.add(kind, whole, 0, whole.length, stored, 0, stored.length);
                    return true;
                })
                >= 0;
    }

    Transaction transaction() {
        return new OptimisticTransaction();
    }

    /**
     * Notes the version of each key that it reads, 0 for one that is absent, and compares all of them when it commits.
     */
    private final class OptimisticTransaction implements Transaction {
        private final Map<byte[], Long> read = new TreeMap<>(Arrays::compareUnsigned);
        private final Map<byte[], byte[]> changed = new TreeMap<>(Arrays::compareUnsigned);
        private boolean isCommitted;

        @Override
        public byte @Nullable [] get(byte[] key) throws IOException {
            Writes.checkKey(key);
            byte[] whole = KeySpace.key(ROOT, key);
            if (changed.containsKey(whole)) {
                byte[] value = changed.get(whole);
                return value == null ? null : value.clone();
            }
            Probe present = View.searchNow(store, whole);
            read.putIfAbsent(whole, versionOf(present));
            return present.value();
        }

        private long versionOf(Probe present) {
            return present.isPresent() ? present.version() : 0;
        }

        @Override
        public void put(byte[] key, byte[] value) {
            Writes.checkKey(key);
            Writes.checkValue(value);
            changed.put(KeySpace.key(ROOT, key), value.clone());
        }

        @Override
        public void put(byte[] key, byte[] value, WriteOptions expiry) {
            Expiries.refuse(expiry);
            put(key, value);
        }

        @Override
        public void delete(byte[] key) {
            Writes.checkKey(key);
            changed.put(KeySpace.key(ROOT, key), null);
        }

        @Override
        public boolean commit(WriteOptions options) throws IOException {
            if (isCommitted) {
                throw new IllegalStateException("transaction was committed before");
            }
            isCommitted = true;
            long bytes = 0;
            for (Map.Entry<byte[], byte[]> change : changed.entrySet()) {
                bytes += change.getKey().length + (change.getValue() == null ? 0 : change.getValue().length);
            }
            return writes.write(bytes, false, durability.apply(options), operations -> {
                        for (Map.Entry<byte[], Long> each : read.entrySet()) {
                            if (versionOf(View.searchNow(store, each.getKey())) != each.getValue()) {
                                return false;
                            }
                        }
                        changed.forEach((key, value) -> {
                            byte[] stored = value == null ? NOTHING : value;
                            int kind = value == null ? Kind.DELETE : Kind.PUT;
                            store.settings.checkStored(key.length, stored.length);
                            operations.add(kind, key, 0, key.length, stored, 0, stored.length);
                        });
                        return true;
                    })
                    >= 0;
        }
    }
}
