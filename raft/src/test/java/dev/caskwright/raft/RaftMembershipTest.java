package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members come, lead by request, and go. */
final class RaftMembershipTest {
    @TempDir
    Path directory;

    @Test
    void aMemberIsAddedMadeTheLeaderAndAnotherOneRemoved() throws Exception {
        try (Cluster cluster = new Cluster(directory, 4)) {
            RaftMember added = cluster.members.remove(3);
            cluster.startAll();
            ReplicatedEngine first = cluster.engine("n1");
            first.put(bytes("key"), bytes("value"));

            cluster.members.add(added);
            cluster.nodes.put("n4", cluster.builder("n4").joining(true).open());
            assertThat(cluster.node("n4").state().role()).isEqualTo(Role.STARTING);
            change(cluster.leader(), cluster.members);
            assertThat(cluster.engine("n4").get(bytes("key"))).isEqualTo(bytes("value"));

            cluster.leader().transferLeadership("n4", Duration.ofSeconds(30)).get(60, TimeUnit.SECONDS);
            Cluster.await("the lead of n4", () -> cluster.node("n4").state().isLeader());
            first.put(bytes("key"), bytes("by the new leader"));

            List<RaftMember> fewer = new ArrayList<>(cluster.members);
            fewer.removeIf(member -> member.id().equals("n2"));
            change(cluster.node("n4"), fewer);
            cluster.stop("n2");
            assertThat(cluster.node("n4").state().members())
                    .extracting(RaftMember::id)
                    .containsExactly("n1", "n3", "n4");
            first.put(bytes("key"), bytes("by three"));
            assertThat(cluster.engine("n3").get(bytes("key"))).isEqualTo(bytes("by three"));
            cluster.assertSameContent();

            cluster.stop("n4"); // what it was told of itself, it knows after a restart
            cluster.start("n4");
            assertThat(cluster.engine("n4").get(bytes("key"))).isEqualTo(bytes("by three"));
        }
    }

    private static void change(RaftNode leader, List<RaftMember> members) throws Exception {
        leader.setMembers(members).get(100, TimeUnit.SECONDS);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
