package dev.caskwright.server.raft;

import static dev.caskwright.server.raft.RaftServerTest.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.CaskServer;
import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers of several groups of which one fails, or is changed before the others. */
final class RaftShardsFailureTest {
    private static final int MEMBERS = 3;
    private static final int GROUPS = 2;

    /** Keys of the two groups: of slots 866 and 12,182. */
    private static final List<String> KEYS = List.of("hello", "foo");

    @TempDir
    private Path directory;

    private final List<Integer> ports = new ArrayList<>();
    private final Shards[] shards = new Shards[MEMBERS];
    private final CaskServer[] servers = new CaskServer[MEMBERS];

    @BeforeEach
    void choosePorts() throws IOException {
        ports.addAll(RaftServerTest.freePorts(2 * MEMBERS));
    }

    @AfterEach
    void stopAll() {
        for (int i = 0; i < MEMBERS; i++) {
            stop(i);
        }
    }

    private String peer(int member) {
        return "n" + member + "@127.0.0.1:" + ports.get(MEMBERS + member) + "/" + ports.get(member);
    }

    /** Returns the configuration of a member that knows itself only. */
    private ServerConfig config(int member) {
        return RaftServerTest.config(ports, member)
                .set("raft-groups", Integer.toString(GROUPS))
                .set("raft-peers", peer(member))
                .set("raft-election-timeout", "500");
    }

    private ServerConfig configOfThree(int member) {
        return RaftServerTest.config(ports, member).set("raft-groups", Integer.toString(GROUPS));
    }

    private Shards open(int member, ServerConfig config) throws IOException {
        return new RaftReplicationProvider().openShards(directory.resolve("n" + member), config, CaskServer::newReplay);
    }

    private void start(int member, ServerConfig config) throws IOException {
        shards[member] = open(member, config);
        servers[member] = CaskServer.start(shards[member], config);
    }

    private void stop(int member) {
        if (shards[member] != null) {
            shards[member].close();
            shards[member] = null;
        }
        if (servers[member] != null) {
            servers[member].close();
            servers[member] = null;
        }
    }

    private String ask(int member, String words) throws IOException {
        try (RespConnection client = new RespConnection(ports.get(member))) {
            return client.call(words.split(" "));
        }
    }

    private void awaitReply(int member, String words, String reply) throws IOException {
        await(words + " -> " + reply, () -> ask(member, words).equals(reply));
    }

    @Test
    void anOpeningThatFailsForOneGroupEndsThoughAnotherHasEntriesToApply() throws Exception {
        start(0, config(0));
        for (String key : KEYS) {
            awaitReply(0, "SET " + key + " value", "+OK");
        }
        stop(0);
        // As after a power loss that took the stores' ends, and damaged the log of one.
        for (int i = 0; i < GROUPS; i++) {
            deleteStore(i);
        }
        Map<Path, byte[]> sound = damageLog(1);
        assertThatThrownBy(() -> open(0, config(0)))
                .hasMessageContaining("group-1")
                .hasMessageContaining("orrupt");
        for (Map.Entry<Path, byte[]> segment : sound.entrySet()) {
            Files.write(segment.getKey(), segment.getValue());
        }
        start(0, config(0));
        for (String key : KEYS) {
            awaitReply(0, "GET " + key, "$value");
        }
    }

    private void deleteStore(int group) throws IOException {
        Path store = directory.resolve("n0").resolve("group-" + group).resolve("store");
        try (Stream<Path> files = Files.list(store)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    /** Damages a segment of the log of a group, and returns what was there. */
    private Map<Path, byte[]> damageLog(int group) throws IOException {
        Map<Path, byte[]> sound = new HashMap<>();
        try (Stream<Path> all =
                Files.walk(directory.resolve("n0").resolve("group-" + group).resolve("log"))) {
            for (Path segment : all.filter(file -> file.getFileName().toString().startsWith("log_"))
                    .toList()) {
                byte[] bytes = Files.readAllBytes(segment);
                sound.put(segment, bytes.clone());
                bytes[bytes.length / 2] ^= 1;
                Files.write(segment, bytes);
            }
        }
        return sound;
    }

    @Test
    void clientsOfAGroupThatFailedInItsLeaderAreSentToOthers() throws Exception {
        AtomicBoolean isFailing = new AtomicBoolean();
        AtomicInteger made = new AtomicInteger();
        shards[0] = new RaftReplicationProvider().openShards(directory.resolve("n0"), configOfThree(0), () -> {
            Replay sound = CaskServer.newReplay();
            return made.getAndIncrement() == 0 ? new Failing(sound, isFailing) : sound;
        });
        servers[0] = CaskServer.start(shards[0], configOfThree(0));
        start(1, configOfThree(1));
        start(2, configOfThree(2));
        awaitReply(0, "SET hello before", "+OK");
        awaitReply(1, "SET foo before", "+OK");

        isFailing.set(true);
        assertThat(ask(0, "SET hello lost")).as("it fails where it is applied").startsWith("-");
        await(
                "another leads the first group",
                () -> shards[1].groups().get(0).isLeader()
                        || shards[2].groups().get(0).isLeader());
        await(
                "the first server sends clients on",
                () -> ask(0, "SET hello again").startsWith("-MOVED 866 127.0.0.1:"));
        String moved = ask(0, "GET hello");
        int next = ports.indexOf(Integer.parseInt(moved.substring(moved.lastIndexOf(':') + 1)));
        assertThat(next).isIn(1, 2);
        String answer = ask(next, "SET hello after");
        if (answer.startsWith("-MOVED")) {
            next = ports.indexOf(Integer.parseInt(answer.substring(answer.lastIndexOf(':') + 1)));
            answer = ask(next, "SET hello after");
        }
        assertThat(answer).isEqualTo("+OK");
        assertThat(ask(0, "INFO replication"))
                .contains("group_0_raft_role:stopped", "group_0_raft_failure:", "planted");
        assertThat(ask(0, "CLUSTER SLOTS")).doesNotContain("*[:0, :8191, *[$127.0.0.1, :" + ports.get(0));
        // The other group does not notice.
        assertThat(ask(1, "GET foo")).isEqualTo("$before");
        assertThat(shards[0].groups().get(1).figures()).containsEntry("raft_role", "follower");

        stop(0);
        start(0, configOfThree(0));
        awaitReply(0, "GET hello", "$after");
        awaitReply(0, "SET hello again", "+OK");
    }

    /** Executes commands until it is told to fail. */
    private record Failing(Replay sound, AtomicBoolean isFailing) implements Replay {
        @Override
        public byte[] apply(StorageEngine store, byte[] commands, long index, long millis) throws IOException {
            if (isFailing.get()) {
                throw new IOException("planted");
            }
            return sound.apply(store, commands, index, millis);
        }

        @Override
        public void reset() {
            sound.reset();
        }
    }

    @Test
    void aServerThatIsLeftAloneNamesNoLeaderAndGoesOnWhenTheOthersAreBack() throws Exception {
        for (int i = 0; i < MEMBERS; i++) {
            start(i, configOfThree(i));
        }
        awaitReply(0, "SET hello value", "+OK");
        awaitReply(1, "SET foo value", "+OK");
        stop(1);
        stop(2);
        await("nobody leads", () -> ask(0, "CLUSTER SLOTS").equals("*[]"));
        assertThat(ask(0, "CLUSTER SHARDS")).isEqualTo("*[]");
        assertThat(ask(0, "CLUSTER INFO")).contains("cluster_state:fail", "cluster_slots_ok:0");
        assertThat(ask(0, "CLUSTER NODES")).contains("myself,slave -").doesNotContain("master");
        for (String words : List.of("SET hello x", "GET hello", "MGET {hello}a {hello}b", "WATCH foo", "FLUSHALL")) {
            assertThat(ask(0, words)).as(words).startsWith("-CLUSTERDOWN");
        }
        try (RespConnection client = new RespConnection(ports.get(0))) {
            client.call("MULTI");
            assertThat(client.call("INCR", "hello")).startsWith("-CLUSTERDOWN");
            assertThat(client.call("EXEC")).startsWith("-EXECABORT");
            // Two groups, and two slots of one group.
            assertThat(client.call("MSET", "hello", "1", "foo", "2")).startsWith("-CROSSSLOT");
            assertThat(client.call("DBSIZE")).isEqualTo(":0");
            assertThat(client.call("PING")).isEqualTo("+PONG");
        }
        start(1, configOfThree(1));
        awaitReply(0, "SET hello again", "+OK");
        awaitReply(1, "GET foo", "$value");
    }

    @Test
    void aServerJoinsAndLeavesOneGroupAfterAnotherOverTls() throws Exception {
        start(0, secure(config(0)));
        for (String key : KEYS) {
            awaitReply(0, "SET " + key + " value", "+OK");
        }
        start(1, secure(config(1).set("raft-joining", "yes")));
        assertThat(ask(1, "GET hello")).startsWith("-CLUSTERDOWN");
        awaitReply(0, "RAFT ADD " + peer(1) + " 0", "+OK");
        // Half of it is done: it is a member of one group, and waits to be taken in by the other.
        assertThat(ask(0, "RAFT MEMBERS 0")).contains("$n1");
        assertThat(ask(0, "RAFT MEMBERS 1")).doesNotContain("$n1");
        awaitReply(1, "SET hello value", "-MOVED 866 127.0.0.1:" + ports.get(0));
        assertThat(ask(1, "GET foo")).startsWith("-CLUSTERDOWN");
        stop(1);
        start(1, secure(config(1).set("raft-joining", "yes")));
        awaitReply(0, "RAFT ADD " + peer(1) + " 1", "+OK");
        // Each group goes to the member whose turn it is.
        awaitReply(1, "SET foo joined", "+OK");
        awaitReply(0, "SET hello joined", "+OK");
        assertThat(ask(0, "SET foo value")).isEqualTo("-MOVED 12182 127.0.0.1:" + ports.get(1));

        // It leaves: one group, and then the other.
        awaitReply(0, "RAFT REMOVE n1 0", "+OK");
        awaitReply(0, "SET hello alone", "+OK");
        assertThat(ask(1, "GET foo")).isEqualTo("$joined");
        await("the other group, too", () -> {
            String first = ask(0, "RAFT REMOVE n1 1");
            return first.equals("+OK") || ask(1, "RAFT REMOVE n1 1").equals("+OK");
        });
        awaitReply(0, "SET foo alone", "+OK");
    }

    private static ServerConfig secure(ServerConfig config) throws Exception {
        return config.set("raft-tls-key-file", RaftMembersTest.tls("member.key"))
                .set("raft-tls-cert-file", RaftMembersTest.tls("member.crt"))
                .set("raft-tls-ca-cert-file", RaftMembersTest.tls("ca.crt"));
    }
}
