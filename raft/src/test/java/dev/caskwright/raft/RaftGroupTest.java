package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
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

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
