package dev.caskwright.examples.embedding;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.TypedStore;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.offheap.OffHeapKeyIndex;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Bitcask over Chronicle Map: whole keys outside the heap, which the garbage collector never sees. The JVM needs the flags
 * that stand in this project's POM; without them the error names them.
 */
public final class WithOffHeapIndex {
    private WithOffHeapIndex() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException {
        try (StorageEngine store = BitcaskEngine.builder(Path.of(arguments[0]))
                .index(OffHeapKeyIndex::new)
                .open()) {
            TypedStore<Long, String> casks = store.as(Codecs.LONG, Codecs.STRING);
            casks.put(1L, "oak");
            casks.put(2L, "ash");
            casks.delete(1L);
            System.out.println(casks.get(1L) + " " + casks.get(2L));
        }
    }
}
