package dev.caskwright.it;

import dev.caskwright.api.Snapshot;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.io.mmap.MmapIoManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A short use of a store in every way that could leave something with a thread. */
final class SmallHeapUse {
    private SmallHeapUse() {}

    static void run(Path directory) throws IOException {
        byte[] key = "key".getBytes(StandardCharsets.UTF_8);
        try (BitcaskEngine engine =
                        BitcaskEngine.builder(directory).io(MmapIoManager::open).open();
                Snapshot snapshot = engine.snapshot()) {
            engine.put(key, new byte[100_000]);
            engine.get(key);
            snapshot.get(key);
            engine.visit(entry -> true);
            engine.merge();
        }
    }
}
