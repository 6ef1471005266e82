package dev.caskwright.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.Durability;
import dev.caskwright.api.ReadView;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.index.sorted.SortedKeyIndex;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/** A source and the directory of a replica. */
abstract class ReplicaFixture {
    @TempDir
    Path temporary;

    final ManualClock clock = new ManualClock();

    Path sourceDirectory() {
        return temporary.resolve("source");
    }

    Path directory() {
        return temporary.resolve("replica");
    }

    EngineBuilder sourceBuilder() {
        return BitcaskEngine.builder(sourceDirectory())
                .clock(clock)
                .maxFileBytes(4_000)
                .autoMerge(false)
                .durability(Durability.WRITE);
    }

    ReplicaBuilder replica(ReplicaSource source) {
        return ReadReplica.builder(directory(), source)
                .store(copy -> small(copy).open());
    }

    EngineBuilder small(Path copy) {
        return BitcaskEngine.builder(copy).clock(clock).maxFileBytes(4_000).index(SortedKeyIndex::new);
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    static void put(BitcaskEngine store, String key, String value) throws IOException {
        store.put(bytes(key), bytes(value));
    }

    static Map<String, String> content(ReadView store) throws IOException {
        Map<String, String> content = new TreeMap<>();
        store.visit(entry -> {
            assertThat(content.put(new String(entry.key(), UTF_8), new String(entry.value(), UTF_8)))
                    .isNull();
            return true;
        });
        return content;
    }

    /** Writes over a few keys and merges, so that the feed does not reach back any more. */
    static void dropChanges(BitcaskEngine source, String value) throws IOException {
        for (int i = 0; i < 300; i++) {
            put(source, "filler" + i % 5, value + i);
        }
        source.merge();
    }

    static void assertSame(ReadReplica replica, BitcaskEngine source) throws IOException {
        Moment reached = replica.catchUp();
        assertThat(reached).isEqualTo(source.moment());
        assertThat(content(replica.store())).isEqualTo(content(source));
    }

    long copiesOnDisk() throws IOException {
        try (Stream<Path> files = Files.list(directory())) {
            return files.filter(file -> file.getFileName().toString().startsWith("copy-"))
                    .count();
        }
    }
}
