package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A leader whose disk is full: it stops and says so, the others go on, and it comes back once there is room. */
final class RaftFullDiskTest {
    private static final Path FULL = Path.of("/dev/full");
    private static final int SEGMENTS = 200;

    @TempDir
    Path directory;

    @Test
    void aLeaderThatCannotWriteItsLogStopsAndComesBack() throws Exception {
        failAt(1, directory.resolve("nowhere").resolve("segment"), "log_inprogress_");
    }

    @Test
    @Tag("campaign")
    void aLeaderThatCannotWriteItsLogStopsAndTheOthersGoOn() throws Exception {
        failAt(3, directory.resolve("nowhere").resolve("segment"), "log_inprogress_");
    }

    @Test
    @Tag("campaign")
    void aLeaderThatRaftStopsByItselfSaysSo() throws Exception {
        assumeTrue(Files.exists(FULL), "a device that is always full is there");
        failAt(
                3,
                FULL,
                "raft has stopped the member"); // Ratis takes a segment that is there already for a fault of its own
    }

    @Test
    @Tag("campaign")
    void aFollowerThatCannotWriteItsLogStopsAndTheOthersGoOn() throws Exception {
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.snapshotEveryBytes(256 << 10).electionTimeout(Duration.ofMillis(700)));
            cluster.startAll();
            String leader = cluster.leaderId();
            cluster.engine(leader).put(bytes("key"), bytes("before"));
            String full = cluster.followerId();
            RaftNode follower = cluster.node(full);
            Path current = current(cluster.directory(full).resolve("log"));
            for (long i = follower.state().applied(); i < SEGMENTS; i++) {
                Path segment = current.resolve("log_inprogress_" + i);
                if (!Files.exists(segment)) {
                    Files.createSymbolicLink(
                            segment, directory.resolve("nowhere").resolve("segment"));
                }
            }
            for (int i = 0; i < SEGMENTS; i++) {
                cluster.engine(leader).put(bytes("key" + i % 10), new byte[16 << 10]);
            }
            Cluster.await("a failure", () -> follower.state().failure() != null);
            cluster.stop(full);
            try (DirectoryStream<Path> segments = Files.newDirectoryStream(current, Files::isSymbolicLink)) {
                for (Path segment : segments) {
                    Files.delete(segment);
                }
            }
            cluster.start(full);
            cluster.assertSameContent();
        }
    }

    private void failAt(int members, Path target, String message) throws Exception {
        try (Cluster cluster = new Cluster(directory, members)) {
            Duration timeout = Duration.ofMillis(members == 1 ? 200 : 700);
            cluster.options(options -> options.snapshotEveryBytes(256 << 10).electionTimeout(timeout));
            cluster.startAll();
            RaftNode leader = cluster.leader();
            String id = leader.self().id();
            cluster.engine(id).put(bytes("key"), bytes("before"));
            Path current = current(cluster.directory(id).resolve("log"));
            for (long i = leader.state().applied(); i < SEGMENTS; i++) {
                Path segment = current.resolve("log_inprogress_" + i);
                if (!Files.exists(segment)) { // the one that is being written stays
                    Files.createSymbolicLink(segment, target);
                }
            }
            try {
                for (int i = 0; i < SEGMENTS; i++) {
                    cluster.engine(id).put(bytes("key" + i % 10), new byte[16 << 10]);
                }
                throw new AssertionError("the log is not full");
            } catch (RaftException e) {
                assertThat(e.outcome()).isNotEqualTo(dev.caskwright.api.Outcome.APPLIED);
            }
            Cluster.await("a failure", () -> leader.state().failure() != null);
            assertThat(leader.state().failure()).hasStackTraceContaining(message);
            assertThat(leader.state().role()).isEqualTo(Role.STOPPED);
            cluster.nodes.remove(id);
            byte[] last = bytes(members == 1 ? "before" : "without it");
            if (members > 1) {
                cluster.engine(cluster.leaderId()).put(bytes("key"), last);
            }

            leader.close();
            try (DirectoryStream<Path> segments = Files.newDirectoryStream(current, Files::isSymbolicLink)) {
                for (Path segment : segments) {
                    Files.delete(segment);
                }
            }
            cluster.start(id);
            assertThat(cluster.engine(id).get(bytes("key"))).isEqualTo(last);
            cluster.assertSameContent();
        }
    }

    private static Path current(Path log) throws IOException {
        try (DirectoryStream<Path> groups = Files.newDirectoryStream(log)) {
            return groups.iterator().next().resolve("current");
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
