package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a member refuses to be opened with: each refusal names the thing, and changes nothing. */
final class RaftDirectoryTest {
    private static final UUID GROUP = UUID.nameUUIDFromBytes(new byte[] {1});

    @TempDir
    Path directory;

    @Test
    void aListOfMembersWithoutThisOneOrWithTwoOfAKindIsRefused() {
        RaftMember one = new RaftMember("n1", "127.0.0.1", 7001);
        RaftMember two = new RaftMember("n2", "127.0.0.1", 7002);
        RaftMember same = new RaftMember("n3", "127.0.0.1", 7002);
        assertThatThrownBy(() -> builder("n1", List.of(two)).open())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lacks this one: id=n1");
        assertThatThrownBy(() -> builder("n1", List.of(one, two, same)).open())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("share an id or an address");
        assertThatThrownBy(() -> RaftNode.builder(directory).open()).isInstanceOf(IllegalStateException.class);
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aMemberIsReadAsItIsWritten() {
        for (String text : List.of("n1@10.0.0.1:7000", "a.b-c_d@host:1", "n2@[::1]:65535")) {
            assertThat(RaftMember.parse(text)).hasToString(text);
        }
        for (String text :
                List.of("n1", "n1@host", "@host:1", "n1@host:0", "n1@host:65536", "n1@host:x", "a b@host:1", "n1@:1")) {
            assertThatThrownBy(() -> RaftMember.parse(text))
                    .describedAs(text)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aStoreThatNoMemberWroteIsRefused() throws IOException {
        new NodeFiles(directory, step -> {}).claim(GROUP, "n1").close();
        try (BitcaskEngine store = BitcaskEngine.open(directory.resolve("store"))) {
            store.put("key".getBytes(UTF_8), "value".getBytes(UTF_8));
        }
        assertRefused("the store has keys that no member of a group wrote");
    }

    @Test
    void aStoreOfAnotherGroupIsRefused() throws IOException {
        new NodeFiles(directory, step -> {}).claim(GROUP, "n1").close();
        UUID other = UUID.nameUUIDFromBytes(new byte[] {2});
        apply(new Applied(other, 1, 5, 0, 0));
        assertRefused("the store belongs to another group");
    }

    @Test
    void aMemberWhoseLogIsMissingIsRefusedSinceItCouldVoteTwice() throws IOException {
        new NodeFiles(directory, step -> {}).claim(GROUP, "n1").close();
        apply(new Applied(GROUP, 1, 5, 0, 0));
        assertRefused("raft's log is missing");
    }

    @Test
    void aLogThatBeginsBehindTheStoreIsRefused() throws IOException {
        new NodeFiles(directory, step -> {}).claim(GROUP, "n1").close();
        apply(new Applied(GROUP, 1, 5, 0, 0));
        Path current = directory.resolve("log").resolve(GROUP.toString()).resolve("current");
        Files.createDirectories(current);
        Files.createFile(current.resolve("log_7-9"));
        Files.createFile(current.resolve("log_inprogress_10"));
        assertRefused("begins behind the store");
    }

    @Test
    void anEntryOfTheLogThatIsDamagedIsAnErrorOfThisMember() throws Exception {
        List<RaftMember> members =
                List.of(new RaftMember("n1", "127.0.0.1", Cluster.freePorts(1).get(0)));
        try (RaftNode node = builder("n1", members).open()) {
            ReplicatedEngine store = new ReplicatedEngine(node);
            for (int i = 0; i < 3; i++) {
                store.put(("key" + i).getBytes(UTF_8), new byte[100]);
            }
        }
        // So that the entries are needed again, as after a power loss that took the store's.
        SideFiles.deleteTree(directory.resolve("store"));
        Path current = directory.resolve("log").resolve(GROUP.toString()).resolve("current");
        for (String name : current.toFile().list((place, each) -> each.startsWith("log_"))) {
            Path segment = current.resolve(name);
            byte[] bytes = Files.readAllBytes(segment);
            bytes[bytes.length / 2] ^= 1;
            Files.write(segment, bytes);
        }
        assertThatThrownBy(() -> builder("n1", members).open())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("raft cannot be started")
                .hasMessageContaining("orrupt");
    }

    @Test
    void aDirectoryThatAnotherNodeHasIsRefused() throws IOException {
        List<Integer> ports = Cluster.freePorts(2);
        List<RaftMember> first = List.of(new RaftMember("n1", "127.0.0.1", ports.get(0)));
        List<RaftMember> second = List.of(new RaftMember("n1", "127.0.0.1", ports.get(1)));
        try (RaftNode node = builder("n1", first).open()) {
            // As if a copy were about to take the place of the store.
            Files.createDirectory(directory.resolve("incoming"));
            Files.createFile(directory.resolve("complete"));
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> builder("n1", second).open())
                        .isInstanceOf(EngineLockedException.class)
                        .hasMessageContaining(directory.toString());
            }
            assertThat(directory.resolve("complete")).exists();
            Files.delete(directory.resolve("complete"));
            new ReplicatedEngine(node).put("key".getBytes(UTF_8), new byte[1]);
        }
        builder("n1", second).open().close();
    }

    @Test
    void aCrashBeforeTheFirstVoteIsNoReasonToRefuse() throws IOException {
        new NodeFiles(directory, step -> {}).claim(GROUP, "n1").close();
        Files.createDirectories(
                directory.resolve("log").resolve(GROUP.toString()).resolve("current"));
        List<RaftMember> members =
                List.of(new RaftMember("n1", "127.0.0.1", Cluster.freePorts(1).get(0)));
        try (RaftNode node = builder("n1", members).open()) {
            new ReplicatedEngine(node).put("key".getBytes(UTF_8), new byte[1]);
        }
    }

    @Test
    void aPortThatIsTakenIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            List<RaftMember> members = List.of(new RaftMember("n1", "127.0.0.1", taken.getLocalPort()));
            assertThatThrownBy(() -> builder("n1", members).open())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.1:" + taken.getLocalPort());
        }
    }

    @Test
    void whatLiesBesideTheLogIsLeftAloneAndTheLogOfAnotherGroupNamed() throws IOException {
        List<RaftMember> members =
                List.of(new RaftMember("n1", "127.0.0.1", Cluster.freePorts(1).get(0)));
        byte[] key = "key".getBytes(UTF_8);
        try (RaftNode node = builder("n1", members).open()) {
            new ReplicatedEngine(node).put(key, key);
        }
        Path log = directory.resolve("log");
        Files.createDirectories(log.resolve("lost+found"));
        Files.writeString(log.resolve("notes.txt"), "not of a member");
        try (RaftNode node = builder("n1", members).open()) {
            assertThat(new ReplicatedEngine(node).get(key)).isEqualTo(key);
        }
        Path other = Files.createDirectories(log.resolve(new UUID(3, 3).toString()));
        assertRefused("a log of another group lies beside that of the member: directory=" + other);
        Files.delete(other);
        try (RaftNode node = builder("n1", members).open()) {
            assertThat(new ReplicatedEngine(node).get(key)).isEqualTo(key);
        }
    }

    private void apply(Applied applied) throws IOException {
        try (BitcaskEngine store = BitcaskEngine.open(directory.resolve("store"))) {
            store.put(Applied.key(), applied.toBytes());
        }
    }

    private void assertRefused(String message) throws IOException {
        List<RaftMember> members =
                List.of(new RaftMember("n1", "127.0.0.1", Cluster.freePorts(1).get(0)));
        assertThatThrownBy(() -> builder("n1", members).open())
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining(message);
        // The store is not held any more.
        BitcaskEngine.open(directory.resolve("store")).close();
    }

    private RaftNodeBuilder builder(String id, List<RaftMember> members) {
        return RaftNode.builder(directory)
                .group(GROUP)
                .id(id)
                .members(members)
                .electionTimeout(java.time.Duration.ofMillis(200));
    }
}
