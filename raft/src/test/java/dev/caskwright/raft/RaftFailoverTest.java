package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Outcome;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.index.compact.CompactKeyIndex;
import dev.caskwright.io.mmap.MmapIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Counters while leaders are lost, over members with different indexes and IO managers: nothing acknowledged is lost, nothing acts
 * twice, and the members end up the same.
 */
final class RaftFailoverTest {
    private static final int KEYS = 5;

    @TempDir
    Path directory;

    @Test
    void nothingIsLostOrDoneTwiceWhenLeadersAreLost() throws IOException {
        countWhileLeadersAreLost(2, Long.getLong("caskwright.seed", System.nanoTime()));
    }

    @Test
    @Tag("campaign")
    void nothingIsLostOrDoneTwiceInManyRounds() throws IOException {
        long seed = Long.getLong("caskwright.seed", System.nanoTime());
        countWhileLeadersAreLost(Integer.getInteger("caskwright.raft.rounds", 50), seed);
    }

    private void countWhileLeadersAreLost(int rounds, long seed) throws IOException {
        Random random = new Random(seed);
        long[] acknowledged = new long[KEYS];
        long[] unknown = new long[KEYS];
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.stores.put("n2", store -> store.index(BTreeKeyIndex::new).io(MmapIoManager::open));
            cluster.stores.put("n3", store -> store.index(CompactKeyIndex::new));
            cluster.options(options -> options.snapshotEveryBytes(8 << 10));
            cluster.startAll();
            for (int round = 0; round < rounds; round++) {
                String lost = cluster.leaderId();
                Thread counting =
                        new Thread(() -> count(cluster, new Random(random.nextLong()), acknowledged, unknown));
                counting.start();
                await(round, acknowledged);
                if (random.nextBoolean()) {
                    cluster.stop(lost);
                } else {
                    cluster.isolate(lost);
                }
                join(counting);
                cluster.heal();
                if (cluster.node(lost) == null) {
                    cluster.start(lost);
                }
            }
            cluster.awaitSame();
            ConditionalWrites counters = cluster.engine(cluster.leaderId());
            for (int key = 0; key < KEYS; key++) {
                byte[] value = counters.get(key(key));
                assertThat(value == null ? 0 : Codecs.COUNTER.decode(value))
                        .describedAs(
                                "seed=%d, key=%d, acknowledged=%d, unknown=%d",
                                seed, key, acknowledged[key], unknown[key])
                        .isBetween(acknowledged[key], acknowledged[key] + unknown[key]);
            }
            cluster.assertSameContent();
        }
    }

    private static void await(int round, long[] acknowledged) {
        long before = sum(acknowledged);
        Cluster.await("counting in round " + round, () -> sum(acknowledged) > before);
    }

    private static synchronized long sum(long[] counts) {
        long sum = 0;
        for (long count : counts) {
            sum += count;
        }
        return sum;
    }

    private static synchronized void add(long[] counts, int key) {
        counts[key]++;
    }

    /** Counts until so many were acknowledged, at whichever members are up. */
    private static void count(Cluster cluster, Random random, long[] acknowledged, long[] unknown) {
        RaftNode late = null;
        for (int done = 0; done < 40; ) {
            int key = random.nextInt(KEYS);
            RaftNode node = cluster.anyNode(random);
            if (node == late && random.nextInt(4) > 0) {
                continue; // it is cut off, and answers when that is over
            }
            try {
                byte[] command = EngineCommands.increment(key(key), 1, dev.caskwright.api.WriteOptions.DEFAULT);
                node.submit(ReplicatedEngine.KIND, command).get(500, java.util.concurrent.TimeUnit.MILLISECONDS);
                add(acknowledged, key);
                done++;
            } catch (java.util.concurrent.TimeoutException e) {
                add(unknown, key);
                late = node;
            } catch (java.util.concurrent.ExecutionException e) {
                if (!(e.getCause() instanceof RaftException failure) || failure.outcome() == Outcome.UNKNOWN) {
                    add(unknown, key);
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static void join(Thread thread) {
        Cluster.await("the end of the counting", () -> !thread.isAlive());
    }

    private static byte[] key(int number) {
        return ("counter" + number).getBytes(UTF_8);
    }
}
