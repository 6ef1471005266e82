package dev.caskwright.examples.embedding;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Range;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.sorted.SortedKeyIndex;
import java.io.IOException;
import java.nio.file.Path;

/** Bitcask over an index in order of the keys: all that begins alike is found together. */
public final class WithSortedIndex {
    private WithSortedIndex() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException {
        try (BitcaskEngine store = BitcaskEngine.builder(Path.of(arguments[0]))
                .index(SortedKeyIndex::new)
                .open()) {
            store.put("oak:2".getBytes(UTF_8), "full".getBytes(UTF_8));
            store.put("elm:1".getBytes(UTF_8), "full".getBytes(UTF_8));
            store.put("oak:1".getBytes(UTF_8), "empty".getBytes(UTF_8));
            try (Cursor oaks = store.ordered().range(Range.prefix("oak:".getBytes(UTF_8)))) {
                for (Entry cask = oaks.next(); cask != null; cask = oaks.next()) {
                    System.out.println(new String(cask.key(), UTF_8) + " " + new String(cask.value(), UTF_8));
                }
            }
        }
    }
}
