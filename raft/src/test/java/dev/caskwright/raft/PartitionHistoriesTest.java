package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Outcome;
import dev.caskwright.testkit.history.Action;
import dev.caskwright.testkit.history.History;
import dev.caskwright.testkit.history.Linearizability;
import dev.caskwright.testkit.history.Operation;
import dev.caskwright.testkit.history.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Short histories of clients of all members while the network between these is cut: each is linearizable. A member is cut off in both
 * directions or in one, or each hears but one other, in a ring. {@code caskwright.seed} repeats the choices, {@code
 * caskwright.raft.histories} is how many there are in a campaign.
 */
final class PartitionHistoriesTest {
    private static final int CLIENTS = 6;
    private static final int OPERATIONS = 15;
    private static final int KEYS = 3;
    private static final int SHOWN_EVERY = 25;

    @TempDir
    private Path directory;

    private final AtomicReference<Throwable> problem = new AtomicReference<>();

    @Test
    void historiesUnderPartitionsAreLinearizable() throws Exception {
        run(2);
    }

    @Test
    @Tag("campaign")
    void manyHistoriesUnderPartitionsAreLinearizable() throws Exception {
        run(Integer.getInteger("caskwright.raft.histories", 1_000));
    }

    private void run(int histories) throws Exception {
        long seed = Long.getLong("caskwright.seed", System.nanoTime());
        Random random = new Random(seed);
        long[] totals = new long[Operation.Outcome.values().length];
        try (Cluster cluster = new Cluster(directory, 3)) {
            cluster.options(options -> options.electionTimeout(Duration.ofMillis(400))
                    .requestTimeout(Duration.ofMillis(1_200))
                    .snapshotEveryBytes(32 << 10));
            cluster.startAll();
            for (int i = 1; i <= histories; i++) {
                cluster.leader();
                History history = new History();
                run(cluster, history, i, random);
                Verdict verdict = Linearizability.judge(history);
                assertThat(verdict.isLinearizable())
                        .as("seed=%d, history %d: %s", seed, i, verdict)
                        .isTrue();
                for (Operation.Outcome outcome : Operation.Outcome.values()) {
                    totals[outcome.ordinal()] += history.count(outcome);
                }
                if (i % SHOWN_EVERY == 0) {
                    System.out.println(i + " histories, operations that are "
                            + Arrays.toString(Operation.Outcome.values()) + ": " + Arrays.toString(totals));
                }
            }
            cluster.assertSameContent();
        }
        assertThat(totals[Operation.Outcome.DONE.ordinal()])
                .as("operations done")
                .isPositive();
    }

    private void run(Cluster cluster, History history, int number, Random random) throws Exception {
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            int client = i;
            Random own = new Random(random.nextLong());
            clients.add(new Thread(() -> work(cluster, history, number, client, own)));
        }
        clients.forEach(Thread::start);
        while (clients.stream().anyMatch(Thread::isAlive)) {
            long ended = ended(history) + 1 + random.nextInt(20);
            Cluster.await(
                    "more operations end",
                    () -> ended(history) >= ended || clients.stream().noneMatch(Thread::isAlive));
            cluster.heal();
            if (random.nextInt(3) > 0) {
                cut(cluster, random);
            }
        }
        cluster.heal();
        for (Thread client : clients) {
            client.join();
        }
        assertThat(problem.get()).isNull();
    }

    private static long ended(History history) {
        return Arrays.stream(Operation.Outcome.values())
                .filter(outcome -> outcome == Operation.Outcome.DONE || outcome == Operation.Outcome.FAILED)
                .mapToLong(history::count)
                .sum();
    }

    private static void cut(Cluster cluster, Random random) {
        List<RaftMember> members = cluster.members;
        int one = random.nextInt(members.size());
        int kind = random.nextInt(4);
        if (kind == 0) {
            cluster.isolate(members.get(one).id());
        }
        for (int i = 1; i < members.size(); i++) {
            String other = members.get((one + i) % members.size()).id();
            if (kind == 1) {
                cluster.cut(members.get(one).id(), other);
            } else if (kind == 2) {
                cluster.cut(other, members.get(one).id());
            }
        }
        for (int i = 0; kind == 3 && i < members.size(); i++) {
            cluster.cut(
                    members.get(i).id(), members.get((i + 1) % members.size()).id());
        }
    }

    private void work(Cluster cluster, History history, int number, int client, Random random) {
        try {
            for (int i = 0; i < OPERATIONS; i++) {
                operate(
                        cluster.anyNode(random),
                        history,
                        "k" + number + "-" + random.nextInt(KEYS),
                        client,
                        client + "." + i,
                        random);
            }
        } catch (IOException | RuntimeException | Error e) {
            problem.compareAndSet(null, e);
        }
    }

    private static void operate(RaftNode node, History history, String key, int client, String value, Random random)
            throws IOException {
        ReplicatedEngine engine = new ReplicatedEngine(node);
        byte[] bytes = key.getBytes(UTF_8);
        int choice = random.nextInt(5);
        History.Pending pending = history.begin(
                client,
                key,
                choice < 2
                        ? Action.get()
                        : choice == 2
                                ? Action.put(value)
                                : choice == 3 ? Action.delete() : Action.compareAndSet(null, value));
        try {
            switch (choice) {
                case 0, 1 -> {
                    byte[] found = engine.get(bytes);
                    pending.read(found == null ? null : new String(found, UTF_8));
                }
                case 2 -> {
                    engine.put(bytes, value.getBytes(UTF_8));
                    pending.done();
                }
                case 3 -> pending.applied(engine.delete(bytes));
                default -> pending.applied(engine.putIfAbsent(bytes, value.getBytes(UTF_8)));
            }
        } catch (RaftException e) {
            if (e.outcome() == Outcome.UNKNOWN && choice > 1) {
                pending.unknown();
            } else {
                pending.failed();
            }
        }
    }
}
