package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three processes, each a member of two groups behind one port: the groups have nothing in common but that. */
final class RaftGroupsTest {
    private static final int MEMBERS = 3;
    private static final int GROUPS = 2;

    @TempDir
    private Path directory;

    private final List<RaftMember> members = new ArrayList<>();
    private final List<RaftGroups> opened = new ArrayList<>();

    private void startAll() throws IOException {
        List<Integer> ports = Cluster.freePorts(MEMBERS);
        for (int i = 0; i < MEMBERS; i++) {
            members.add(new RaftMember("n" + i, "127.0.0.1", ports.get(i)));
            opened.add(null);
        }
        for (int i = 0; i < MEMBERS; i++) {
            opened.set(i, open(i, GROUPS));
        }
    }

    private RaftGroups open(int member, int groups) throws IOException {
        List<UnaryOperator<RaftNodeBuilder>> builders = new ArrayList<>();
        for (int i = 0; i < groups; i++) {
            String name = "group" + i;
            builders.add(builder -> builder.group(name)
                    .id("n" + member)
                    .members(members)
                    .electionTimeout(Duration.ofMillis(1_500))
                    .requestTimeout(Duration.ofSeconds(60)));
        }
        return RaftGroups.open(directory.resolve("n" + member), builders);
    }

    @AfterEach
    void closeAll() throws IOException {
        for (int i = 0; i < opened.size(); i++) {
            close(i);
        }
    }

    private void close(int member) throws IOException {
        RaftGroups groups = opened.set(member, null);
        if (groups != null) {
            groups.close();
        }
    }

    private int leader(int group) throws Exception {
        int[] leader = {-1};
        Cluster.await("a leader of group " + group, () -> {
            for (int i = 0; i < MEMBERS; i++) {
                if (opened.get(i) != null && opened.get(i).nodes().get(group).isLeader()) {
                    leader[0] = i;
                    return true;
                }
            }
            return false;
        });
        return leader[0];
    }

    private ReplicatedEngine engine(int member, int group) {
        return new ReplicatedEngine(opened.get(member).nodes().get(group));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @Test
    void eachGroupHasAnOrderAStoreAndALeaderOfItsOwn() throws Exception {
        startAll();
        engine(0, 0).put(bytes("key"), bytes("of 0"));
        engine(1, 1).put(bytes("key"), bytes("of 1"));
        assertThat(engine(2, 0).get(bytes("key"))).isEqualTo(bytes("of 0"));
        assertThat(engine(2, 1).get(bytes("key"))).isEqualTo(bytes("of 1"));
        // The lead of one moves without that of the other.
        int first = leader(0);
        int second = leader(1);
        int next = (second + 1) % MEMBERS;
        opened.get(second)
                .nodes()
                .get(1)
                .transferLeadership("n" + next, Duration.ofSeconds(60))
                .get();
        assertThat(leader(1)).isEqualTo(next);
        assertThat(leader(0)).isEqualTo(first);
        engine(first, 1).put(bytes("moved"), bytes("yes"));

        // All end, and come back.
        for (int i = 0; i < MEMBERS; i++) {
            close(i);
        }
        for (int i = 0; i < MEMBERS; i++) {
            assertThat(directory.resolve("n" + i).resolve("group-1").resolve("store"))
                    .isNotEmptyDirectory();
            opened.set(i, open(i, GROUPS));
        }
        assertThat(engine(0, 0).get(bytes("key"))).isEqualTo(bytes("of 0"));
        assertThat(engine(0, 1).get(bytes("key"))).isEqualTo(bytes("of 1"));
    }

    @Test
    void theNumberOfGroupsStays() throws Exception {
        members.add(new RaftMember("n0", "127.0.0.1", Cluster.freePorts(1).get(0)));
        open(0, GROUPS).close();
        assertThatThrownBy(() -> open(0, 3))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("groups=2, asked for groups=3");
        assertThatThrownBy(() -> RaftNode.builder(directory.resolve("n0"))
                        .group("group0")
                        .id("n0")
                        .members(members)
                        .open())
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("groups=2, asked for groups=1");
        assertThat(directory.resolve("n0").resolve("group-2")).doesNotExist();
        open(0, GROUPS).close();

        RaftNode.builder(directory.resolve("one"))
                .group("group0")
                .id("n0")
                .members(members)
                .open()
                .close();
        assertThatThrownBy(() -> RaftGroups.open(
                        directory.resolve("one"),
                        List.of(
                                builder -> builder.group("a").id("n0").members(members),
                                builder -> builder.group("b").id("n0").members(members))))
                .hasMessageContaining("groups=1, asked for groups=2");
        Files.writeString(directory.resolve("something"), "else");
        assertThatThrownBy(() -> RaftGroups.open(
                        directory,
                        List.of(builder -> builder.group("a").id("n0").members(members))))
                .hasMessageContaining("not empty");
        assertThatThrownBy(() -> RaftGroups.open(
                        directory.resolve("two"),
                        List.of(
                                builder -> builder.group("a").id("n0").members(members),
                                builder -> builder.group("a").id("n0").members(members))))
                .hasMessageContaining("same name");
        assertThatThrownBy(() -> RaftGroups.open(
                        directory.resolve("two"),
                        List.of(
                                builder -> builder.group("a").id("n0").members(members),
                                builder -> builder.group("b")
                                        .id("n0")
                                        .members(members)
                                        .maxCommandBytes(1_000))))
                .hasMessageContaining("the same id, members");
    }
}
