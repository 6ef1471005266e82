package dev.caskwright.examples.embedding;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Range;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.moss.MossBatch;
import dev.caskwright.moss.MossEngine;
import dev.caskwright.moss.MossIterator;
import dev.caskwright.moss.MossSnapshot;
import java.io.IOException;
import java.nio.file.Path;

/** Sorted layers in memory over files: fast writes in order, snapshots for nothing, deletes of whole ranges. */
public final class WithMoss {
    private WithMoss() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException {
        try (MossEngine store = MossEngine.builder(Path.of(arguments[0])).open()) {
            store.put("cask:1".getBytes(UTF_8), "oak".getBytes(UTF_8), WriteOptions.SYNC);
            store.put("cask:2".getBytes(UTF_8), "ash".getBytes(UTF_8));
            try (MossSnapshot before = store.snapshot()) {
                MossBatch batch = new MossBatch().deleteRange("cask:".getBytes(UTF_8), "cask;".getBytes(UTF_8));
                store.write(batch, WriteOptions.DEFAULT); // one record, whatever it deletes
                try (MossIterator entries = before.iterator(Range.prefix("cask:".getBytes(UTF_8)))) {
                    while (entries.next()) {
                        System.out.println(UTF_8.decode(entries.keyView()) + " " + UTF_8.decode(entries.valueView()));
                    }
                }
            }
            System.out.println(store.size() + " left");
        }
    }
}
