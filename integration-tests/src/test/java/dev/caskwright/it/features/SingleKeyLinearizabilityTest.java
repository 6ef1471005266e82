package dev.caskwright.it.features;

import static dev.caskwright.it.features.LincheckStore.bytes;
import static dev.caskwright.it.features.LincheckStore.number;

import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Operations on single keys, of several threads and beside merges, checked for an order that explains their answers.
 * Batches have a test of their own, since single gets may see a part of one.
 */
@Param(name = "key", gen = IntGen.class, conf = "0:1")
@Param(name = "value", gen = IntGen.class, conf = "0:2")
public final class SingleKeyLinearizabilityTest {
    private final BitcaskEngine engine = LincheckStore.open();

    @Operation
    public Integer get(@Param(name = "key") int key) throws IOException {
        return number(engine.get(bytes(key)));
    }

    @Operation
    public boolean contains(@Param(name = "key") int key) throws IOException {
        return engine.contains(bytes(key));
    }

    @Operation
    public void put(@Param(name = "key") int key, @Param(name = "value") int value) throws IOException {
        engine.put(bytes(key), bytes(value));
    }

    @Operation
    public boolean delete(@Param(name = "key") int key) throws IOException {
        return engine.delete(bytes(key));
    }

    @Operation
    public boolean putIfAbsent(@Param(name = "key") int key, @Param(name = "value") int value) throws IOException {
        return engine.putIfAbsent(bytes(key), bytes(value), WriteOptions.DEFAULT);
    }

    @Operation
    public boolean replace(
            @Param(name = "key") int key, @Param(name = "value") int expected, @Param(name = "value") int value)
            throws IOException {
        return engine.replace(bytes(key), bytes(expected), bytes(value), WriteOptions.DEFAULT);
    }

    @Operation
    public boolean deleteIfEqual(@Param(name = "key") int key, @Param(name = "value") int expected) throws IOException {
        return engine.delete(bytes(key), bytes(expected), WriteOptions.DEFAULT);
    }

    /** Increments through a transaction, again until it commits. */
    @Operation
    public int increment(@Param(name = "key") int key) throws IOException {
        while (true) {
            Transaction transaction = engine.transaction();
            Integer present = number(transaction.get(bytes(key)));
            int next = present == null ? 1 : present + 1;
            transaction.put(bytes(key), bytes(next));
            if (transaction.commit(WriteOptions.DEFAULT)) {
                return next;
            }
        }
    }

    /** The same operations on a map, one at a time. */
    public static final class OneAtATime {
        private final Map<Integer, Integer> map = new TreeMap<>();

        public Integer get(int key) {
            return map.get(key);
        }

        public boolean contains(int key) {
            return map.containsKey(key);
        }

        public void put(int key, int value) {
            map.put(key, value);
        }

        public boolean delete(int key) {
            return map.remove(key) != null;
        }

        public boolean putIfAbsent(int key, int value) {
            return map.putIfAbsent(key, value) == null;
        }

        public boolean replace(int key, int expected, int value) {
            return map.replace(key, expected, value);
        }

        public boolean deleteIfEqual(int key, int expected) {
            return map.remove(key, expected);
        }

        public int increment(int key) {
            return map.merge(key, 1, Integer::sum);
        }

        public void merge() {}
    }

    /** Moves every record that counts to another file, and changes nothing that can be seen. */
    @Operation(nonParallelGroup = "merge")
    public void merge() throws IOException {
        engine.merge();
    }

    @Test
    void singleOperationsHaveAnOrder() {
        check(8, 100);
    }

    @Test
    @Tag("campaign")
    void manySingleOperationsHaveAnOrder() {
        check(200, 500);
    }

    private static void check(int iterations, int invocations) {
        new StressOptions()
                .iterations(iterations)
                .invocationsPerIteration(invocations)
                .threads(2)
                .actorsPerThread(4)
                .sequentialSpecification(OneAtATime.class)
                .check(SingleKeyLinearizabilityTest.class);
    }
}
