package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The power of all members is cut while they count: of each store, which nobody forces but to give the log back, any part of what was
 * not forced is lost; the log, which is forced, is as it was at that moment. Nothing acknowledged is lost, nothing acts twice.
 * {@code caskwright.seed} repeats a run, {@code caskwright.cut.cycles} is how often the power is cut.
 */
final class RaftPowerLossTest {
    private static final byte[] COUNTER = "counter".getBytes(UTF_8);
    private static final byte[] FILLER = "filler".getBytes(UTF_8);
    private static final int UNDER_WAY = 4;
    private static final long ENTRIES = 100;

    @TempDir
    private Path directory;

    private final Map<String, CrashableIoManager> disks = new HashMap<>();
    private final AtomicLong asked = new AtomicLong();
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong counting = new AtomicLong();
    private volatile boolean isOver;

    @Test
    void nothingIsLostOrDoneTwiceWhenAllMembersLosePower() throws IOException {
        long seed = Long.getLong("caskwright.seed", System.nanoTime());
        Random random = new Random(seed);
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.snapshotEveryBytes(16 << 10).electionTimeout(Duration.ofMillis(700)));
            for (RaftMember member : cluster.members) {
                use(cluster, member.id(), new CrashableIoManager().logging(false));
            }
            cluster.startAll();
            for (int round = Integer.getInteger("caskwright.cut.cycles", 1); round > 0; round--) {
                String leader = cluster.leaderId();
                long before = acknowledged.get();
                isOver = false;
                counting.set(UNDER_WAY);
                for (int i = 0; i < UNDER_WAY; i++) {
                    count(cluster.node(leader));
                }
                Cluster.await("counting", () -> acknowledged.get() >= before + ENTRIES);
                long told = acknowledged.get();
                Map<String, CrashableIoManager> left = cutPower(cluster, random);
                Cluster.await("the end of the counting", () -> counting.get() == 0);
                for (RaftMember member : cluster.members) {
                    String id = member.id();
                    cluster.stop(id);
                    SideFiles.deleteTree(cluster.directory(id));
                    Files.move(image(id), cluster.directory(id));
                    use(cluster, id, left.get(id));
                }
                cluster.startAll();
                byte[] value = cluster.engine(cluster.leaderId()).get(COUNTER);
                long found = value == null ? 0 : Codecs.COUNTER.decode(value);
                assertThat(found).as("seed=%d", seed).isBetween(told, asked.get());
                cluster.awaitSame();
                cluster.assertSameContent();
                acknowledged.set(found);
                asked.set(found);
            }
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed=" + seed + ": " + e, e);
        }
    }

    private void use(Cluster cluster, String id, CrashableIoManager disk) {
        disks.put(id, disk);
        cluster.stores.put(id, store -> store.io(disk.factory()));
    }

    /** Counts one after another until the power is cut. */
    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private void count(RaftNode node) {
        if (isOver) {
            counting.decrementAndGet();
            return;
        }
        // So that the log fills segments, which are given back once the store has been forced.
        node.submit(ReplicatedEngine.KIND, EngineCommands.put(FILLER, new byte[2_000], WriteOptions.DEFAULT));
        asked.incrementAndGet();
        node.submit(ReplicatedEngine.KIND, EngineCommands.increment(COUNTER, 1, WriteOptions.DEFAULT))
                .whenComplete((reply, failed) -> {
                    if (failed == null) {
                        acknowledged.incrementAndGet();
                    }
                    CompletableFuture.runAsync(() -> count(node));
                });
    }

    private Path image(String id) {
        return directory.resolve("image-" + id);
    }

    /**
     * Takes what is left of each member, one after another; the store's disk before the log, which is ahead of it. They are parted
     * first, and each goes on by itself: what one member told another after its disk was taken would be known to the other alone.
     */
    private Map<String, CrashableIoManager> cutPower(Cluster cluster, Random random) throws IOException {
        for (RaftMember member : cluster.members) {
            cluster.isolate(member.id());
        }
        Map<String, CrashableIoManager> left = new HashMap<>();
        for (RaftMember member : cluster.members) {
            String id = member.id();
            Set<String> before;
            do { // once more if a part of the log got another name, or was given back, meanwhile
                SideFiles.deleteTree(image(id));
                before = names(cluster.directory(id));
                left.put(id, disks.get(id).peekPowerLoss(random.nextLong()).logging(false));
                copy(cluster.directory(id), image(id));
            } while (!names(cluster.directory(id)).equals(before));
        }
        isOver = true;
        cluster.heal(); // so that what is under way ends
        return left;
    }

    private static Set<String> names(Path place) throws IOException {
        try (Stream<Path> files = Files.walk(place)) {
            return files.map(Path::toString).collect(Collectors.toSet());
        } catch (UncheckedIOException e) {
            return Set.of(); // a directory went while it was read
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        List<Path> all = new ArrayList<>();
        try (Stream<Path> files = Files.walk(from)) {
            all.addAll(files.toList());
        }
        for (Path each : all) {
            Path target = to.resolve(from.relativize(each));
            if (Files.isDirectory(each)) {
                Files.createDirectories(target);
            } else {
                try {
                    Files.copy(each, target);
                } catch (NoSuchFileException e) {
                    continue; // a part of the log that was given back meanwhile
                }
            }
        }
    }
}
