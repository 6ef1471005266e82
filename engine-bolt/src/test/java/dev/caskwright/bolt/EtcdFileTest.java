package dev.caskwright.bolt;

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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The database file of a real etcd server: it is read and changed here, and the server starts on it and goes on. */
final class EtcdFileTest {
    private static final byte[] OURS = "caskwright".getBytes(StandardCharsets.UTF_8);
    private static final int ATTEMPTS = 200;

    @TempDir
    Path directory;

    private int clientPort;
    private int peerPort;

    @BeforeEach
    void findEtcd() throws IOException {
        if (!Files.isExecutable(Path.of("/usr/bin/etcd")) || !Files.isExecutable(Path.of("/usr/bin/etcdctl"))) {
            String missing = "SKIPPED: no real etcd to test against; install etcd-server and etcd-client";
            System.err.println(missing);
            Assumptions.abort(missing);
        }
        try (ServerSocket one = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            clientPort = one.getLocalPort();
            peerPort = other.getLocalPort();
        }
    }

    private Process start() throws IOException, InterruptedException {
        String client = "http://127.0.0.1:" + clientPort;
        String peer = "http://127.0.0.1:" + peerPort;
        Process server = new ProcessBuilder(
                        "/usr/bin/etcd",
                        "--data-dir",
                        directory.resolve("data").toString(),
                        "--listen-client-urls",
                        client,
                        "--advertise-client-urls",
                        client,
                        "--listen-peer-urls",
                        peer,
                        "--initial-advertise-peer-urls",
                        peer,
                        "--initial-cluster",
                        "default=" + peer)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("etcd.log").toFile())
                .start();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            assertThat(server.isAlive())
                    .as(Files.readString(directory.resolve("etcd.log")))
                    .isTrue();
            if (control("endpoint", "health").exit == 0) {
                return server;
            }
        }
        server.destroyForcibly();
        throw new AssertionError("etcd did not answer: " + Files.readString(directory.resolve("etcd.log")));
    }

    private static void stop(Process server) throws InterruptedException {
        server.destroy();
        assertThat(server.waitFor(1, TimeUnit.MINUTES)).isTrue();
    }

    private record Result(int exit, String output) {}

    private Result control(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "/usr/bin/etcdctl", "--endpoints", "http://127.0.0.1:" + clientPort, "--command-timeout", "2s"));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("ETCDCTL_API", "3");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }

    @Test
    void aServerGoesOnWithAFileThatWasChangedHere() throws Exception {
        Process server = start();
        try {
            for (int i = 0; i < 60; i++) {
                assertThat(control("put", "key" + i, "value" + i).exit).isZero();
            }
            assertThat(control("del", "key7").exit).isZero();
        } finally {
            stop(server);
        }
        Path file = directory.resolve("data/member/snap/db");
        try (BoltDatabase database = BoltDatabase.builder(file).readOnly(true).open()) {
            assertThat(database.check().problems()).isEmpty();
            database.view(transaction -> {
                StringBuilder revisions = new StringBuilder();
                transaction
                        .bucket("key".getBytes(StandardCharsets.UTF_8))
                        .forEach((key, value) -> revisions.append(new String(value, StandardCharsets.ISO_8859_1)));
                assertThat(revisions).contains("key59").contains("value59");
            });
        }
        try (BoltDatabase database = BoltDatabase.builder(file)
                .writesFreelist(false)
                .checksCommits(true)
                .open()) {
            for (int i = 0; i < 20; i++) {
                byte[] name = ("name" + i).getBytes(StandardCharsets.UTF_8);
                database.update(
                        transaction -> transaction.createBucketIfNotExists(OURS).put(name, new byte[1_000]));
            }
            database.compact(10);
        }
        BboltPeer.build().assertSound(file, "changed here");
        Process again = start();
        try {
            assertThat(control("get", "key59").output).isEqualTo("key59\nvalue59\n");
            assertThat(control("get", "key7").output).isEmpty();
            assertThat(control("put", "after", "restart").exit).isZero();
        } finally {
            stop(again);
        }
        try (BoltDatabase database = BoltDatabase.builder(file).readOnly(true).open()) {
            assertThat(database.check().problems()).isEmpty();
            database.view(transaction -> assertThat(
                            transaction.bucket(OURS).get("name19".getBytes(StandardCharsets.UTF_8)))
                    .hasSize(1_000));
        }
    }
}
