package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store of a million revisions is opened with the same index, before and after a compaction. */
final class MillionRevisionsTest {
    private static final int REVISIONS = 1_000_000;
    private static final int KEYS = 200_000;

    @TempDir
    Path directory;

    @Test
    @Tag("campaign")
    void anIndexOfAMillionRevisionsIsMadeAnewAsItWas() throws IOException {
        Path file = directory.resolve("db");
        Random random = new Random(1);
        long revision;
        long keys;
        int hash;
        int halfHash;
        try (MvccStore store = MvccStore.open(file)) {
            for (int i = 0; i < REVISIONS; i++) {
                byte[] key = String.format("key%013d", random.nextInt(KEYS)).getBytes();
                if (random.nextInt(10) == 0) {
                    store.delete(key);
                } else {
                    store.put(key, new byte[100]);
                }
            }
            store.commit();
            revision = store.revision();
            keys = store.stats().keys();
            hash = store.hash(0).hash();
            halfHash = store.hash(revision / 2).hash();
        }
        try (MvccStore store = MvccStore.open(file)) {
            assertThat(store.revision()).isEqualTo(revision);
            assertThat(store.stats().keys()).isEqualTo(keys);
            assertThat(store.hash(0).hash()).isEqualTo(hash);
            assertThat(store.hash(revision / 2).hash()).isEqualTo(halfHash);
            store.compact(revision - 1_000);
            keys = store.stats().keys();
            hash = store.hash(0).hash();
        }
        try (MvccStore store = MvccStore.open(file)) {
            assertThat(store.revision()).isEqualTo(revision);
            assertThat(store.compactedRevision()).isEqualTo(revision - 1_000);
            assertThat(store.stats().keys()).isEqualTo(keys);
            assertThat(store.hash(0).hash()).isEqualTo(hash);
        }
    }
}
