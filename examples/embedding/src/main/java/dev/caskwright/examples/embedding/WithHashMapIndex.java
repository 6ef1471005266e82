package dev.caskwright.examples.embedding;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;

/** Bitcask as it is without options: keys in a hash map on the heap, plain file IO. The choice for most uses. */
public final class WithHashMapIndex {
    private WithHashMapIndex() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        byte[] cask = "cask:1".getBytes(UTF_8);
        try (StorageEngine store = BitcaskEngine.open(directory)) {
            store.put(cask, "oak".getBytes(UTF_8)); // survives kill -9
            WriteBatch batch = new WriteBatch();
            batch.put("cask:2".getBytes(UTF_8), "ash".getBytes(UTF_8)).put(cask, "oak, 1998".getBytes(UTF_8));
            store.write(batch, WriteOptions.SYNC); // all of it or nothing, and it survives a power loss
        }
        try (StorageEngine store = BitcaskEngine.open(directory)) {
            byte[] value = store.get(cask); // null if the key is absent
            System.out.println(new String(value, UTF_8) + " of " + store.size());
        }
    }
}
