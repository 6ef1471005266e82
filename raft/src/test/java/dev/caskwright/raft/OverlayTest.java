package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Entry;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands see of the store when they look at all of it. */
final class OverlayTest {
    @TempDir
    private Path directory;

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static TreeSet<String> shown(Overlay overlay) throws IOException {
        TreeSet<String> all = new TreeSet<>();
        overlay.visit(entry -> {
            assertThat(entry.version()).isEqualTo(Entry.NO_VERSION);
            return assertThat(all.add(new String(entry.key(), UTF_8) + "=" + new String(entry.value(), UTF_8)))
                            .isTrue()
                    != null;
        });
        return all;
    }

    @Test
    void aVisitShowsTheStoreWithTheChangesOfTheEntrySoFar() throws Exception {
        try (BitcaskEngine store = BitcaskEngine.open(directory)) {
            store.put(Applied.key(), new byte[1]);
            for (String key : new String[] {"kept", "changed", "deleted", "forgotten"}) {
                store.put(bytes(key), bytes("before"));
            }
            Overlay overlay = new Overlay(store);
            overlay.begin(7, 1_000, 0);
            overlay.put(bytes("changed"), bytes("first"));
            overlay.put(bytes("new"), bytes("first"));
            overlay.put(bytes("brief"), bytes("first"), 1_000);
            overlay.keep(0);
            overlay.put(bytes("forgotten"), bytes("second"));
            overlay.forget();
            overlay.put(bytes("changed"), bytes("second"));
            overlay.delete(bytes("deleted"));
            assertThat(shown(overlay))
                    .containsExactly("changed=second", "forgotten=before", "kept=before", "new=first");

            int[] count = {0};
            overlay.visit(entry -> ++count[0] < 2);
            assertThat(count[0]).isEqualTo(2);
            // As FLUSHALL does.
            overlay.visit(entry -> overlay.delete(entry.key()));
            assertThat(shown(overlay)).isEmpty();
            assertThat(store.size()).isEqualTo(5);
        }
    }
}
