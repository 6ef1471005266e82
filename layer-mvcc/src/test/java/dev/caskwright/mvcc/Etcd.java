package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** A real etcd server of one member on loopback, with its client. */
final class Etcd implements AutoCloseable {
    private static final int ATTEMPTS = 300;

    private final Path directory;
    private final int clientPort;
    private final int peerPort;
    private Process server;

    Etcd(Path directory) throws IOException {
        if (!Files.isExecutable(Path.of("/usr/bin/etcd")) || !Files.isExecutable(Path.of("/usr/bin/etcdctl"))) {
            String missing = "SKIPPED: no real etcd to test against; install etcd-server and etcd-client";
            System.err.println(missing);
            Assumptions.abort(missing);
        }
        this.directory = directory;
        try (ServerSocket one = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            clientPort = one.getLocalPort();
            peerPort = other.getLocalPort();
        }
    }

    private String client() {
        return "http://127.0.0.1:" + clientPort;
    }

    private String peer() {
        return "http://127.0.0.1:" + peerPort;
    }

    private Path data() {
        return directory.resolve("data");
    }

    /** Returns the server's database file. */
    Path file() {
        return data().resolve("member/snap/db");
    }

    void start(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "/usr/bin/etcd",
                "--data-dir",
                data().toString(),
                "--listen-client-urls",
                client(),
                "--advertise-client-urls",
                client(),
                "--listen-peer-urls",
                peer(),
                "--initial-advertise-peer-urls",
                peer(),
                "--initial-cluster",
                "default=" + peer()));
        command.addAll(List.of(options));
        server = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("etcd.log").toFile())
                .start();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            assertThat(server.isAlive())
                    .as(Files.readString(directory.resolve("etcd.log"), StandardCharsets.ISO_8859_1))
                    .isTrue();
            if (run("endpoint", "health").exit == 0) {
                return;
            }
        }
        server.destroyForcibly();
        throw new AssertionError(
                "etcd did not answer: " + Files.readString(directory.resolve("etcd.log"), StandardCharsets.ISO_8859_1));
    }

    void stop() throws InterruptedException {
        server.destroy();
        assertThat(server.waitFor(1, TimeUnit.MINUTES)).isTrue();
    }

    record Result(int exit, String output) {}

    /** Runs the client. */
    Result run(String... words) throws IOException, InterruptedException {
        return fed(null, words);
    }

    private Result fed(String input, String... words) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("/usr/bin/etcdctl", "--endpoints", client(), "--command-timeout", "5s"));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("ETCDCTL_API", "3");
        Process process = builder.start();
        if (input != null) {
            process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
        }
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }

    /** Runs the client, which succeeds. */
    String ok(String... words) throws IOException, InterruptedException {
        Result result = run(words);
        assertThat(result.exit)
                .as(String.join(" ", words) + ": " + result.output)
                .isZero();
        return result.output;
    }

    /** Runs a transaction in the words of the client. */
    String txn(String input) throws IOException, InterruptedException {
        Result result = fed(input, "txn");
        assertThat(result.exit).as(input + ": " + result.output).isZero();
        return result.output;
    }

    /** Makes the server's data of a snapshot. */
    void restore(Path snapshot) throws IOException, InterruptedException {
        ok(
                "snapshot",
                "restore",
                snapshot.toString(),
                "--data-dir",
                data().toString(),
                "--initial-cluster",
                "default=" + peer(),
                "--initial-advertise-peer-urls",
                peer());
    }

    @Override
    public void close() {
        if (server != null && server.isAlive()) {
            server.destroyForcibly();
            server.onExit().join();
        }
    }
}
