package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.owner.OwnerSocket;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a store that somebody has open. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OwnedStoreCliTest {
    @TempDir
    private Path temporary;

    private final Cli cli = new Cli();
    private Path directory;
    private StorageEngine store;
    private OwnerSocket socket;

    @BeforeEach
    void own() throws IOException {
        cli.stores = new EngineStores();
        directory = temporary.resolve("store");
        store = new EngineStores().open(directory, new BackendOptions(), Access.CREATE);
        socket = OwnerSocket.open(store, directory);
        for (int i = 0; i < 100; i++) {
            put("key" + i, "value" + i);
        }
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        store.close();
    }

    private void put(String key, String value) throws IOException {
        store.put(key.getBytes(StandardCharsets.UTF_8), value.getBytes(StandardCharsets.UTF_8));
    }

    private Cli.Result run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(1, List.of("--dir", directory.toString()));
        return cli.run(all.toArray(new String[0]));
    }

    @Test
    void readsAreAnsweredByTheOwner() {
        assertThat(run("get", "key7").out()).isEqualTo("value7");
        assertThat(run("get", "none").exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(run("scan").out().lines()).hasSize(100);
        assertThat(run("scan", "--limit", "3").out().lines()).hasSize(3);
        assertThat(run("dump").out().lines()).hasSize(100);
        assertThat(run("watch").out().lines()).hasSize(100);
        assertThat(run("stat", "--json").out()).contains("\"keys\":100,", "\"lastVersion\":100,");
    }

    @Test
    void statAndTopTellOfTheOwner() throws IOException {
        assertThat(run("stat", "--json").out())
                .contains("\"ownerPid\":" + ProcessHandle.current().pid(), "\"isHealthy\":true", "\"writtenBytes\":");
        assertThat(run("stat").out()).contains("open in process", "heap of the owner", "engine=bitcask");
        cli.pause = millis -> {
            try {
                put("more", "v");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        };
        Cli.Result top = run("top", "--count", "2");
        assertThat(top.exitCode()).as(top.err()).isZero();
        assertThat(top.out().lines().filter(line -> line.startsWith("store "))).hasSize(2);
        assertThat(top.out()).containsPattern("(?m)^keys +101$").containsPattern("(?m)^writes +[0-9,]+/s$");
        assertThat(top.out()).doesNotContain("\u001b");
        cli.printsToTerminal = true;
        assertThat(run("top", "--count", "1").out()).startsWith("\u001b[H\u001b[2Jstore ");
        socket.close();
        store.close();
        Cli.Result alone = run("top", "--count", "1");
        assertThat(alone.exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(alone.errLines()).hasSize(1);
        assertThat(alone.err()).contains("'stat' shows a store that is not open");
    }

    @Test
    void watchFollowsTheOwner() {
        int[] pauses = {0};
        cli.pause = millis -> {
            if (++pauses[0] == 2) {
                try {
                    put("later", "v");
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        };
        Cli.Result result = run("watch", "--from", "99", "--follow", "--limit", "2");
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out().lines()).hasSize(2);
        assertThat(result.out()).contains("\"key99\"", "\"later\"");
        assertThat(pauses[0]).isEqualTo(2);
    }

    @Test
    void copiesMergesAndChecksAreMadeByTheOwner() throws IOException {
        for (int i = 0; i < 1_000; i++) {
            put("key1", "value" + i);
        }
        Path backup = temporary.resolve("backup");
        Cli.Result result = run("backup", backup.toString());
        assertThat(result.exitCode()).as(result.err()).isZero();
        result = run("verify");
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).contains("0 places are damaged");
        result = run("merge");
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(store.stats().space().deadBytes()).isZero();
        assertThat(temporary.toFile().list()).containsExactlyInAnyOrder("store", "backup");
        directory = backup;
        assertThat(run("get", "key1").out()).isEqualTo("value999");
    }

    @Test
    void verifyFindsAWrongByteOfAStoreThatIsOpen() throws IOException {
        store.close(); // so that a file is sealed, which a checkpoint shares
        store = new EngineStores().open(directory, new BackendOptions(), Access.CREATE);
        socket.close();
        socket = OwnerSocket.open(store, directory);
        put("more", "v");
        run("verify");
        Path file = directory.resolve("00000001.data");
        byte[] bytes = Files.readAllBytes(file);
        bytes[new String(bytes, StandardCharsets.ISO_8859_1).indexOf("value50")] ^= 1;
        Files.write(file, bytes);
        Cli.Result result = run("verify");
        assertThat(result.exitCode()).as(result.err()).isNotZero();
        assertThat(result.out() + result.err()).contains("00000001.data");
    }

    @Test
    void writesAndStoresWithoutASocketAreRefusedInOneLine() {
        assertThat(run("put", "k", "v").exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        socket.close();
        for (String[] command : new String[][] {{"stat"}, {"get", "k"}, {"verify"}, {"merge"}}) {
            Cli.Result result = run(command);
            assertThat(result.exitCode()).as(command[0]).isEqualTo(ExitCode.STORE_ERROR);
            assertThat(result.errLines()).hasSize(1);
            assertThat(result.err()).contains("directory is in use");
        }
    }
}
