package dev.caskwright.it;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.index.compact.CompactKeyIndex;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.index.sorted.SortedKeyIndex;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The program that {@link FullIndexTest} runs with little memory: puts new keys until there is none left for the index,
 * prints how many were put and what the error said, and ends without closing.
 */
final class FullIndexWriter {
    private static final int CHECKED = 997;

    private FullIndexWriter() {}

    /** Arguments: directory and index. */
    public static void main(String[] args) throws IOException {
        StorageEngine engine = builder(Path.of(args[0]), args[1]).open();
        int written = 0;
        try {
            while (true) {
                engine.put(key(written), value(written));
                written++;
            }
        } catch (IndexMemoryException e) {
            System.out.println(written);
            System.out.println(e.getMessage());
            System.out.println(e.outcome());
        }
        for (int i = 0; i < written; i += i + CHECKED < written ? CHECKED : 1) {
            if (!Arrays.equals(engine.get(key(i)), value(i))) {
                throw new IllegalStateException("a key is not found with a full index: number=" + i);
            }
        }
        if (engine.get(key(written)) != null) {
            throw new IllegalStateException("the put that was refused is seen");
        }
        System.out.println(engine.health());
        System.out.println(refusal(engine, written));
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static String refusal(StorageEngine engine, int number) throws IOException {
        try {
            engine.put(key(number), value(number));
            return "taken";
        } catch (EngineException e) {
            return e.code().toString();
        }
    }

    static EngineBuilder builder(Path directory, String index) {
        return BitcaskEngine.builder(directory)
                .index(
                        switch (index) {
                            case "compact" -> CompactKeyIndex::new;
                            case "btree" -> context -> new BTreeKeyIndex();
                            case "sorted" -> SortedKeyIndex::new;
                            default -> HashKeyIndex::new;
                        })
                .maxFileBytes(1 << 20)
                // Files are sealed by the writer: those that wait for that take heap, too.
                .executor(Runnable::run);
    }

    static byte[] key(int number) {
        return ByteBuffer.allocate(16)
                .putLong(number * 0x9E3779B97F4A7C15L)
                .putLong(number)
                .array();
    }

    static byte[] value(int number) {
        return ByteBuffer.allocate(8).putLong(~number).array();
    }
}
