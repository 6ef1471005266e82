package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members whose lists do not agree, or that are of another group: they say so, and the others go on. */
final class WrongListTest {
    @TempDir
    Path directory;

    @Test
    void aListThatLeadsToAnotherMemberOrAnotherGroupIsFoundBeforeAnybodyLeads() throws Exception {
        try (Cluster cluster = new Cluster(directory, 4)) {
            List<RaftMember> right = cluster.members;
            // Where n2 should be, n3 is: it would count twice.
            RaftMember wrong = new RaftMember("n2", "localhost", right.get(2).port());
            cluster.nodes.put("n3", cluster.builder("n3").open());
            cluster.nodes.put("n4", cluster.builder("n4").group("other").open());
            cluster.nodes.put(
                    "n1",
                    cluster.builder("n1")
                            .members(List.of(right.get(0), wrong, right.get(2), right.get(3)))
                            .open());
            Cluster.await(
                    "the warnings of n1",
                    () -> warnings(cluster, "n1").contains("another member listens here: asked for=n2, is=n3")
                            && warnings(cluster, "n1")
                                    .contains(
                                            "a member of another group listens where one of this group should: member=n4"));
        }
    }

    @Test
    @Tag("campaign")
    void aMemberThatIsAskedForAnotherOneRefusesAndTheOthersGoOn() throws Exception {
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.electionTimeout(Duration.ofMillis(500)));
            RaftMember third = cluster.members.get(2);
            // Where n2 should be, n3 is: it would count twice.
            List<RaftMember> wrong =
                    List.of(cluster.members.get(0), new RaftMember("n2", "localhost", third.port()), third);
            cluster.start("n2");
            cluster.start("n3");
            cluster.nodes.put("n1", cluster.builder("n1").members(wrong).open());
            Cluster.await(
                    "a warning",
                    () -> warnings(cluster, "n1").contains("another member listens here: asked for=n2, is=n3"));
            cluster.engine("n2").put(bytes("key"), bytes("value"));
            assertThat(cluster.engine("n3").get(bytes("key"))).isEqualTo(bytes("value"));
        }
    }

    @Test
    @Tag("campaign")
    void aMemberOfAnotherGroupTakesNoPartAndIsTold() throws Exception {
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.electionTimeout(Duration.ofMillis(500)));
            cluster.nodes.put("n3", cluster.builder("n3").group("other").open());
            cluster.start("n1");
            cluster.start("n2");
            cluster.engine("n1").put(bytes("key"), bytes("value"));
            for (String id : List.of("n1", "n3")) {
                Cluster.await(
                        "a warning at " + id,
                        () -> warnings(cluster, id)
                                .contains("a member of another group listens where one of this group should"));
            }
            assertThat(cluster.node("n3").state().leader()).isNull();
            assertThat(cluster.node("n3").store().get(bytes("key"))).isNull();
        }
    }

    @Test
    @Tag("campaign")
    void aMemberThatWasBegunAsAGroupOfItsOwnIsToldAndSoAreTheOthers() throws Exception {
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.electionTimeout(Duration.ofMillis(500)));
            cluster.start("n1");
            cluster.start("n2");
            cluster.leader();
            cluster.nodes.put(
                    "n3",
                    cluster.builder("n3")
                            .members(List.of(cluster.members.get(2)))
                            .open());
            Cluster.await(
                    "a warning at n3",
                    () -> warnings(cluster, "n3").contains("takes this one for a member of its group")
                            || cluster.node("n3").state().members().size() == 3);
            cluster.engine("n1").put(bytes("key"), bytes("value"));
        }
    }

    private static String warnings(Cluster cluster, String id) {
        return cluster.node(id).state().warnings().toString();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
