package dev.caskwright.examples.embedding;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.Durability;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.TypedStore;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.compact.CompactKeyIndex;
import dev.caskwright.io.mmap.MmapIoManager;
import java.io.IOException;
import java.nio.file.Path;

/** Bitcask over the compact index: 12 bytes a key outside the heap, whatever its length. For very many keys or long ones. */
public final class WithCompactIndex {
    private static final int CASKS = 10_000;

    private WithCompactIndex() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException {
        try (StorageEngine store = BitcaskEngine.builder(Path.of(arguments[0]))
                .index(CompactKeyIndex::new)
                .expectedKeys(CASKS, 40) // room from the start, so that a load need not grow the index
                .io(MmapIoManager::open) // mapped memory: a lookup compares with the key in the file
                .durability(Durability.NONE) // of a load that would begin anew after a crash ...
                .open()) {
            TypedStore<String, String> casks = store.as(Codecs.STRING, Codecs.STRING);
            for (int i = 0; i < CASKS; i++) {
                casks.put(name(i), "oak");
            }
            store.sync(); // ... and survives everything from here on
            System.out.println(store.size() + " casks, the last of " + casks.get(name(CASKS - 1)));
        }
    }

    private static String name(int cask) {
        return "a cask with a name of some forty bytes " + cask;
    }
}
