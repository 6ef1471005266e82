package dev.caskwright.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.server.CaskServer;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.testkit.history.History;
import dev.caskwright.testkit.history.Linearizability;
import dev.caskwright.testkit.history.Operation.Outcome;
import dev.caskwright.testkit.history.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three servers in this JVM that are one: what clients see, also while the leader is killed. */
final class RaftServerTest {
    private static final int MEMBERS = 3;
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(10);

    @TempDir
    private Path directory;

    private final List<Integer> ports = new ArrayList<>();
    private final List<Replication> groups = new ArrayList<>();
    private final List<CaskServer> servers = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        ports.addAll(freePorts(2 * MEMBERS));
        for (int i = 0; i < MEMBERS; i++) {
            groups.add(null);
            servers.add(null);
            start(i);
        }
    }

    @AfterEach
    void stop() {
        for (int i = 0; i < MEMBERS; i++) {
            kill(i);
        }
    }

    static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        List<Integer> ports = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
                ports.add(sockets.get(i).getLocalPort());
            }
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
        return ports;
    }

    /** Returns the configuration of a member; the ports of clients come before those of members. */
    static ServerConfig config(List<Integer> ports, int member) {
        StringBuilder peers = new StringBuilder();
        for (int i = 0; i < MEMBERS; i++) {
            peers.append("n" + i + "@127.0.0.1:" + ports.get(MEMBERS + i) + "/" + ports.get(i) + " ");
        }
        return new ServerConfig()
                .set("bind", "127.0.0.1")
                .set("port", ports.get(member).toString())
                .set("shutdown-timeout", "0")
                .set("mode", "raft")
                .set("raft-id", "n" + member)
                .set("raft-peers", peers.toString())
                .set("raft-election-timeout", "1500")
                .set("raft-request-timeout", "15000");
    }

    private void start(int member) throws IOException {
        ServerConfig config = config(ports, member);
        Replication group =
                new RaftReplicationProvider().open(directory.resolve("n" + member), config, CaskServer.newReplay());
        groups.set(member, group);
        servers.set(member, CaskServer.start(group, config));
    }

    /** Ends a member without a word to its clients or the others. */
    private void kill(int member) {
        if (groups.get(member) != null) {
            groups.get(member).close();
            servers.get(member).close();
            groups.set(member, null);
            servers.set(member, null);
        }
    }

    /** Says whether a state is reached. */
    @FunctionalInterface
    interface State {
        boolean isReached() throws IOException;
    }

    static void await(String what, State state) throws IOException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!state.isReached()) {
            assertThat(System.nanoTime()).as("not reached in time: %s", what).isLessThan(end);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    private int leader() throws IOException {
        int[] leader = new int[1];
        await("a leader", () -> {
            for (int i = 0; i < MEMBERS; i++) {
                if (groups.get(i) != null && groups.get(i).isLeader()) {
                    leader[0] = i;
                    return true;
                }
            }
            return false;
        });
        return leader[0];
    }

    private RespConnection client(int member) throws IOException {
        return new RespConnection(ports.get(member));
    }

    private String ask(int member, String words) throws IOException {
        try (RespConnection client = client(member)) {
            return client.call(words.split(" "));
        }
    }

    @Test
    void membersAreOneStoreToTheirClients() throws IOException {
        int leader = leader();
        int other = (leader + 1) % MEMBERS;
        for (int i = 0; i < MEMBERS; i++) {
            assertThat(ask(i, "INCR count")).isEqualTo(":" + (i + 1));
            assertThat(ask((i + 1) % MEMBERS, "GET count")).isEqualTo("$" + (i + 1));
        }
        try (RespConnection client = client(other)) {
            assertThat(client.call("WATCH", "count")).isEqualTo("+OK");
            assertThat(client.call("MULTI")).isEqualTo("+OK");
            assertThat(client.call("INCR", "count")).isEqualTo("+QUEUED");
            assertThat(client.call("SET", "by", "transaction", "PX", "3600000")).isEqualTo("+QUEUED");
            assertThat(client.call("EXEC")).isEqualTo("*[:4, +OK]");
            client.call("WATCH", "count");
            ask(leader, "SET count 4");
            client.call("MULTI");
            client.call("INCR", "count");
            assertThat(client.call("EXEC")).isEqualTo("*-1");
            assertThat(client.call("SCAN", "0")).contains("$count", "$by");
            assertThat(client.call("DBSIZE")).isEqualTo(":2");
            assertThat(client.call("FLUSHALL")).isEqualTo("+OK");
            assertThat(client.call("DBSIZE")).isEqualTo(":0");
            assertThat(client.call("INFO", "replication")).contains("role:slave", "raft_role:follower", "raft_term:");
            assertThat(client.call("RAFT", "MEMBERS")).contains("$n0", "$n1", "$n2", "$leader");
            assertThat(client.call("RAFT", "REMOVE", "n9")).startsWith("-ERR only the leader can do this; it is at");
            assertThat(client.call("CONFIG", "SET", "follower-proxy", "no")).isEqualTo("+OK");
            assertThat(client.call("SET", "foo", "1")).isEqualTo("-MOVED 12182 127.0.0.1:" + ports.get(leader));
        }
        await("the other leads", () -> {
            // On a busy machine a third one may be elected meanwhile: it is asked then.
            ask(leader(), "RAFT TRANSFER n" + other);
            return groups.get(other).isLeader();
        });
        assertThat(ask(other, "SET a 1")).isEqualTo("+OK");
        assertThat(ask(other, "RAFT SNAPSHOT")).startsWith(":");
        for (int i = 0; i < MEMBERS; i++) {
            assertThat(ask(i, "WAIT 2 60000")).isEqualTo(":2");
            assertThat(ask(i, "WAITAOF 1 2 60000")).isEqualTo("*[:1, :2]");
        }
        kill((other + 1) % MEMBERS);
        assertThat(ask(other, "WAIT 2 100")).isEqualTo(":1");
        kill((other + 2) % MEMBERS);
        CompletableFuture<String> write = CompletableFuture.supplyAsync(
                () -> { // both wait for as long as they may
                    try {
                        return ask(other, "SET a 2");
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
        await(
                "a member out of three answers no reads",
                () -> ask(other, "GET a").startsWith("-CLUSTERDOWN"));
        // It may be UNKNOWN, if the member still led when it came.
        assertThat(write.join()).matches("-(CLUSTERDOWN|UNKNOWN) .*");
    }

    @Test
    void aHistoryInWhichTheLeaderIsKilledTwiceIsLinearizable() throws Exception {
        History history = new History();
        List<HistoryClient> clients = new ArrayList<>();
        leader();
        for (int i = 0; i < 4; i++) {
            clients.add(new HistoryClient(history, ports.subList(0, MEMBERS), i));
            clients.get(i).start();
        }
        try {
            awaitMore(history, 200);
            for (int round = 0; round < 2; round++) {
                int killed = leader();
                kill(killed);
                awaitMore(history, 200);
                start(killed);
                awaitMore(history, 200);
            }
        } finally {
            for (HistoryClient client : clients) {
                client.end();
            }
        }
        Verdict verdict = Linearizability.judge(history);
        assertThat(verdict.isLinearizable()).as("%s", verdict).isTrue();
    }

    /** Waits until so many more operations have succeeded. */
    private static void awaitMore(History history, int more) throws IOException {
        long now = history.count(Outcome.DONE);
        await("more operations are done", () -> history.count(Outcome.DONE) >= now + more);
    }
}
