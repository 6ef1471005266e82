package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One of several groups fails: an opening that fails for it holds nothing, and the others go on. */
final class RaftGroupsFailureTest {
    private static final int GROUPS = 3;
    private static final int SEGMENTS = 100;
    private static final byte FAILING = 9;
    private static final byte TELLING = 8;

    @TempDir
    private Path directory;

    /** What is done when a command of the kind that tells is applied. */
    private volatile Runnable applying = () -> {};

    private RaftGroups open(List<RaftMember> members) throws IOException {
        return open(members, () -> {});
    }

    /** @param opening what is done when the stores are opened */
    private RaftGroups open(List<RaftMember> members, Runnable opening) throws IOException {
        List<UnaryOperator<RaftNodeBuilder>> builders = new ArrayList<>();
        for (int i = 0; i < GROUPS; i++) {
            String name = "group" + i;
            builders.add(builder -> builder.group(name)
                    .id("n1")
                    .members(members)
                    .electionTimeout(Duration.ofMillis(200))
                    .requestTimeout(Duration.ofSeconds(60))
                    .snapshotEveryBytes(256 << 10)
                    .store(options -> {
                        opening.run();
                        return options;
                    })
                    .applier(TELLING, (overlay, command) -> {
                        applying.run();
                        return command;
                    })
                    .applier(FAILING, (overlay, command) -> {
                        throw new IOException("planted");
                    }));
        }
        return RaftGroups.open(directory.resolve("n1"), builders);
    }

    private static List<RaftMember> alone() throws IOException {
        return List.of(new RaftMember("n1", "127.0.0.1", Cluster.freePorts(1).get(0)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static ReplicatedEngine engine(RaftGroups groups, int group) {
        return new ReplicatedEngine(groups.nodes().get(group));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anOpeningThatFailsForTheLogOfOneGroupHoldsNothing(int damaged) throws Exception {
        List<RaftMember> members = alone();
        try (RaftGroups groups = open(members)) {
            for (int i = 0; i < GROUPS; i++) {
                engine(groups, i).put(bytes("key"), bytes("of " + i));
            }
        }
        Map<Path, byte[]> sound = damageLog(damaged);
        Set<String> before = lastingThreads();
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> open(members))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("group-" + damaged)
                    .hasMessageContaining("orrupt");
        }
        Cluster.await("nothing keeps the process from ending", () -> before.containsAll(lastingThreads()));
        for (Map.Entry<Path, byte[]> segment : sound.entrySet()) {
            Files.write(segment.getKey(), segment.getValue());
        }
        try (RaftGroups groups = open(members)) {
            for (int i = 0; i < GROUPS; i++) {
                assertThat(engine(groups, i).get(bytes("key"))).isEqualTo(bytes("of " + i));
            }
        }
    }

    @Test
    void anOpeningThatFailsForThePortHoldsNothing() throws Exception {
        List<RaftMember> members = alone();
        try (RaftGroups groups = open(members)) {
            engine(groups, 0).put(bytes("key"), bytes("value"));
        }
        Set<String> before = lastingThreads();
        List<ServerSocket> taken = new ArrayList<>();
        assertThatThrownBy(() -> open(members, () -> {
                    if (taken.isEmpty()) {
                        taken.add(listener(members.get(0).port())); // after the port was looked at
                    }
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("raft cannot be started")
                .hasMessageContaining(members.get(0).address());
        taken.get(0).close();
        Cluster.await("nothing keeps the process from ending", () -> before.containsAll(lastingThreads()));
        try (RaftGroups groups = open(members)) {
            assertThat(engine(groups, 0).get(bytes("key"))).isEqualTo(bytes("value"));
        }
    }

    @Test
    void anOpeningThatIsInterruptedHoldsNothing() throws Exception {
        List<RaftMember> members = alone();
        try (RaftGroups groups = open(members)) {
            groups.nodes().get(0).submit(TELLING, new byte[1]).get();
            engine(groups, 1).put(bytes("key"), bytes("value"));
        }
        Thread opener = Thread.currentThread();
        for (int i = 0; i < 3; i++) {
            // So that the command is applied again, while the next groups are opened.
            SideFiles.deleteTree(directory.resolve("n1").resolve("group-0").resolve("store"));
            CountDownLatch isInterrupted = new CountDownLatch(1);
            applying = () -> {
                opener.interrupt();
                isInterrupted.countDown();
            };
            try (RaftGroups interrupted =
                    open(members)) { // the command is applied when the member leads, maybe after the opening
                Cluster.await("the opening was interrupted", () -> isInterrupted.getCount() == 0);
                assertThat(interrupted.nodes()).hasSize(GROUPS);
            }
            assertThat(Thread.interrupted()).as("it is told of it").isTrue();
            applying = () -> {};
            try (RaftGroups groups = open(members)) {
                assertThat(engine(groups, 1).get(bytes("key"))).isEqualTo(bytes("value"));
            }
        }
    }

    private static ServerSocket listener(int port) {
        try {
            return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the names of the threads that a process waits for before it ends. */
    private static Set<String> lastingThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !thread.isDaemon())
                .map(Thread::getName)
                .collect(Collectors.toSet());
    }

    /** Damages a segment of the log of a group, so that its entries are needed again, and returns what was there. */
    private Map<Path, byte[]> damageLog(int group) throws IOException {
        Path place = directory.resolve("n1").resolve("group-" + group);
        SideFiles.deleteTree(place.resolve("store"));
        Map<Path, byte[]> sound = new HashMap<>();
        try (DirectoryStream<Path> logs = Files.newDirectoryStream(place.resolve("log"))) {
            Path current = logs.iterator().next().resolve("current");
            try (DirectoryStream<Path> segments = Files.newDirectoryStream(current, "log_*")) {
                for (Path segment : segments) {
                    byte[] bytes = Files.readAllBytes(segment);
                    sound.put(segment, bytes.clone());
                    bytes[bytes.length / 2] ^= 1;
                    Files.write(segment, bytes);
                }
            }
        }
        return sound;
    }

    @Test
    void aGroupThatFailsStopsAndTheOthersGoOn() throws Exception {
        List<RaftMember> members = alone();
        try (RaftGroups groups = open(members)) {
            RaftNode failed = groups.nodes().get(1);
            for (int i = 0; i < GROUPS; i++) {
                engine(groups, i).put(bytes("key"), bytes("of " + i));
            }
            assertThatThrownBy(() -> failed.submit(FAILING, new byte[1]).get()).hasCauseInstanceOf(RaftException.class);
            Cluster.await("the group has stopped", () -> failed.state().role() == Role.STOPPED);
            assertThat(failed.state().failure()).hasMessageContaining("planted");
            assertThat(failed.isLeader()).isFalse();
            assertThat(failed.leader()).isNull();
            engine(groups, 0).put(bytes("key"), bytes("more"));
            assertThat(engine(groups, 2).get(bytes("key"))).isEqualTo(bytes("of 2"));
        }
    }

    @Test
    void aGroupThatCannotWriteItsLogStopsAndTheOthersGoOn() throws Exception {
        List<RaftMember> members = alone();
        List<Path> blocked = new ArrayList<>();
        try (RaftGroups groups = open(members)) {
            for (int i = 0; i < GROUPS; i++) {
                engine(groups, i).put(bytes("key"), bytes("of " + i));
            }
            RaftNode full = groups.nodes().get(1);
            blocked.addAll(blockLog(1, full.state().applied()));
            assertThatThrownBy(() -> {
                        for (int i = 0; i < blocked.size(); i++) {
                            engine(groups, 1).put(bytes("key" + i % 10), new byte[16 << 10]);
                        }
                    })
                    .isInstanceOf(RaftException.class);
            Cluster.await("the group has stopped", () -> full.state().role() == Role.STOPPED);
            assertThat(full.state().failure()).isNotNull();
            engine(groups, 0).put(bytes("key"), bytes("more"));
            assertThat(engine(groups, 2).get(bytes("key"))).isEqualTo(bytes("of 2"));
        }
        for (Path segment : blocked) {
            Files.delete(segment);
        }
        try (RaftGroups groups = open(members)) {
            assertThat(engine(groups, 0).get(bytes("key"))).isEqualTo(bytes("more"));
            assertThat(engine(groups, 1).get(bytes("key"))).isEqualTo(bytes("of 1"));
            engine(groups, 1).put(bytes("key"), bytes("again"));
        }
    }

    /** Has the next segments of the log of a group lie nowhere. */
    private List<Path> blockLog(int group, long from) throws IOException {
        List<Path> blocked = new ArrayList<>();
        Path log = directory.resolve("n1").resolve("group-" + group).resolve("log");
        try (DirectoryStream<Path> logs = Files.newDirectoryStream(log)) {
            Path current = logs.iterator().next().resolve("current");
            for (long i = from; i < from + SEGMENTS; i++) {
                Path segment = current.resolve("log_inprogress_" + i);
                if (!Files.exists(segment)) { // the one that is being written stays
                    blocked.add(Files.createSymbolicLink(
                            segment, directory.resolve("nowhere").resolve("segment")));
                }
            }
        }
        return blocked;
    }

    @Test
    void aGroupWhoseDirectoryIsMissingIsNotBegunAnewSinceItCouldVoteTwice() throws Exception {
        List<RaftMember> members = alone();
        try (RaftGroups groups = open(members)) {
            engine(groups, 1).put(bytes("key"), bytes("kept"));
        }
        Path place = directory.resolve("n1").resolve("group-1");
        Path elsewhere = directory.resolve("elsewhere");
        Files.move(place, elsewhere);
        assertThatThrownBy(() -> open(members))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("the directory of a group is missing")
                .hasMessageContaining("group-1");
        Files.createDirectory(place); // as of a disk that is not mounted
        assertThatThrownBy(() -> open(members)).hasMessageContaining("the directory of a group is missing");
        assertThat(place).isEmptyDirectory();
        Files.delete(place);
        Files.move(elsewhere, place);
        try (RaftGroups groups = open(members)) {
            assertThat(engine(groups, 1).get(bytes("key"))).isEqualTo(bytes("kept"));
        }
    }

    @Test
    void aCrashBeforeAllGroupsAreThereIsNoReasonToRefuse() throws Exception {
        List<RaftMember> members = alone();
        Path place = directory.resolve("n1");
        NodeFiles.claimForGroups(place, GROUPS);
        new NodeFiles(place.resolve("group-0"), step -> {})
                .claim(UUID.nameUUIDFromBytes(bytes("group0")), "n1")
                .close();
        try (RaftGroups groups = open(members)) {
            engine(groups, 1).put(bytes("key"), bytes("value"));
        }
    }
}
