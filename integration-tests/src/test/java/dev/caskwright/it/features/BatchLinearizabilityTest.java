package dev.caskwright.it.features;

import static dev.caskwright.it.features.LincheckStore.bytes;
import static dev.caskwright.it.features.LincheckStore.number;

import dev.caskwright.api.Snapshot;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.util.AbstractMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Batches and transactions of two keys as one write, and snapshots as one read, beside single writes and merges. */
@Param(name = "key", gen = IntGen.class, conf = "0:1")
@Param(name = "value", gen = IntGen.class, conf = "0:9")
public final class BatchLinearizabilityTest {
    private final BitcaskEngine engine = LincheckStore.open();

    @Operation
    public void put(@Param(name = "key") int key, @Param(name = "value") int value) throws IOException {
        engine.put(bytes(key), bytes(value));
    }

    @Operation
    public boolean delete(@Param(name = "key") int key) throws IOException {
        return engine.delete(bytes(key));
    }

    @Operation
    public void putBoth(@Param(name = "value") int one, @Param(name = "value") int other) throws IOException {
        WriteBatch batch = new WriteBatch().put(bytes(0), bytes(one)).put(bytes(1), bytes(other));
        engine.write(batch, WriteOptions.DEFAULT);
    }

    @Operation
    public void putOneDeleteTheOther(@Param(name = "key") int key, @Param(name = "value") int value)
            throws IOException {
        WriteBatch batch = new WriteBatch().put(bytes(key), bytes(value)).delete(bytes(1 - key));
        engine.write(batch, WriteOptions.DEFAULT);
    }

    @Operation
    public String readBoth() throws IOException {
        try (Snapshot snapshot = engine.snapshot()) {
            return number(snapshot.get(bytes(0))) + " " + number(snapshot.get(bytes(1)));
        }
    }

    @Operation
    public String visitBoth() throws IOException {
        Map<Integer, Integer> found = new TreeMap<>();
        engine.visit(entry -> {
            found.put(number(entry.key()), number(entry.value()));
            return true;
        });
        return found.get(0) + " " + found.get(1);
    }

    /** Exchanges the values of the two keys in a transaction, again until it commits. */
    @Operation
    public String exchange() throws IOException {
        while (true) {
            Transaction transaction = engine.transaction();
            byte[] one = transaction.get(bytes(0));
            byte[] other = transaction.get(bytes(1));
            set(transaction, 0, other);
            set(transaction, 1, one);
            if (transaction.commit(WriteOptions.DEFAULT)) {
                return number(one) + " " + number(other);
            }
        }
    }

    private static void set(Transaction transaction, int key, byte[] value) {
        if (value == null) {
            transaction.delete(bytes(key));
        } else {
            transaction.put(bytes(key), value);
        }
    }

    @Operation(nonParallelGroup = "merge")
    public void merge() throws IOException {
        engine.merge();
    }

    /** The same operations on a map, one at a time. */
    public static final class OneAtATime {
        private final Map<Integer, Integer> map = new TreeMap<>();

        public void put(int key, int value) {
            map.put(key, value);
        }

        public boolean delete(int key) {
            return map.remove(key) != null;
        }

        public void putBoth(int one, int other) {
            map.put(0, one);
            map.put(1, other);
        }

        public void putOneDeleteTheOther(int key, int value) {
            map.put(key, value);
            map.remove(1 - key);
        }

        public String readBoth() {
            return map.get(0) + " " + map.get(1);
        }

        public String visitBoth() {
            return readBoth();
        }

        public String exchange() {
            String before = readBoth();
            Integer one = map.get(0);
            Integer other = map.get(1);
            for (Map.Entry<Integer, Integer> change : List.of(entry(0, other), entry(1, one))) {
                if (change.getValue() == null) {
                    map.remove(change.getKey());
                } else {
                    map.put(change.getKey(), change.getValue());
                }
            }
            return before;
        }

        private static Map.Entry<Integer, Integer> entry(Integer key, Integer value) {
            return new AbstractMap.SimpleEntry<>(key, value);
        }

        public void merge() {}
    }

    @Test
    void batchesHaveAnOrder() {
        check(5, 100);
    }

    @Test
    @Tag("campaign")
    void manyBatchesHaveAnOrder() {
        check(200, 500);
    }

    private static void check(int iterations, int invocations) {
        new StressOptions()
                .iterations(iterations)
                .invocationsPerIteration(invocations)
                .threads(2)
                .actorsPerThread(4)
                .sequentialSpecification(OneAtATime.class)
                .check(BatchLinearizabilityTest.class);
    }
}
