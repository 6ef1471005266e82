package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A leader that is cut off: it answers nothing that is not so. */
final class RaftPartitionTest {
    @TempDir
    Path directory;

    @Test
    void aLeaderThatIsCutOffNeitherAcknowledgesNorReadsStale() throws IOException {
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.requestTimeout(Duration.ofSeconds(8)));
            cluster.startAll();
            RaftNode old = cluster.leader();
            cluster.engine(old.self().id()).put(bytes("key"), bytes("before"));
            cluster.isolate(old.self().id());
            RaftNode next = nextLeader(cluster, old);
            new ReplicatedEngine(next).put(bytes("key"), bytes("after"));
            CompletableFuture<Outcome> read = // both wait for as long as they may
                    CompletableFuture.supplyAsync(() -> outcome(() -> new ReplicatedEngine(old).get(bytes("key"))));
            assertThat(outcome(() -> new ReplicatedEngine(old).put(bytes("key"), bytes("lost"))))
                    .isIn(Outcome.NOT_APPLIED, Outcome.UNKNOWN);
            assertThat(read.join()).isEqualTo(Outcome.NOT_APPLIED);
            assertThat(old.store().get(bytes("key")))
                    .describedAs("what the store shows without a barrier")
                    .isEqualTo(bytes("before"));
            cluster.heal();
            assertThat(new ReplicatedEngine(old).get(bytes("key"))).isEqualTo(bytes("after"));
            cluster.assertSameContent();
        }
    }

    @Test
    void aLeaderWhomNobodyHearsIsReplacedAndWhatItGotInIsSettled() throws IOException {
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.requestTimeout(Duration.ofSeconds(8)));
            cluster.startAll();
            RaftNode old = cluster.leader();
            cluster.engine(old.self().id()).put(bytes("key"), bytes("before"));
            for (RaftMember other : cluster.members) {
                cluster.cut(old.self().id(), other.id()); // one way: it still hears the others
            }
            Outcome outcome = outcome(() -> new ReplicatedEngine(old).put(bytes("key"), bytes("in doubt")));
            assertThat(outcome)
                    .describedAs("of a write at a leader whom nobody hears")
                    .isNotEqualTo(Outcome.APPLIED);
            nextLeader(cluster, old);
            cluster.heal();
            byte[] settled = cluster.engine("n1").get(bytes("key"));
            if (outcome == Outcome.NOT_APPLIED) {
                assertThat(settled).isEqualTo(bytes("before"));
            }
            for (String id : cluster.nodes.keySet()) {
                assertThat(cluster.engine(id).get(bytes("key"))).isEqualTo(settled);
            }
        }
    }

    private static RaftNode nextLeader(Cluster cluster, RaftNode old) {
        RaftNode[] found = new RaftNode[1];
        Cluster.await("another leader", () -> {
            for (RaftNode node : cluster.nodes.values()) {
                if (node != old && node.state().isLeader()) {
                    found[0] = node;
                    return true;
                }
            }
            return false;
        });
        return found[0];
    }

    private interface Call {
        void run() throws IOException;
    }

    private static Outcome outcome(Call call) {
        try {
            call.run();
            return Outcome.APPLIED;
        } catch (RaftException e) {
            return e.outcome();
        } catch (IOException | CompletionException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
