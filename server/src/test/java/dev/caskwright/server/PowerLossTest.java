package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The power goes, again and again, while clients pipeline: what was acknowledged, or shown to a reader, before it went is there
 * after it, and a transaction is there as a whole or not at all.
 */
final class PowerLossTest {
    private static final int KEYS = 4;
    private static final int PIPELINED = 8;
    private static final int SHOWN_EVERY = 100;

    private final AtomicBoolean isOver = new AtomicBoolean();
    private final AtomicReference<Throwable> problem = new AtomicReference<>();

    /** For each key the greatest number that a client was told of. */
    private final AtomicLongArray told = new AtomicLongArray(KEYS);

    private interface Body {
        void run() throws IOException;
    }

    private Thread start(Body body) {
        Thread thread = new Thread(() -> {
            try {
                body.run();
            } catch (Throwable e) {
                problem.compareAndSet(null, e);
            }
        });
        thread.start();
        return thread;
    }

    private void count(TestServer server, int key) throws IOException {
        try (RespClient client = server.client()) {
            while (!isOver.get()) {
                for (int i = 0; i < PIPELINED; i++) {
                    client.send("INCR", "k" + key);
                }
                for (int i = 0; i < PIPELINED; i++) {
                    tell(key, client.read());
                }
            }
        }
    }

    private void look(TestServer server, int protocol) throws IOException {
        try (RespClient client = server.client(protocol)) {
            while (!isOver.get()) {
                for (int key = 0; key < KEYS; key++) {
                    Object value = client.call("GET", "k" + key);
                    tell(key, value == null ? 0L : Long.parseLong((String) value));
                }
            }
        }
    }

    private void pair(TestServer server) throws IOException {
        try (RespClient client = server.client()) {
            while (!isOver.get()) {
                client.send("MULTI");
                client.send("INCR", "left");
                client.send("INCR", "right");
                client.send("EXEC");
                for (int i = 0; i < 3; i++) {
                    client.read();
                }
                List<?> both = (List<?>) client.read();
                assertThat(both.get(0)).isEqualTo(both.get(1));
            }
        }
    }

    private void tell(int key, Object number) {
        assertThat(number).isInstanceOf(Long.class);
        told.accumulateAndGet(key, (Long) number, Math::max);
    }

    private void run(int rounds, long seed) throws Exception {
        Random random = new Random(seed);
        List<Thread> threads = new ArrayList<>();
        try (TestServer server = TestServer.start(false, "appendfsync", "always")) {
            for (int i = 0; i < KEYS; i++) {
                int key = i;
                threads.add(start(() -> count(server, key)));
                threads.add(start(() -> count(server, key)));
            }
            threads.add(start(() -> look(server, 2)));
            threads.add(start(() -> look(server, 3)));
            threads.add(start(() -> pair(server)));
            for (int round = 0; round < rounds && problem.get() == null; round++) {
                long[] before = new long[KEYS];
                for (int key = 0; key < KEYS; key++) {
                    before[key] = told.get(key);
                }
                judge(server.disk.peekPowerLoss(random.nextLong()), before, "seed=" + seed + ", round=" + round);
                if ((round + 1) % SHOWN_EVERY == 0) {
                    System.out.println((round + 1) + " power losses, told of " + told);
                }
            }
            isOver.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(problem.get()).isNull();
        } finally {
            isOver.set(true);
        }
    }

    private static void judge(CrashableIoManager disk, long[] told, String context) throws IOException {
        try (TestServer after = TestServer.start(disk, disk.factory(), false);
                RespClient client = after.client()) {
            for (int key = 0; key < KEYS; key++) {
                String value = (String) client.call("GET", "k" + key);
                assertThat(value == null ? 0 : Long.parseLong(value))
                        .as(context)
                        .isGreaterThanOrEqualTo(told[key]);
            }
            assertThat(client.call("GET", "left")).as(context).isEqualTo(client.call("GET", "right"));
        }
    }

    @Test
    void whatAClientWasToldOfIsThereAfterAPowerLoss() throws Exception {
        run(30, System.nanoTime());
    }

    @Test
    @Tag("campaign")
    void whatAClientWasToldOfIsThereAfterManyPowerLosses() throws Exception {
        run(Integer.getInteger("caskwright.cut.cycles", 1_000), Long.getLong("caskwright.seed", System.nanoTime()));
    }
}
