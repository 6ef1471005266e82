package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A member that was away for longer than the log goes back, and the log that does not wait for it. */
final class RaftCatchUpTest {
    private static final long SNAPSHOT_BYTES = 256 << 10;

    @TempDir
    Path directory;

    @Test
    void aMemberThatIsTooFarBehindCopiesTheStoreAndTheLogStaysBounded() throws Exception {
        List<String> steps = Collections.synchronizedList(new ArrayList<>());
        try (Cluster cluster = open()) {
            cluster.startAll();
            String away = cluster.followerId();
            cluster.stop(away);
            writeMoreThanTheLogKeeps(cluster, 0);
            assertThat(logBytes(cluster, cluster.leaderId()))
                    .describedAs("bytes of the leader's log with a dead member")
                    .isLessThan(4 * SNAPSHOT_BYTES);
            cluster.steps.put(away, steps::add);
            cluster.start(away);
            cluster.awaitSame();
            assertThat(steps).contains("verify", "complete", "store to old", "incoming to store", "delete old");
            cluster.engine(away).put(bytes("after"), bytes("the copy"));
            cluster.awaitSame();
            cluster.assertSameContent();
        }
    }

    @Test
    void aCopyThatCrashesInTheMiddleOfItsSwapIsTakenUpAgain() throws Exception {
        crashAt(List.of("incoming to store"));
    }

    @Test
    @Tag("campaign")
    void aCopyThatCrashesAtAnyStepIsTakenUpAgain() throws Exception {
        crashAt(List.of(
                "copy 0",
                "copy 1",
                "verify",
                "force",
                "complete",
                "store to old",
                "incoming to store",
                "remove complete",
                "delete old"));
    }

    private void crashAt(List<String> steps) throws Exception {
        try (Cluster cluster = open()) {
            cluster.startAll();
            String away = cluster.followerId();
            int round = 0;
            for (String step : steps) {
                cluster.stop(away);
                writeMoreThanTheLogKeeps(cluster, round++);
                AtomicBoolean isHit = new AtomicBoolean();
                cluster.steps.put(away, now -> {
                    if (isHit.get() || now.equals(step)) {
                        isHit.set(true); // from here on nothing more happens in its directory
                        throw new IllegalStateException("crashed before: " + step);
                    }
                });
                cluster.start(away);
                Cluster.await("a crash before: " + step, isHit::get);
                cluster.stop(away);
                cluster.steps.remove(away);
                cluster.start(away);
                cluster.awaitSame();
                cluster.assertSameContent();
            }
        }
    }

    /** Ratis must not wait for entries that come behind the copy. */
    @Test
    void closingEndsThoughACopyCannotTakeThePlaceOfTheStoreMeanwhile() throws Exception {
        try (Cluster cluster = open()) {
            cluster.startAll();
            String away = cluster.followerId();
            cluster.stop(away);
            writeMoreThanTheLogKeeps(cluster, 0);
            AtomicBoolean isHit = new AtomicBoolean();
            cluster.steps.put(away, now -> {
                if (now.equals("incoming to store") && isHit.compareAndSet(false, true)) {
                    Cluster.await("Ratis is stopping", CloseAfterFailureTest::isRatisStopping);
                    throw new IllegalStateException("planted");
                }
            });
            RaftNode node = cluster.start(away);
            Cluster.await("a copy is to take the place of the store", isHit::get);
            cluster.stop(away);
            assertThat(node.state().failure()).hasMessageContaining("planted");
            cluster.start(away);
            cluster.awaitSame();
            cluster.assertSameContent();
        }
    }

    private Cluster open() throws IOException {
        Cluster cluster = new Cluster(directory, 3);
        cluster.options(options -> options.snapshotEveryBytes(SNAPSHOT_BYTES));
        return cluster;
    }

    /** Writes until the leader's log begins behind what the others may lack. */
    private static void writeMoreThanTheLogKeeps(Cluster cluster, int round) throws Exception {
        RaftNode leader = cluster.leader();
        long first = leader.state().applied();
        byte[] value = new byte[16 << 10];
        for (int i = 0; firstInLog(cluster, leader.self().id()) <= first + 1; i++) {
            assertThat(i).describedAs("writes without the log being given back").isLessThan(2_000);
            List<CompletableFuture<byte[]>> replies = new ArrayList<>();
            for (int j = 0; j < 4; j++) {
                byte[] key = bytes("key" + round + "-" + (4 * i + j) % 50);
                value[0] = (byte) i;
                replies.add(leader.submit(
                        ReplicatedEngine.KIND,
                        EngineCommands.put(key, value, dev.caskwright.api.WriteOptions.DEFAULT)));
            }
            for (CompletableFuture<byte[]> reply : replies) {
                reply.get(60, TimeUnit.SECONDS);
            }
        }
    }

    private static List<Path> segments(Cluster cluster, String id) throws IOException {
        Path log = cluster.directory(id).resolve("log");
        List<Path> found = new ArrayList<>();
        try (Stream<Path> groups = Files.list(log)) {
            for (Path group : groups.toList()) {
                // Names alone: a segment may go meanwhile.
                String[] names = group.resolve("current").toFile().list((place, name) -> name.startsWith("log_"));
                for (String name : names == null ? new String[0] : names) {
                    found.add(group.resolve("current").resolve(name));
                }
            }
        }
        return found;
    }

    private static long firstInLog(Cluster cluster, String id) throws IOException {
        long first = Long.MAX_VALUE;
        for (Path segment : segments(cluster, id)) {
            String[] parts = segment.getFileName().toString().split("[_-]", -1);
            first = Math.min(first, Long.parseLong(parts[1].equals("inprogress") ? parts[2] : parts[1]));
        }
        return first;
    }

    private static long logBytes(Cluster cluster, String id) throws IOException {
        long bytes = 0;
        for (Path segment : segments(cluster, id)) {
            bytes += segment.toFile().length();
        }
        return bytes;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
