package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Expiry goes by the log: the same everywhere, never undone, whatever the clocks say. */
final class RaftExpiryTest {
    private final Map<String, AtomicLong> clocks = new HashMap<>();

    @TempDir
    Path directory;

    @Test
    void expiryIsTheSameEverywhereAndNeverUndoneWithClocksThatDifferAndJump() throws Exception {
        try (Cluster cluster = new Cluster(directory, 3)) {
            long offset = 0;
            for (RaftMember member : cluster.members) {
                AtomicLong clock = new AtomicLong(1_800_000_000_000L + offset);
                clocks.put(member.id(), clock);
                cluster.clocks.put(member.id(), () -> Instant.ofEpochMilli(clock.get()));
                offset += 10_000;
            }
            cluster.options(options -> options.tick(Duration.ofMillis(500)));
            cluster.startAll();
            RaftNode leader = cluster.leader();
            ReplicatedEngine store = new ReplicatedEngine(leader);
            store.put(bytes("short"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(30)));
            store.put(bytes("long"), bytes("2"), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1)));
            for (String id : cluster.nodes.keySet()) {
                assertThat(cluster.engine(id).get(bytes("short")))
                        .describedAs("at %s", id)
                        .isEqualTo(bytes("1"));
            }
            pass(35_000);
            Cluster.await("the expiry, by the time that the leader logs", () -> isAbsent(leader, "short"));
            for (String id : cluster.nodes.keySet()) {
                assertThat(cluster.engine(id).get(bytes("short")))
                        .describedAs("at %s", id)
                        .isNull();
                assertThat(cluster.engine(id).get(bytes("long")))
                        .describedAs("at %s", id)
                        .isNotNull();
            }
            String slow = leader.self().id().equals("n1") ? "n2" : "n1"; // whose clock is behind, or the leader's was
            leader.transferLeadership(slow, Duration.ofSeconds(30)).get(60, TimeUnit.SECONDS);
            Cluster.await(
                    "the lead of " + slow, () -> cluster.node(slow).state().isLeader());
            long before = cluster.node(slow).state().timeMillis();
            cluster.engine(slow)
                    .put(bytes("next"), bytes("3"), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(30)));
            assertThat(cluster.node(slow).state().timeMillis()).isGreaterThanOrEqualTo(before);
            clocks.get(slow).addAndGet(TimeUnit.DAYS.toMillis(365));
            cluster.engine(slow).put(bytes("later"), bytes("4"));
            for (String id : cluster.nodes.keySet()) {
                ReplicatedEngine at = cluster.engine(id);
                assertThat(at.get(bytes("short")))
                        .describedAs("expired before, at %s", id)
                        .isNull();
                assertThat(at.get(bytes("next")))
                        .describedAs("after a jump of the leader's clock, at %s", id)
                        .isNotNull();
                assertThat(at.get(bytes("long")))
                        .describedAs("after a jump of the leader's clock, at %s", id)
                        .isNotNull();
            }
            Cluster.await(
                    "a warning of the clock",
                    () -> cluster.node(slow).state().warnings().toString().contains("the clock of this member is off"));
            cluster.assertSameContent();
        }
    }

    @Test
    void aLeaderThatStartsWithAClockThatIsFarOffTimesNoEntryByIt() throws Exception {
        try (Cluster cluster = new Cluster(directory, 3)) {
            long now = 1_800_000_000_000L;
            for (RaftMember member : cluster.members) {
                long own = member.id().equals("n1") ? now + TimeUnit.DAYS.toMillis(365) : now;
                cluster.clocks.put(member.id(), () -> Instant.ofEpochMilli(own));
            }
            // Only n1 is in a hurry to lead, and it finds nobody when it is opened.
            cluster.nodes.put(
                    "n1",
                    cluster.builder("n1")
                            .electionTimeout(Duration.ofMillis(300))
                            .open());
            cluster.nodes.put(
                    "n2",
                    cluster.builder("n2").electionTimeout(Duration.ofMinutes(1)).open());
            ReplicatedEngine store = cluster.engine("n1");
            store.put(bytes("key"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1)));
            assertThat(cluster.node("n1").state().isLeader()).isTrue();
            assertThat(cluster.node("n1").state().timeMillis()).isEqualTo(now);
        }
    }

    private void pass(long millis) {
        clocks.values().forEach(clock -> clock.addAndGet(millis));
    }

    private static boolean isAbsent(RaftNode node, String key) {
        try {
            return node.store().get(bytes(key)) == null;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
