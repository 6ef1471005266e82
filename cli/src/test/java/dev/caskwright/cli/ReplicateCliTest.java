package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.owner.OwnerSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas of stores that are open, and of those that nobody has open. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ReplicateCliTest {
    @TempDir
    private Path temporary;

    private final Cli cli = new Cli();
    private Path source;
    private Path replica;

    @BeforeEach
    void prepare() {
        cli.stores = new EngineStores();
        source = temporary.resolve("source");
        replica = temporary.resolve("replica");
    }

    private Cli.Result run(String... arguments) {
        return cli.run(arguments);
    }

    private Cli.Result replicate(String... more) {
        String[] arguments = {"replicate", "--from", source.toString(), "--to", replica.toString()};
        String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return run(all);
    }

    @Test
    void aStoreThatNobodyHasOpenIsCopiedAndThenItsChangesAreTaken() {
        run("put", "--dir", source.toString(), "a", "1");
        Cli.Result first = replicate();
        assertThat(first.exitCode()).as(first.err()).isZero();
        assertThat(first.out()).isEqualTo("replica: up to version 1, copies made: 1, changes applied: 0\n");
        run("put", "--dir", source.toString(), "b", "2");
        assertThat(replicate("--json").out()).isEqualTo("{\"version\":2,\"copies\":0,\"changes\":1}\n");
        assertThat(run("get", "--dir", replica.resolve("copy-1").toString(), "b")
                        .out())
                .isEqualTo("2");
    }

    @Test
    void anOpenStoreIsFollowedAndTheReplicaIsReadMeanwhile() throws IOException {
        try (BitcaskEngine store = BitcaskEngine.open(source);
                OwnerSocket socket = OwnerSocket.open(store, source)) {
            assertThat(socket.trouble()).isNull();
            store.put("a".getBytes(UTF_8), "1".getBytes(UTF_8));
            int[] looks = {0};
            String[] read = {""};
            String[] stat = {""};
            Cli reader = new Cli();
            reader.stores = new EngineStores();
            cli.pause = millis -> {
                if (looks[0]++ == 0) {
                    put(store, "b", "2");
                }
                read[0] = reader.run("scan", "--dir", replica.toString(), "--from", "b")
                        .out();
                if (read[0].contains("\"2\"")) {
                    stat[0] = reader.run("stat", "--dir", replica.toString(), "--json")
                            .out();
                    throw new InterruptedException("seen");
                }
            };
            Cli.Result followed = replicate("--follow", "--interval", "1ms");
            assertThat(followed.out()).startsWith("following: from=");
            assertThat(read[0]).contains("\"b\"");
            assertThat(stat[0]).contains("\"keys\":2,", "\"replicaSourceVersion\":2,", "\"replicaLagVersions\":0,");
        }
    }

    private static void put(BitcaskEngine store, String key, String value) {
        try {
            store.put(key.getBytes(UTF_8), value.getBytes(UTF_8));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatCannotBeIsRefused() throws IOException {
        run("put", "--dir", source.toString(), "a", "1");
        try (BitcaskEngine store = BitcaskEngine.open(source)) {
            Cli.Result alone = cli.run("replicate", "--from", source.toString(), "--to", source + "-new");
            assertThat(alone.exitCode())
                    .as("without a socket it cannot be asked")
                    .isEqualTo(ExitCode.STORE_ERROR);
            assertThat(alone.errLines()).hasSize(1);
            assertThat(store.size()).isEqualTo(1);
        }
        assertThat(cli.run("replicate", "--from", source.toString(), "--to", source.toString())
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
        assertThat(cli.run("replicate", "--from", source.toString(), "--to", temporary.toString())
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
        Path other = temporary.resolve("other");
        run("put", "--dir", other.toString(), "a", "1");
        Cli.Result taken = cli.run("replicate", "--from", source.toString(), "--to", other.toString());
        assertThat(taken.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(taken.err()).contains("not that of a replica");
    }
}
