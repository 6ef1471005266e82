package dev.caskwright.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.CaskServer;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replication;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members that come and go by the commands of a server, over TLS, and those that do not get in. */
final class RaftMembersTest {
    private static final int MEMBERS = 4;

    @TempDir
    private Path directory;

    private final List<Integer> ports = new ArrayList<>();
    private final Replication[] groups = new Replication[MEMBERS];
    private final CaskServer[] servers = new CaskServer[MEMBERS];

    @BeforeEach
    void choosePorts() throws IOException {
        ports.addAll(RaftServerTest.freePorts(2 * MEMBERS));
    }

    @AfterEach
    void stop() {
        for (int i = 0; i < MEMBERS; i++) {
            stop(i);
        }
    }

    static String tls(String name) throws URISyntaxException {
        return Path.of(RaftMembersTest.class.getResource("/tls/" + name).toURI())
                .toString();
    }

    private String peer(int member) {
        return "n" + member + "@127.0.0.1:" + ports.get(MEMBERS + member) + "/" + ports.get(member);
    }

    /** Returns the configuration of a member that knows itself only. */
    private ServerConfig config(int member) throws URISyntaxException {
        return new ServerConfig()
                .set("bind", "127.0.0.1")
                .set("port", ports.get(member).toString())
                .set("shutdown-timeout", "0")
                .set("mode", "raft")
                .set("raft-id", "n" + member)
                .set("raft-peers", peer(member))
                .set("raft-joining", member == 0 ? "no" : "yes")
                .set("raft-election-timeout", "500")
                .set("raft-request-timeout", "15000")
                .set("follower-proxy", "no")
                .set("raft-tls-key-file", tls("member.key"))
                .set("raft-tls-cert-file", tls("member.crt"))
                .set("raft-tls-ca-cert-file", tls("ca.crt"));
    }

    private void start(int member, ServerConfig config) throws IOException {
        groups[member] =
                new RaftReplicationProvider().open(directory.resolve("n" + member), config, CaskServer.newReplay());
        servers[member] = CaskServer.start(groups[member], config);
    }

    private void stop(int member) {
        if (groups[member] != null) {
            groups[member].close();
            servers[member].close();
            groups[member] = null;
        }
    }

    private String ask(int member, String words) throws IOException {
        try (RespConnection client = new RespConnection(ports.get(member))) {
            return client.call(words.split(" "));
        }
    }

    private void awaitReply(int member, String words, String reply) throws IOException {
        RaftServerTest.await(words + " -> " + reply, () -> ask(member, words).equals(reply));
    }

    @Test
    void membersJoinAreReplacedAndLeaveAndStrangersStayOut() throws Exception {
        start(0, config(0));
        awaitReply(0, "SET key value", "+OK");
        assertThat(ask(0, "RAFT REMOVE n0")).isEqualTo("-ERR the last member of a group stays: n0");

        // Somebody mistypes the address; then there is one with a certificate that nobody believes.
        assertThat(ask(0, "RAFT ADD n1@127.0.0.1:1/0")).startsWith("-ERR the member cannot be added: member=n1@");
        start(1, foreign());
        assertThat(ask(0, "RAFT ADD " + peer(1))).startsWith("-ERR the member cannot be added: member=n1@");
        stop(1);

        start(1, config(1));
        assertThat(ask(0, "RAFT ADD " + peer(1).replace("n1@", "n9@")))
                .contains("another member listens here: asked for=n9, is=n1");
        assertThat(ask(0, "RAFT ADD " + peer(1))).isEqualTo("+OK");
        assertThat(ask(0, "RAFT ADD " + peer(1))).startsWith("-ERR there is a member of this name or at this address");
        assertThat(ask(1, "GET key")).isEqualTo("$value");
        assertThat(ask(0, "WAIT 1 0")).isEqualTo(":1");
        assertThat(ask(1, "RAFT REMOVE n0")).startsWith("-ERR only the leader can do this; it is at 127.0.0.1:");

        // n0 is replaced: where the next leader is reached, n1 and others learn from it.
        RaftServerTest.await("the lead of n1", () -> {
            if (groups[0].isLeader()) {
                ask(0, "RAFT TRANSFER n1");
            }
            return groups[1].isLeader();
        });
        awaitReply(0, "SET key value", "-MOVED 12539 127.0.0.1:" + ports.get(1));
        awaitReply(1, "RAFT REMOVE n0", "+OK");
        awaitReply(1, "SET key again", "+OK");
        assertThat(ask(1, "RAFT MEMBERS")).contains("$n1").doesNotContain("$n0");
    }

    private ServerConfig foreign() throws URISyntaxException {
        return config(1)
                .set("raft-tls-key-file", tls("foreign.key"))
                .set("raft-tls-cert-file", tls("foreign.crt"))
                .set("raft-tls-ca-cert-file", tls("stranger.crt"));
    }

    @Test
    @Tag("campaign")
    void othersThanThoseWhoWaitToBeTakenInStayOut() throws Exception {
        start(0, config(0));
        awaitReply(0, "SET key value", "+OK");
        assertThat(ask(0, "RAFT ADD " + peer(1)))
                .as("nobody listens")
                .startsWith("-ERR the member cannot be added: member=n1@");
        start(
                1,
                config(1)
                        .set("raft-tls-key-file", "")
                        .set("raft-tls-cert-file", "")
                        .set("raft-tls-ca-cert-file", ""));
        assertThat(ask(0, "RAFT ADD " + peer(1)))
                .as("one without TLS")
                .startsWith("-ERR the member cannot be added: member=n1@");
        start(2, config(2).set("raft-group", "another"));
        assertThat(ask(0, "RAFT ADD " + peer(2))).contains("it is a member of another group");
        start(3, config(3).set("raft-joining", "no"));
        awaitReply(3, "SET own history", "+OK");
        assertThat(ask(0, "RAFT ADD " + peer(3))).contains("it was begun as a group of its own");
        assertThat(ask(0, "GET key")).isEqualTo("$value");
    }

    @Test
    void aPartOfTheFilesOfTlsIsAMistakeAndNoPlainText() throws Exception {
        ServerConfig config = config(0).set("raft-tls-cert-file", "");
        assertThatThrownBy(() -> start(0, config))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("raft-tls-cert-file");
        ServerConfig missing =
                config(0).set("raft-tls-key-file", directory.resolve("no.key").toString());
        assertThatThrownBy(() -> start(0, missing))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no.key");
        ServerConfig unknown = config(0).set("raft-index", "nosuch");
        assertThatThrownBy(() -> start(0, unknown))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("raft-index");
        assertThat(directory).isEmptyDirectory();
    }
}
