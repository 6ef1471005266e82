package dev.caskwright.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.server.config.Option;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.testkit.history.History;
import dev.caskwright.testkit.history.Linearizability;
import dev.caskwright.testkit.history.Operation.Outcome;
import dev.caskwright.testkit.history.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three processes that are one, killed by kill -9 while clients of all of them work: their history is linearizable. {@code
 * caskwright.kill.cycles} is how often one or two are killed in a campaign.
 */
final class KilledMembersTest {
    private static final int MEMBERS = 3;

    @TempDir
    private Path directory;

    private final Process[] processes = new Process[MEMBERS];

    private void start(List<Integer> ports, int member) throws IOException {
        ServerConfig config = RaftServerTest.config(ports, member);
        List<String> lines = new ArrayList<>();
        for (Option option : config.options()) {
            if (option.name().startsWith("raft-")
                    || List.of("mode", "bind", "port").contains(option.name())) {
                lines.add(option.name() + " \"" + option.text() + "\"");
            }
        }
        Path file = directory.resolve("n" + member + ".conf");
        Files.write(file, lines);
        processes[member] = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        MemberProcess.class.getName(),
                        directory.resolve("n" + member).toString(),
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("n" + member + ".log").toFile())
                .start();
    }

    private void run(int rounds, int clientCount, int operations) throws Exception {
        List<Integer> ports = RaftServerTest.freePorts(2 * MEMBERS);
        Random random = new Random(rounds);
        History history = new History();
        List<HistoryClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < MEMBERS; i++) {
                start(ports, i);
            }
            for (int i = 0; i < clientCount; i++) {
                clients.add(new HistoryClient(history, ports.subList(0, MEMBERS), i));
                clients.get(i).start();
            }
            for (int round = 0; round < rounds; round++) {
                awaitMore(history, operations);
                int first = random.nextInt(MEMBERS);
                int killed = random.nextInt(4) == 0 ? 2 : 1;
                for (int i = 0; i < killed; i++) {
                    processes[(first + i) % MEMBERS].destroyForcibly().waitFor();
                }
                if (killed == 1) {
                    awaitMore(history, operations);
                }
                for (int i = 0; i < killed; i++) {
                    start(ports, (first + i) % MEMBERS);
                }
            }
            awaitMore(history, operations);
        } finally {
            for (HistoryClient client : clients) {
                client.end();
            }
            for (Process process : processes) {
                if (process != null) {
                    process.destroyForcibly().waitFor();
                }
            }
        }
        Verdict verdict = Linearizability.judge(history);
        System.out.println(rounds + " rounds: " + verdict);
        assertThat(verdict.isLinearizable()).as("seed %d: %s", rounds, verdict).isTrue();
    }

    private static void awaitMore(History history, int more) throws IOException {
        long now = history.count(Outcome.DONE);
        RaftServerTest.await("more operations are done", () -> history.count(Outcome.DONE) >= now + more);
    }

    @Test
    @Tag("campaign")
    void aHistoryWithManyKillsIsLinearizable() throws Exception {
        run(Integer.getInteger("caskwright.kill.cycles", 50), 8, 500);
    }
}
