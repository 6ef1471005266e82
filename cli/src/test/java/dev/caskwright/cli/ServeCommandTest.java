package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ServeCommandTest {
    @TempDir
    private Path directory;

    private static String ask(int port, String requests) throws IOException {
        try (Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
            OutputStream out = socket.getOutputStream();
            out.write(requests.getBytes(StandardCharsets.UTF_8));
            out.flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Serves, sends inline requests, the last of which ends the connection, and returns the replies. */
    private String serve(String requests, String... options) throws Exception {
        Cli cli = new Cli();
        cli.stores = new EngineStores();
        PipedInputStream read = new PipedInputStream();
        PipedOutputStream written = new PipedOutputStream(read);
        String[] arguments = new String[options.length + 5];
        System.arraycopy(
                new String[] {"serve", "--dir", directory.resolve("store").toString(), "--port", "0"},
                0,
                arguments,
                0,
                5);
        System.arraycopy(options, 0, arguments, 5, options.length);
        CompletableFuture<Cli.Result> run = CompletableFuture.supplyAsync(
                () -> cli.run(written, new ByteArrayOutputStream(), arguments), task -> new Thread(task).start());
        String ready = new BufferedReader(new InputStreamReader(read, StandardCharsets.UTF_8)).readLine();
        assertThat(ready).startsWith("ready: port=");
        int port = Integer.parseInt(ready.replaceAll("ready: port=(\\d+),.*", "$1"));
        String replies = ask(port, requests);
        assertThat(run.get().exitCode()).isZero();
        return replies;
    }

    @Test
    void aStoreIsMadeServedAndServedAgain() throws Exception {
        assertThat(serve("SET a 1\nGET a\nSHUTDOWN\n")).isEqualTo("+OK\r\n$1\r\n1\r\n");
        assertThat(serve("GET a\nSHUTDOWN\n", "--index", "btree", "--io", "standard", "--config", "appendfsync=always"))
                .isEqualTo("$1\r\n1\r\n");
    }

    @Test
    void theConfigurationIsReadFromAFile() throws Exception {
        Path conf = directory.resolve("server.conf");
        Files.writeString(conf, "# what we want\nmaxclients 17\nappendfsync always\n");
        assertThat(serve("CONFIG GET maxclients\nSHUTDOWN\n", "--conf", conf.toString()))
                .contains("17");
    }

    /** Returns a port that is free, for an option that cannot ask for any. */
    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }

    @Test
    void aNodeOfModeCacheIsServedWithoutMoreLibraries() throws Exception {
        Path conf = directory.resolve("node.conf");
        Files.writeString(
                conf,
                "mode cache\ncache-id n1\ncache-peers n1@127.0.0.1:" + freePort() + "/" + freePort()
                        + "\nbind 127.0.0.1\n");
        assertThat(serve("SET a 1\nCLUSTER INFO\nSHUTDOWN\n", "--conf", conf.toString()))
                .startsWith("+OK\r\n")
                .contains("cluster_slots_ok:16384");
        assertThat(serve("GET a\nSHUTDOWN\n", "--conf", conf.toString())).isEqualTo("$1\r\n1\r\n");
    }

    private static void assertRefused(String option, String mode, String peers, Path store) {
        Cli.Result result = new Cli()
                .run(
                        "serve",
                        "--dir",
                        store.toString(),
                        "--config",
                        "mode=" + mode,
                        "--config",
                        mode + "-id=n1",
                        "--config",
                        mode + "-peers=" + peers,
                        option);
        assertThat(result.exitCode()).as(option).isEqualTo(ExitCode.USAGE);
        assertThat(result.err())
                .startsWith("caskwright: " + option.replaceFirst("=", " ") + ": not for mode " + mode)
                .hasLineCount(1);
        assertThat(store).doesNotExist();
    }

    @Test
    void optionsOfAStoreAreRefusedInModeCacheBeforeDataIsTouched() {
        Path store = directory.resolve("node");
        for (String option :
                List.of("--engine=bolt", "--index=btree", "--io=mmap", "--durability=sync", "--codec=lz4")) {
            assertRefused(option, "cache", "n1@127.0.0.1:1/2", store);
        }
    }

    @Test
    void anOptionThatIsNotKnownIsAMistakeOfTheUser() {
        Cli cli = new Cli();
        Cli.Result result = cli.run("serve", "--dir", directory.toString(), "--config", "nosuch=1");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).isEqualTo("caskwright: unknown option: nosuch\n");
    }

    @Test
    void optionsThatMeanNothingForAMemberOfAGroupAreRefusedBeforeDataIsTouched() {
        Path store = directory.resolve("member");
        for (String option : List.of(
                "--engine=bolt", "--set=auto-merge=false", "--durability=none", "--codec=lz4", "--startup-io=mmap")) {
            assertRefused(option, "raft", "n1@127.0.0.1:1/0", store);
        }
    }
}
