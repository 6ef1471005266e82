package dev.caskwright.server.raft;

import static dev.caskwright.server.raft.RaftServerTest.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.CaskServer;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.Shards;
import dev.caskwright.server.cluster.SlotRange;
import dev.caskwright.server.config.ServerConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;

/** Three servers in this JVM, the same for all tests, that part the slots among three groups: what clients of Redis Cluster see. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RaftShardsTest {
    private static final int MEMBERS = 3;
    private static final int GROUPS = 3;

    /** Keys of the three groups: of slots 866, 7,423 and 12,182. */
    private static final List<String> KEYS = List.of("hello", "ash", "foo");

    private Path directory;
    private List<Integer> ports;
    private final List<Shards> shards = new ArrayList<>();
    private final List<CaskServer> servers = new ArrayList<>();

    @BeforeAll
    void startAll(@TempDir Path place) throws IOException {
        directory = place;
        ports = RaftServerTest.freePorts(2 * MEMBERS);
        for (int i = 0; i < MEMBERS; i++) {
            shards.add(null);
            servers.add(null);
            start(i);
        }
    }

    private void start(int member) throws IOException {
        ServerConfig config = config(ports, member, GROUPS);
        shards.set(member, open(directory.resolve("n" + member), config));
        servers.set(member, CaskServer.start(shards.get(member), config));
    }

    private static ServerConfig config(List<Integer> ports, int member, int groups) {
        return RaftServerTest.config(ports, member).set("raft-groups", Integer.toString(groups));
    }

    private static Shards open(Path place, ServerConfig config) throws IOException {
        return new RaftReplicationProvider().openShards(place, config, CaskServer::newReplay);
    }

    @BeforeEach
    void clear() throws IOException {
        awaitSpread();
        for (int i = 0; i < MEMBERS; i++) {
            try (RespConnection client = client(i)) {
                assertThat(client.call("FLUSHALL")).isEqualTo("+OK");
            }
        }
    }

    @AfterAll
    void stop() {
        for (int i = 0; i < servers.size(); i++) {
            kill(i);
        }
    }

    private void kill(int member) {
        if (shards.get(member) != null) {
            shards.get(member).close();
            servers.get(member).close();
            shards.set(member, null);
            servers.set(member, null);
        }
    }

    /** Waits until each group is led by the member whose turn it is, and all know. */
    private void awaitSpread() throws IOException {
        await("each group is led by the member whose turn it is", () -> {
            for (int i = 0; i < GROUPS; i++) {
                if (!isLedBy(i, i)) {
                    return false;
                }
            }
            return true;
        });
    }

    /** Returns whether a member leads a group, and all that are there know. */
    private boolean isLedBy(int group, int member) {
        if (!shards.get(member).groups().get(group).isLeader()) {
            return false;
        }
        return shards.stream()
                .filter(Objects::nonNull)
                .allMatch(each ->
                        ports.get(member).equals(masterPort(each.topology().view(), group)));
    }

    private static Integer masterPort(ClusterView view, int group) {
        SlotRange range = view.range(group * HashSlot.SLOTS / GROUPS + 1);
        return range == null || range.master() == null ? null : range.master().port();
    }

    private RespConnection client(int member) throws IOException {
        return new RespConnection(ports.get(member));
    }

    private static String moved(String key, int port) {
        return "-MOVED " + HashSlot.of(key.getBytes(StandardCharsets.UTF_8)) + " 127.0.0.1:" + port;
    }

    private UnifiedJedis jedis() {
        return RedisClusterClient.builder()
                .nodes(Set.of(new HostAndPort("127.0.0.1", ports.get(1)), new HostAndPort("127.0.0.1", ports.get(2))))
                .build();
    }

    @Test
    void eachServerExecutesWhatItLeads() throws IOException {
        try (RespConnection first = client(0);
                RespConnection second = client(1)) {
            assertThat(first.call("SET", "hello", "1")).isEqualTo("+OK");
            assertThat(first.call("SET", "ash", "2")).isEqualTo(moved("ash", ports.get(1)));
            assertThat(first.call("GET", "foo")).isEqualTo(moved("foo", ports.get(2)));
            assertThat(second.call("SET", "ash", "2")).isEqualTo("+OK");
            assertThat(second.call("GET", "hello")).isEqualTo(moved("hello", ports.get(0)));
            // A replica serves reads if it is asked to, and they are not stale.
            assertThat(second.call("READONLY")).isEqualTo("+OK");
            assertThat(second.call("GET", "hello")).isEqualTo("$1");
            assertThat(second.call("SET", "hello", "2")).isEqualTo(moved("hello", ports.get(0)));
            second.call("READWRITE");
            // A transaction, and what it watches, is of one slot.
            assertThat(first.call("WATCH", "hello")).isEqualTo("+OK");
            assertThat(first.call("WATCH", "b")).startsWith("-CROSSSLOT");
            first.call("MULTI");
            assertThat(first.call("INCR", "hello")).isEqualTo("+QUEUED");
            assertThat(first.call("SET", "ash", "3")).isEqualTo(moved("ash", ports.get(1)));
            assertThat(first.call("EXEC")).startsWith("-EXECABORT");
            first.call("MULTI");
            assertThat(first.call("DBSIZE")).startsWith("-ERR Command not allowed inside a transaction");
            first.call("DISCARD");
            first.call("WATCH", "hello");
            first.call("MULTI");
            first.call("INCR", "hello");
            first.call("SET", "{hello}x", "y");
            assertThat(first.call("EXEC")).isEqualTo("*[:2, +OK]");
            first.call("WATCH", "hello");
            try (RespConnection other = client(0)) {
                other.call("SET", "hello", "9");
            }
            first.call("MULTI");
            first.call("INCR", "hello");
            assertThat(first.call("EXEC")).isEqualTo("*-1");
            // What comes too late, behind a change of the leader, is refused, too.
            assertThatThrownBy(() ->
                            shards.get(1).groups().get(0).propose(new byte[0]).join())
                    .hasMessageContaining("does not lead");
            // Commands without keys are of the groups that the server leads.
            assertThat(first.call("DBSIZE")).isEqualTo(":2");
            assertThat(second.call("DBSIZE")).isEqualTo(":1");
            assertThat(second.call("KEYS", "*")).isEqualTo("*[$ash]");
            assertThat(second.call("SCAN", "0")).contains("$ash").doesNotContain("hello");
            assertThat(second.call("CLUSTER", "COUNTKEYSINSLOT", "7423")).isEqualTo(":1");
            assertThat(second.call("INFO", "replication")).contains("role:master", "raft_groups:3");
            assertThat(first.call("FLUSHALL")).isEqualTo("+OK");
            assertThat(first.call("DBSIZE")).isEqualTo(":0");
            assertThat(second.call("GET", "ash")).isEqualTo("$2");
            assertThat(first.call("SELECT", "1")).startsWith("-ERR SELECT of other databases");
            assertThat(first.call("RAFT", "MEMBERS")).isEqualTo("-ERR there are several groups: say which, 0 to 2");
            assertThat(first.call("RAFT", "MEMBERS", "2")).contains("$n0", "$n2");
            assertThat(first.call("RAFT", "SNAPSHOT", "1")).startsWith(":");
            assertThat(first.call("WAIT", "2", "60000")).isEqualTo(":2");
        }
    }

    @Test
    void leadersMoveUnderLoadAndNothingIsLost() throws Exception {
        Map<String, Long> acknowledged = new ConcurrentHashMap<>();
        Map<String, Long> attempted = new ConcurrentHashMap<>();
        AtomicBoolean isEnded = new AtomicBoolean();
        List<Thread> writers = new ArrayList<>();
        for (String key : KEYS) {
            Thread writer = new Thread(() -> count(key, acknowledged, attempted, isEnded));
            writer.start();
            writers.add(writer);
        }
        try {
            awaitMore(acknowledged);
            // By hand: the lead of a group is moved while it works.
            for (int i = 0; i < MEMBERS; i++) {
                servers.get(i).config().set("raft-spread-leaders", "no");
            }
            await("group 0 is led by the second", () -> {
                // On a busy machine a third one may be elected meanwhile: whoever leads does it.
                for (int i = 0; i < MEMBERS && !isLedBy(0, 1); i++) {
                    try (RespConnection member = client(i)) {
                        member.call("RAFT", "TRANSFER", "n1", "0");
                    }
                }
                return isLedBy(0, 1);
            });
            awaitMore(acknowledged);
            // By a loss: the second leads two groups, which go to others.
            kill(1);
            await("others lead", () -> isLedElsewhere(0, 1) && isLedElsewhere(1, 1));
            awaitMore(acknowledged);
            // It comes back, and each group goes to the member whose turn it is.
            start(1);
            for (int i = 0; i < MEMBERS; i++) {
                servers.get(i).config().set("raft-spread-leaders", "yes");
            }
            awaitSpread();
            awaitMore(acknowledged);
        } finally {
            isEnded.set(true);
            for (Thread writer : writers) {
                writer.join();
            }
        }
        check(acknowledged, attempted);
        // All end, and come back with everything.
        for (int i = 0; i < MEMBERS; i++) {
            kill(i);
        }
        for (int i = 0; i < MEMBERS; i++) {
            start(i);
        }
        awaitSpread();
        check(acknowledged, attempted);
    }

    private boolean isLedElsewhere(int group, int gone) {
        for (int i = 0; i < MEMBERS; i++) {
            if (i != gone && isLedBy(group, i)) {
                return true;
            }
        }
        return false;
    }

    private void count(String key, Map<String, Long> acknowledged, Map<String, Long> attempted, AtomicBoolean isEnded) {
        UnifiedJedis client = jedis();
        try {
            while (!isEnded.get()) {
                attempted.merge(key, 1L, Long::sum);
                try {
                    client.incr(key);
                    acknowledged.merge(key, 1L, Long::sum);
                } catch (JedisException e) {
                    // It was executed or not. The client is told anew who has what.
                    client.close();
                    client = newJedis(isEnded);
                }
            }
        } finally {
            client.close();
        }
    }

    private UnifiedJedis newJedis(AtomicBoolean isEnded) {
        while (true) {
            try {
                return jedis();
            } catch (JedisException e) {
                if (isEnded.get()) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    /** Waits until each group has executed more. */
    private static void awaitMore(Map<String, Long> acknowledged) throws IOException {
        Map<String, Long> before = Map.copyOf(acknowledged);
        await(
                "all groups execute more",
                () -> KEYS.stream()
                        .allMatch(key -> acknowledged.getOrDefault(key, 0L) >= before.getOrDefault(key, 0L) + 20));
    }

    private void check(Map<String, Long> acknowledged, Map<String, Long> attempted) {
        try (UnifiedJedis client = jedis()) {
            for (String key : KEYS) {
                assertThat(Long.parseLong(client.get(key)))
                        .as(key)
                        .isBetween(acknowledged.get(key), attempted.get(key));
            }
        }
    }

    @Test
    void anotherNumberOfGroupsIsRefused() throws Exception {
        List<Integer> free = RaftServerTest.freePorts(2 * MEMBERS);
        Path own = directory.resolve("own");
        open(own, config(free, 0, 2)).close();
        assertThatThrownBy(() -> open(own, config(free, 0, 3))).hasMessageContaining("groups=2, asked for groups=3");
        assertThatThrownBy(() -> new RaftReplicationProvider().open(own, config(free, 0, 1), CaskServer.newReplay()))
                .hasMessageContaining("groups=2, asked for groups=1");
        assertThatThrownBy(() -> config(free, 0, 5)).hasMessageContaining("raft-groups");
        open(own, config(free, 0, 2)).close();
    }
}
