package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A group of three: what it keeps, and who may be lost. */
final class RaftGroupTest {
    @TempDir
    Path directory;

    @Test
    void aWriteAtAnyMemberIsReadAtAnyMember() throws IOException {
        try (Cluster cluster = new Cluster(directory, 3).startAll()) {
            for (String writer : cluster.nodes.keySet()) {
                cluster.engine(writer).put(bytes(writer), bytes("by " + writer));
                for (String reader : cluster.nodes.keySet()) {
                    assertThat(cluster.engine(reader).get(bytes(writer)))
                            .describedAs("written at %s, read at %s", writer, reader)
                            .isEqualTo(bytes("by " + writer));
                }
            }
        }
    }

    @Test
    void aMemberWhoseStoreIsOfAnotherHistoryStopsAndSaysSo() throws IOException {
        try (Cluster cluster = new Cluster(directory, 1)) {
            cluster.options(options -> options.electionTimeout(Duration.ofMillis(200)));
            cluster.start("n1");
            cluster.engine("n1").put(bytes("key"), bytes("1"));
            cluster.stop("n1");
            try (BitcaskEngine store =
                    BitcaskEngine.open(cluster.directory("n1").resolve("store"))) {
                Applied own = Applied.read(store);
                Applied other =
                        new Applied(own.group(), own.term() - 1, own.index(), own.timeMillis(), own.greatestExpiry());
                store.put(Applied.key(), other.toBytes());
            }
            RaftNode node = cluster.start("n1");
            assertThatThrownBy(() -> cluster.engine("n1").put(bytes("key"), bytes("2")))
                    .isInstanceOf(RaftException.class);
            assertThat(node.state().failure()).hasMessageContaining("this member was part of another history");
            assertThat(node.state().role()).isEqualTo(Role.STOPPED);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
