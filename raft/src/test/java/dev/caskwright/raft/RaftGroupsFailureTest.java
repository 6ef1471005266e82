package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One of several groups fails: an opening that fails for it holds nothing, and the others go on. */
final class RaftGroupsFailureTest {
    private static final int GROUPS = 3;
    private static final byte FAILING = 9;

    @TempDir
    private Path directory;

    private RaftGroups open(List<RaftMember> members) throws IOException {
        List<UnaryOperator<RaftNodeBuilder>> builders = new ArrayList<>();
        for (int i = 0; i < GROUPS; i++) {
            String name = "group" + i;
            builders.add(builder -> builder.group(name)
                    .id("n1")
                    .members(members)
                    .electionTimeout(Duration.ofMillis(200))
                    .requestTimeout(Duration.ofSeconds(60))
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
        NodeFiles.deleteAll(place.resolve("store"));
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
}
