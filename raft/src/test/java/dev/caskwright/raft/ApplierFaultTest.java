package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Outcome;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Appliers and callers that err: what they do must neither part the members nor stop them all, at this start and each one after it. */
final class ApplierFaultTest {
    private static final int READ = 1;
    private static final int FILL = 2;
    private static final int MEBI = 1 << 20;

    @TempDir
    private Path directory;

    /** Reads a key as a lambda does that may throw nothing checked. */
    private static byte[] read(Overlay overlay, byte[] key) {
        try {
            byte[] value = overlay.get(key);
            return value == null ? new byte[0] : value;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Makes so many MiB of a command of 4 bytes. */
    private static byte[] fill(Overlay overlay, byte[] command) {
        for (int i = ByteBuffer.wrap(command).getInt(); i > 0; i--) {
            overlay.put(bytes("key" + i), new byte[MEBI]);
        }
        return new byte[0];
    }

    private static RaftNodeBuilder quick(RaftNodeBuilder options) {
        return options.electionTimeout(Duration.ofMillis(200));
    }

    @Test
    void aStoreThatFailsStopsTheMemberWhateverTheApplierMakesOfIt() throws Exception {
        try (Cluster cluster = new Cluster(directory, 1)) {
            cluster.options(options -> quick(options).applier(READ, ApplierFaultTest::read))
                    .startAll();
            RaftNode node = cluster.leader();
            byte[] value = bytes("a value that is told from all else");
            cluster.engine("n1").put(bytes("key"), value);
            assertThat(node.submit(READ, bytes("key")).join()).isEqualTo(value);
            damage(cluster.directory("n1").resolve("store"), value);
            assertThatThrownBy(() -> node.submit(READ, bytes("key")).join()).hasCauseInstanceOf(RaftException.class);
            Cluster.await("the member stops", () -> node.state().failure() != null);
        }
    }

    private static void damage(Path store, byte[] value) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(store)) {
            files = all.filter(file -> file.toString().endsWith(".data")).toList();
        }
        for (Path file : files) {
            String text = new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1);
            int at = text.indexOf(new String(value, UTF_8));
            if (at >= 0) {
                try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
                    out.seek(at);
                    out.write('X');
                }
            }
        }
    }

    @Test
    void aCommandThatMakesMoreThanMembersHaveMemoryForFailsAndTheyGoOn() throws Exception {
        try (Cluster cluster = new Cluster(directory, 1)) {
            cluster.options(options -> quick(options).applier(FILL, ApplierFaultTest::fill))
                    .startAll();
            RaftNode node = cluster.leader();
            int least = (int) (Overlay.MOST_BYTES / MEBI);
            assertThatThrownBy(() -> node.submit(FILL, number(least + 1)).join())
                    .hasCauseInstanceOf(CommandFailedException.class)
                    .hasMessageContaining("changes too much");
            assertThat(cluster.engine("n1").size()).isZero();
            node.submit(FILL, number(2)).join();
            assertThat(cluster.engine("n1").size()).isEqualTo(2);
        }
    }

    @Test
    void whatTheCommandsOfAnEntryMakeIsCountedTogether() throws Exception {
        try (dev.caskwright.bitcask.BitcaskEngine store = dev.caskwright.bitcask.BitcaskEngine.open(directory)) {
            Overlay overlay = new Overlay(store);
            overlay.begin(1, 1, 0);
            byte[] half = new byte[(int) (Overlay.MOST_BYTES / 2)];
            for (int i = 0; i < 3; i++) { // the same key again is no more
                overlay.beginCommand();
                overlay.put(bytes("key"), half);
                overlay.keep(0);
            }
            overlay.beginCommand();
            assertThatThrownBy(() -> overlay.put(bytes("other"), half)).hasMessageContaining("changes too much");
            overlay.forget();
            overlay.delete(bytes("key"));
            overlay.put(bytes("other"), half);
            overlay.keep((int) Overlay.MOST_BYTES + 1);
            assertThatThrownBy(overlay::beginCommand).isInstanceOf(CommandFailedException.class);
            overlay.begin(2, 1, 0);
            overlay.beginCommand();
            overlay.put(bytes("key"), half);
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 10; i++) {
                            overlay.get(bytes("key"));
                        }
                    })
                    .hasMessageContaining("reads too much");
        }
    }

    @Test
    void aCommandThatTheLeaderHasNoApplierForIsRefusedThere() throws Exception {
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.electionTimeout(Duration.ofMillis(700)));
            cluster.start("n1");
            cluster.start("n2");
            cluster.leader();
            cluster.nodes.put(
                    "n3",
                    cluster.builder("n3").applier(READ, ApplierFaultTest::read).open());
            RaftNode newer = cluster.node("n3");
            Cluster.await("n3 knows the leader", () -> newer.leader() != null);
            if (newer.isLeader()) {
                newer.transferLeadership("n1", Duration.ofSeconds(60)).join();
                Cluster.await("another one leads", () -> !"n3".equals(newer.leader()) && newer.leader() != null);
            }
            assertThatThrownBy(() -> newer.submit(READ, bytes("key")).join())
                    .isInstanceOfSatisfying(
                            CompletionException.class,
                            e -> assertThat(((RaftException) e.getCause()).outcome())
                                    .isEqualTo(Outcome.NOT_APPLIED))
                    .hasMessageContaining("no applier of that kind");
            cluster.engine("n3").put(bytes("key"), bytes("value"));
            for (RaftNode node : cluster.nodes.values()) {
                assertThat(node.state().failure()).isNull();
            }
            assertThatThrownBy(() -> newer.submit(READ + 256, bytes("key")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("kind=257");
        }
    }

    private static byte[] number(int number) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
