package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.ReplicationException;
import dev.caskwright.server.replication.ReplicationException.Kind;
import dev.caskwright.testkit.ManualClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Three servers that agree on the order of changes: what clients see, and that all have the same content. */
final class GroupTest {
    private static final int MEMBERS = 3;

    private final ManualClock clock = new ManualClock();
    private LoopbackGroup group;
    private final List<RespClient> clients = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        group = new LoopbackGroup(MEMBERS, clock, new ServerConfig());
        for (int i = 0; i < MEMBERS; i++) {
            clients.add(group.client(i));
        }
    }

    @AfterEach
    void stop() throws IOException {
        for (RespClient client : clients) {
            client.close();
        }
        group.close();
    }

    private Object ask(int member, String words) throws IOException {
        return clients.get(member).call(words.split(" "));
    }

    private String failure(int member, String words) throws IOException {
        Object reply = ask(member, words);
        assertThat(reply).as(words).isInstanceOf(RespClient.Failure.class);
        return ((RespClient.Failure) reply).message();
    }

    private void assertSameContent() throws Exception {
        List<Map<String, String>> contents = group.contents();
        assertThat(contents).allMatch(contents.get(0)::equals);
    }

    @Test
    void whatOneMemberAcknowledgedAllOthersShow() throws Exception {
        assertThat(ask(1, "SET a 1")).isEqualTo("OK");
        assertThat(ask(0, "GET a")).isEqualTo("1");
        assertThat(ask(2, "INCR a")).isEqualTo(2L);
        assertThat(ask(1, "GET a")).isEqualTo("2");
        assertThat(ask(2, "DEL a b")).isEqualTo(1L);
        assertThat(ask(0, "EXISTS a")).isEqualTo(0L);
        assertSameContent();
    }

    @Test
    void repliesComeInTheOrderOfTheRequestsWhoeverExecutesThem() throws IOException {
        RespClient client = clients.get(0);
        client.sendRaw("PING\r\n"
                + "SET a 1\r\n"
                + "PING 2\r\n"
                + "GET a\r\n"
                + "INCR a\r\n"
                + "DBSIZE\r\n"
                + "MULTI\r\n"
                + "INCR a\r\n"
                + "EXEC\r\n"
                + "GET a\r\n"
                + "KEYS *\r\n"
                + "SET b\r\n"
                + "SET b 1\r\n"
                + "NONE\r\n"
                + "MGET a b\r\n");
        List<Object> replies = new ArrayList<>();
        for (int i = 0; i < 15; i++) {
            replies.add(client.read());
        }
        assertThat(replies.subList(0, 11))
                .containsExactly("PONG", "OK", "2", "1", 2L, 1L, "OK", "QUEUED", List.of(3L), "3", List.of("a"));
        assertThat(replies.get(11)).isInstanceOf(RespClient.Failure.class);
        assertThat(replies.get(12)).isEqualTo("OK");
        assertThat(replies.get(13)).isInstanceOf(RespClient.Failure.class);
        assertThat(replies.get(14)).isEqualTo(List.of("3", "1"));
    }

    @Test
    void repliesThatAClientDoesNotWantAreNotSent() throws IOException {
        RespClient client = clients.get(0);
        client.sendRaw(
                "CLIENT REPLY OFF\r\nSET a 1\r\nINCR a\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nINCR a\r\nGET a\r\n");
        assertThat(client.read()).isEqualTo("OK");
        assertThat(client.read()).isEqualTo("3");
    }

    @Test
    void aWatchedKeyThatAnyMemberChangedMakesATransactionFail() throws Exception {
        ask(0, "SET a 1");
        assertThat(ask(0, "WATCH a b")).isEqualTo("OK");
        ask(1, "SET a 1");
        assertThat(ask(0, "MULTI")).isEqualTo("OK");
        assertThat(ask(0, "SET a 2")).isEqualTo("QUEUED");
        assertThat(ask(0, "EXEC")).as("changed to the same value").isNull();
        assertThat(ask(0, "WATCH a b")).isEqualTo("OK");
        ask(0, "MULTI");
        ask(0, "INCR a");
        assertThat(ask(0, "EXEC")).isEqualTo(List.of(2L));
        assertSameContent();
    }

    @Test
    void watchesOutliveARestartOfAMemberAndTakeNoChangeForNone() throws Exception {
        ask(0, "SET a 1");
        ask(0, "WATCH a");
        ask(1, "WATCH a");
        for (int i = 0; i < MEMBERS; i++) {
            group.restart(i);
        }
        ask(0, "MULTI");
        ask(0, "INCR a");
        assertThat(ask(0, "EXEC")).isEqualTo(List.of(2L));
        assertSameContent();
        group.restart(1);
        ask(2, "WATCH a");
        ask(1, "MULTI");
        ask(1, "INCR a");
        assertThat(ask(1, "EXEC"))
                .as("changed between its watch and that of another")
                .isNull();
        assertThat(ask(2, "GET a")).isEqualTo("2");
        assertSameContent();
    }

    @Test
    void emptiedDatabasesAndExpiredKeysHaveChangedForWhoWatchesThem() throws Exception {
        ask(0, "SET a 1 PX 1000");
        ask(0, "WATCH a");
        clock.advance(Duration.ofSeconds(2));
        ask(0, "MULTI");
        ask(0, "SET b 1");
        assertThat(ask(0, "EXEC")).isNull();
        ask(0, "SET a 1");
        ask(0, "WATCH a");
        ask(1, "FLUSHALL");
        ask(0, "MULTI");
        ask(0, "SET b 1");
        assertThat(ask(0, "EXEC")).isNull();
        assertThat(ask(1, "DBSIZE")).isEqualTo(0L);
        assertSameContent();
    }

    @Test
    void aTransactionSelectsADatabaseAndOnlyOneThatWasExecuted() throws IOException {
        ask(0, "MULTI");
        ask(0, "SET a 0");
        ask(0, "SELECT 3");
        ask(0, "SET a 3");
        assertThat(ask(0, "EXEC")).isEqualTo(List.of("OK", "OK", "OK"));
        assertThat(ask(0, "GET a")).isEqualTo("3");
        ask(0, "WATCH a");
        ask(1, "SELECT 3");
        ask(1, "SET a 4");
        ask(0, "MULTI");
        ask(0, "SELECT 0");
        assertThat(ask(0, "EXEC")).isNull();
        assertThat(ask(0, "GET a")).isEqualTo("4");
    }

    @Test
    void commandsThatMeanAnotherThingOnEachMemberAreNotForTransactions() throws IOException {
        ask(0, "MULTI");
        assertThat(failure(0, "CLIENT SETNAME me")).isEqualTo("ERR Command not allowed inside a transaction");
        assertThat(failure(0, "EXEC")).startsWith("EXECABORT");
    }

    @Test
    void whatIsLeftOfEmptiedDatabasesIsRemovedFromAllMembers() throws Exception {
        for (int i = 0; i < 2_500; i++) {
            clients.get(0).send("SET", "key" + i, "value");
        }
        for (int i = 0; i < 2_500; i++) {
            clients.get(0).read();
        }
        assertThat(ask(0, "FLUSHALL")).isEqualTo("OK");
        assertThat(ask(2, "DBSIZE")).isEqualTo(0L);
        while (group.contents().get(0).size() > 1) {
            Thread.onSpinWait(); // until the server has had all removed, in the background
        }
        assertSameContent();
    }

    @Test
    void aTransactionSeesItsOwnChangesWhicheverCommandAsks() throws IOException {
        ask(0, "SET gone 1");
        ask(0, "MULTI");
        for (String words : List.of("DEL gone", "SET new 2", "DBSIZE", "KEYS *")) {
            assertThat(ask(0, words)).isEqualTo("QUEUED");
        }
        assertThat(ask(0, "EXEC")).isEqualTo(List.of(1L, "OK", 1L, List.of("new")));
    }

    @Test
    void errorsTellWhatBecameOfAChange() throws IOException {
        group.leader = 1;
        fail(Kind.NOT_LEADER, group.members.get(0).leaderAddress());
        assertThat(failure(0, "SET foo 1"))
                .isEqualTo("MOVED 12182 127.0.0.1:" + group.servers.get(1).port());
        fail(Kind.NOT_LEADER, null);
        assertThat(failure(0, "SET a 1")).startsWith("CLUSTERDOWN no leader is known; nothing was changed");
        fail(Kind.NO_QUORUM, null);
        assertThat(failure(0, "SET a 1")).startsWith("CLUSTERDOWN").endsWith("nothing was changed");
        assertThat(failure(0, "GET a")).startsWith("CLUSTERDOWN");
        fail(Kind.BUSY, null);
        assertThat(failure(0, "SET a 1")).startsWith("TRYAGAIN");
        fail(Kind.UNKNOWN, null);
        group.isExecutedBeforeItFails = true;
        clients.get(0).sendRaw("PING\r\nSET a 1\r\nPING\r\nINCR a\r\nECHO 1\r\n");
        assertThat(clients.get(0).read()).isEqualTo("PONG");
        assertThat(((RespClient.Failure) clients.get(0).read()).message()).startsWith("UNKNOWN");
        assertThat(clients.get(0).read()).isEqualTo("PONG");
        assertThat(((RespClient.Failure) clients.get(0).read()).message()).startsWith("UNKNOWN");
        assertThat(clients.get(0).read()).isEqualTo("1");
        group.failure = null;
        assertThat(ask(0, "GET a")).as("nobody knew, and it was done").isEqualTo("2");
    }

    private void fail(Kind kind, String leader) {
        group.failure = new ReplicationException(kind, leader, "planned", null);
    }

    @Test
    void readsAreServedByWhomTheConfigurationSays() throws IOException {
        ask(0, "SET a 1");
        fail(Kind.NO_QUORUM, null);
        assertThat(failure(1, "GET a")).startsWith("CLUSTERDOWN");
        ask(1, "CONFIG SET replica-reads stale");
        assertThat(ask(1, "GET a")).isEqualTo("1");
        group.failure = null;
        ask(1, "CONFIG SET replica-reads leader-only");
        assertThat(failure(1, "GET a"))
                .isEqualTo("MOVED 15495 127.0.0.1:" + group.servers.get(0).port());
        assertThat(ask(0, "GET a")).isEqualTo("1");
    }

    @Test
    void whatALeaderLeftOfAnEmptiedDatabaseTheNextOneRemoves() throws Exception {
        for (int i = 0; i < 20; i++) {
            ask(0, "SET key" + i + " value");
        }
        int before = group.contents().get(0).size();
        group.isExecutedBeforeItFails = true;
        group.failure = new ReplicationException(Kind.UNKNOWN, null, "the leader was lost", null);
        assertThat(failure(0, "FLUSHALL")).startsWith("UNKNOWN");
        group.failure = null;
        assertThat(ask(1, "DBSIZE")).isEqualTo(0L);
        group.leader = 1;
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (group.contents().get(2).size() > before - 20) {
            assertThat(System.nanoTime()).as("keys are left").isLessThan(end);
        }
    }

    @Test
    void membersHaveTheSameContentWhileAnEmptiedDatabaseIsCleaned() throws Exception {
        for (int i = 0; i < 4; i++) {
            StringBuilder keys = new StringBuilder("MSET");
            for (int j = 0; j < 1_000; j++) {
                keys.append(" key").append(i * 1_000 + j).append(" value");
            }
            assertThat(ask(i % MEMBERS, keys.toString())).isEqualTo("OK");
        }
        ask(1, "SELECT 1");
        assertThat(ask(1, "SET kept 1")).isEqualTo("OK");
        assertThat(ask(0, "FLUSHDB")).isEqualTo("OK");
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        List<Map<String, String>> contents = group.contents();
        while (contents.get(0).size() > 10) {
            assertThat(contents).allMatch(contents.get(0)::equals);
            assertThat(System.nanoTime()).as("keys are left").isLessThan(end);
            contents = group.contents();
        }
        assertThat(contents).allMatch(contents.get(0)::equals);
        assertThat(ask(1, "GET kept")).isEqualTo("1");
    }

    @Test
    void aReadOfSeveralKeysIsOfOneMoment() throws Exception {
        AtomicBoolean isDone = new AtomicBoolean();
        StringBuilder all = new StringBuilder("MGET");
        for (int i = 0; i < 50; i++) {
            all.append(" key").append(i);
        }
        Thread writer = new Thread(() -> {
            try {
                for (int i = 0; !isDone.get(); i++) {
                    StringBuilder next = new StringBuilder("MSET");
                    for (int j = 0; j < 50; j++) {
                        next.append(" key").append(j).append(' ').append(i);
                    }
                    ask(0, next.toString());
                }
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        writer.start();
        try {
            for (int i = 0; i < 1_000; i++) {
                List<?> values = (List<?>) ask(1, all.toString());
                assertThat(values.stream().distinct().count())
                        .as("values of one moment: %s", values)
                        .isEqualTo(1);
            }
        } finally {
            isDone.set(true);
            writer.join();
        }
    }

    @Test
    void aReadKeepsToItsDatabaseWhileItIsSwapped() throws Exception {
        AtomicBoolean isDone = new AtomicBoolean();
        ask(0, "SET key zero");
        Thread writer = new Thread(() -> {
            try {
                while (!isDone.get()) {
                    for (String each : List.of("MULTI", "SWAPDB 0 1", "SET key zero", "SELECT 1", "SET key one")) {
                        ask(0, each);
                    }
                    ask(0, "EXEC");
                    ask(0, "SELECT 0");
                }
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        writer.start();
        try {
            RespClient client = clients.get(1);
            for (int i = 0; i < 50; i++) {
                client.sendRaw("GET key\r\n".repeat(500));
                for (int j = 0; j < 500; j++) {
                    assertThat(client.read()).isEqualTo("zero");
                }
            }
        } finally {
            isDone.set(true);
            writer.join();
        }
    }

    @Test
    void aKeyThatIsTooLongToBeWatchedFailsNothingElse() throws Exception {
        String tooLong = "k".repeat(65_536);
        try (RespClient client = group.client(1)) {
            client.send("SET", "a", "1");
            client.send("WATCH", "a", tooLong);
            client.send("SET", "b", "2");
            assertThat(client.read()).isEqualTo("OK");
            assertThat(client.read()).asString().contains("ERR key is longer than");
            assertThat(client.read()).isEqualTo("OK");
            group.restart(2);
            assertThat(client.call("SET", "c", "3")).isEqualTo("OK");
        }
        assertThat(group.contents()).allMatch(group.contents().get(0)::equals);
    }

    @Test
    void membersAreShownAndAnotherIsMadeTheLeader() throws Exception {
        assertThat(ask(1, "RAFT MEMBERS").toString()).contains("n0", "n1", "n2", "leader", "follower");
        assertThat(ask(1, "RAFT TRANSFER n1")).isEqualTo("OK");
        assertThat((String) ask(1, "INFO replication")).contains("role:master", "raft_role:leader");
        assertThat((String) ask(0, "INFO replication")).contains("role:slave", "raft_role:follower");
        assertThat(ask(0, "ROLE").toString()).contains("slave", "connected");
        assertThat(ask(0, "RAFT SNAPSHOT")).isInstanceOf(Long.class);
        assertThat(failure(0, "RAFT REMOVE n9")).isEqualTo("ERR no member: n9");
        long others = group.members.size() - 1;
        assertThat(ask(0, "WAIT 1 0")).isEqualTo(others);
        assertThat(ask(0, "WAITAOF 1 1 0")).isEqualTo(List.of(1L, others));
        assertThat(ask(0, "WAIT 9 20")).isEqualTo(others);
        group.failure = new ReplicationException(Kind.NO_QUORUM, null, "nobody there", null);
        assertThat(failure(0, "WAIT 1 0")).startsWith("CLUSTERDOWN");
        group.failure = null;
        try (RespClient waiting = group.client(0)) {
            waiting.send("WAIT", "9", "0");
            while (group.counts.size() < 2) {
                Thread.onSpinWait();
            }
        }
        assertThatThrownBy(() -> group.counts.get(1).get(1, TimeUnit.MINUTES))
                .as("the client is gone")
                .isInstanceOf(CancellationException.class);
    }

    /** Random pipelines get, byte by byte, the replies of a server that is alone; and all members have the same content. */
    @Test
    void aGroupAnswersWhatAServerAnswersThatIsAlone() throws Exception {
        for (int seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            try (TestServer alone = TestServer.start(false);
                    RespClient one = alone.client();
                    RespClient other = group.client(random.nextInt(MEMBERS))) {
                alone.clock.set(clock.instant());
                one.call("HELLO", seed % 2 == 0 ? "2" : "3");
                other.call("HELLO", seed % 2 == 0 ? "2" : "3");
                one.call("FLUSHALL");
                other.call("FLUSHALL");
                for (int round = 0; round < 20; round++) {
                    List<String[]> requests = new ArrayList<>();
                    for (int i = 0; i < 1 + random.nextInt(30); i++) {
                        requests.add(randomRequest(random, seed % 4 < 2));
                    }
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    requests.forEach(request -> bytes.writeBytes(RespClient.encode(request)));
                    int cut = random.nextInt(bytes.size());
                    other.sendRaw(Arrays.copyOfRange(bytes.toByteArray(), 0, cut));
                    one.sendRaw(bytes.toByteArray());
                    other.sendRaw(Arrays.copyOfRange(bytes.toByteArray(), cut, bytes.size()));
                    for (String[] request : requests) {
                        assertThat(other.read())
                                .as("seed %d, round %d: %s", seed, round, String.join(" ", request))
                                .isEqualTo(one.read());
                    }
                    Duration step = Duration.ofMillis(random.nextInt(400));
                    clock.advance(step);
                    alone.clock.advance(step);
                }
                assertSameContent();
            }
        }
    }

    private static final String[] TEMPLATES = {
        "GET k",
        "GET k",
        "SET k v",
        "SET k v NX",
        "SET k v GET",
        "SET k v PX 500",
        "SET k v KEEPTTL",
        "SET k v IFEQ v",
        "SETNX k v",
        "GETSET k v",
        "GETDEL k",
        "GETEX k PX 300",
        "INCR k",
        "INCRBY k 7",
        "DECR k",
        "INCRBYFLOAT k 1.5",
        "APPEND k v",
        "STRLEN k",
        "SETRANGE k 2 v",
        "GETRANGE k 0 1",
        "MSET k v k v",
        "MSETNX k v k v",
        "MGET k k",
        "DEL k k",
        "DEL k",
        "EXISTS k k",
        "RENAME k k",
        "RENAMENX k k",
        "COPY k k REPLACE",
        "COPY k k DB 1",
        "MOVE k 1",
        "EXPIRE k 1",
        "PEXPIRE k 200 NX",
        "PERSIST k",
        "PTTL k",
        "PEXPIRETIME k",
        "TYPE k",
        "DELIFEQ k v",
        "MULTI",
        "EXEC",
        "DISCARD",
        "WATCH k",
        "UNWATCH",
        "SELECT 1",
        "SELECT 0",
        "FLUSHDB",
        "SWAPDB 0 1",
        "DBSIZE",
        "PING",
        "ECHO v",
        "SET k",
        "NOSUCH k",
        "INCR",
        "EXPIRE k x",
        "PEXPIREAT k 1"
    };

    /** A group may take watched keys for changed when any database is emptied or swapped: a seed has one or the other. */
    private static String[] randomRequest(Random random, boolean watches) {
        String[] words = TEMPLATES[random.nextInt(TEMPLATES.length)].split(" ");
        if (watches ? words[0].equals("FLUSHDB") || words[0].equals("SWAPDB") : words[0].equals("WATCH")) {
            return new String[] {"PING"};
        }
        for (int i = 1; i < words.length; i++) {
            if (words[i].equals("k")) {
                words[i] = "k" + random.nextInt(4);
            } else if (words[i].equals("v")) {
                words[i] = Integer.toString(random.nextInt(3));
            }
        }
        return words;
    }
}
