package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server is killed while clients pipeline: what it acknowledged is there, whatever {@code appendfsync} is. */
final class KillTest {
    private static final int CLIENTS = 4;
    private static final int PIPELINED = 16;
    private static final int SHOWN_EVERY = 10;

    @TempDir
    private Path directory;

    private final AtomicLongArray acknowledged = new AtomicLongArray(CLIENTS);

    private static Process start(Path directory, String policy) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledServer.class.getName(),
                        directory.toString(),
                        policy)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static int port(Process process) throws IOException {
        String line = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
        assertThat(line).as("the port that the server tells").isNotNull();
        return Integer.parseInt(line);
    }

    private void count(int port, int i, CountDownLatch ready) {
        try (RespClient client = new RespClient(port)) {
            while (true) {
                for (int n = 0; n < PIPELINED; n++) {
                    client.send("INCR", "k" + i);
                }
                for (int n = 0; n < PIPELINED; n++) {
                    acknowledged.set(i, (Long) client.read());
                    ready.countDown();
                }
            }
        } catch (IOException e) {
            // The server was killed, as is intended.
            ready.countDown();
        }
    }

    private void run(int rounds, String policy) throws Exception {
        Random random = new Random(rounds);
        long before = sum();
        for (int round = 0; round < rounds; round++) {
            Process process = start(directory.resolve("store"), policy);
            try {
                int port = port(process);
                check(port, round);
                List<Thread> threads = new ArrayList<>();
                CountDownLatch ready = new CountDownLatch(500 + random.nextInt(5_000));
                for (int i = 0; i < CLIENTS; i++) {
                    int client = i;
                    threads.add(new Thread(() -> count(port, client, ready)));
                    threads.get(i).start();
                }
                ready.await();
                process.destroyForcibly().waitFor();
                for (Thread thread : threads) {
                    thread.join();
                }
            } finally {
                process.destroyForcibly().waitFor();
            }
            if ((round + 1) % SHOWN_EVERY == 0) {
                System.out.println(policy + ": " + (round + 1) + " kills, " + (sum() - before) + " increments");
            }
        }
        Process last = start(directory.resolve("store"), policy);
        try {
            check(port(last), rounds);
        } finally {
            last.destroyForcibly().waitFor();
        }
    }

    private long sum() {
        long sum = 0;
        for (int i = 0; i < CLIENTS; i++) {
            sum += acknowledged.get(i);
        }
        return sum;
    }

    private void check(int port, int round) throws IOException {
        try (RespClient client = new RespClient(port)) {
            for (int i = 0; i < CLIENTS; i++) {
                String value = (String) client.call("GET", "k" + i);
                assertThat(value == null ? 0 : Long.parseLong(value))
                        .as("round %d", round)
                        .isBetween(acknowledged.get(i), acknowledged.get(i) + PIPELINED);
            }
        }
    }

    @Test
    void whatWasAcknowledgedIsThereAfterAKill() throws Exception {
        run(2, "no");
    }

    @Test
    @Tag("campaign")
    void whatWasAcknowledgedIsThereAfterManyKills() throws Exception {
        int cycles = Integer.getInteger("caskwright.kill.cycles", 100);
        run(cycles, "no");
        run(cycles, "always");
    }
}
