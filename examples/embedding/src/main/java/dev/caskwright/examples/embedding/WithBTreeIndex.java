package dev.caskwright.examples.embedding;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.TypedStore;
import dev.caskwright.api.TypedView.Pair;
import dev.caskwright.api.TypedView.PairCursor;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import java.io.IOException;
import java.nio.file.Path;

/** Bitcask over a B-tree: keys in order, and so ranges, prefixes and cursors in both directions. */
public final class WithBTreeIndex {
    private WithBTreeIndex() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException {
        try (StorageEngine store = BitcaskEngine.builder(Path.of(arguments[0]))
                .index(BTreeKeyIndex::new)
                .open()) {
            TypedStore<String, String> casks = store.as(Codecs.STRING, Codecs.STRING);
            casks.put("elm", "2011");
            casks.put("ash", "2004");
            casks.put("oak", "1998");
            try (PairCursor<String, String> latest = casks.range("b", null, true)) { // from the last one down to "b"
                for (Pair<String, String> cask = latest.next(); cask != null; cask = latest.next()) {
                    System.out.println(cask.key() + " " + cask.value());
                }
            }
        }
    }
}
