package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Gate;
import dev.caskwright.testkit.IoOperation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When replies are sent, by {@code appendfsync}. Forces take as long as a test wants. */
final class DurabilityTest {
    private final CrashableIoManager disk = new CrashableIoManager();
    private final Gate forces = new Gate(call -> call.operation() == IoOperation.FORCE);

    private TestServer start(String... options) throws IOException {
        return TestServer.start(disk, forces.wrap(disk.factory()), true, options);
    }

    private static String forcesOf(RespClient client) throws IOException {
        String info = (String) client.call("INFO", "persistence");
        return info.lines()
                .filter(line -> line.startsWith("forces:"))
                .findFirst()
                .orElseThrow();
    }

    private static boolean isDurable(TestServer server, String key, String value) throws IOException {
        CrashableIoManager afterPowerLoss = server.disk.peekPowerLoss(7);
        try (TestServer other = TestServer.start(afterPowerLoss, afterPowerLoss.factory(), true);
                RespClient client = other.client()) {
            return value.equals(client.call("GET", key));
        }
    }

    @Test
    void aReplyWaitsForTheForceAndTheLoopDoesNot() throws Exception {
        try (TestServer server = start("appendfsync", "always");
                RespClient writer = server.client();
                RespClient other = server.client()) {
            assertThat(other.call("SET", "old", "1")).isEqualTo("OK");
            forces.shut();
            writer.send("SET", "a", "1");
            forces.awaitWaiting(1);
            assertThat(isDurable(server, "a", "1")).isFalse();
            // The force is under way, and all that does not depend on it goes on, on the one loop that there is.
            assertThat(other.call("PING")).isEqualTo("PONG");
            assertThat(other.call("GET", "old")).isEqualTo("1");
            assertThat(other.call("GET", "missing")).isNull();
            other.send("GET", "a");
            other.send("PING");
            writer.send("PING");
            forces.open();
            assertThat(writer.read()).isEqualTo("OK");
            assertThat(isDurable(server, "a", "1")).isTrue();
            assertThat(writer.read()).isEqualTo("PONG");
            assertThat(other.read()).isEqualTo("1");
            assertThat(other.read()).isEqualTo("PONG");
        }
    }

    @Test
    void aReadOfWhatIsNotDurableWaitsUnlessToldOtherwise() throws Exception {
        try (TestServer server = start("appendfsync", "always");
                RespClient writer = server.client();
                RespClient reader = server.client()) {
            reader.call("CONFIG", "SET", "strict-reads", "no");
            forces.shut();
            writer.send("SET", "a", "1");
            forces.awaitWaiting(1);
            assertThat(reader.call("GET", "a")).isEqualTo("1");
            writer.send("CONFIG", "SET", "strict-reads", "yes");
            reader.call("PING");
            forces.open();
            assertThat(writer.read()).isEqualTo("OK");
            assertThat(writer.read()).isEqualTo("OK");
        }
    }

    @Test
    void oneForceServesAllConnectionsAndAllThatTheyPipelined() throws Exception {
        try (TestServer server = start("appendfsync", "always");
                RespClient first = server.client()) {
            List<RespClient> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(server.client());
            }
            first.call("SET", "warm", "1");
            int before = number(forcesOf(first));
            forces.shut();
            first.send("SET", "a", "1");
            forces.awaitWaiting(1);
            for (RespClient client : clients) {
                for (int i = 0; i < 50; i++) {
                    client.send("INCR", "n");
                }
            }
            // All of it was run, and is held, before the first force has ended.
            try (RespClient other = server.client()) {
                String all = "0";
                while (!all.equals("1000")) {
                    String info = (String) other.call("INFO", "commandstats");
                    all = info.replaceAll("(?s).*cmdstat_incr:calls=(\\d+).*|.*", "$1");
                }
            }
            forces.open();
            assertThat(first.read()).isEqualTo("OK");
            for (RespClient client : clients) {
                for (int i = 0; i < 50; i++) {
                    assertThat(client.read()).isInstanceOf(Long.class);
                }
                client.close();
            }
            // One for the first, one for all others, and perhaps one that nobody needed.
            assertThat(number(forcesOf(first)) - before).isBetween(2, 3);
        }
    }

    private static int number(String line) {
        return Integer.parseInt(line.substring(line.indexOf(':') + 1));
    }

    @Test
    void aFailedForceAcknowledgesNothingAndEndsNothing() throws Exception {
        boolean[] fails = {false};
        try (TestServer server = TestServer.start(
                        disk,
                        (directory, create) -> new SwitchedIo(disk.factory().open(directory, create), () -> fails[0]),
                        true,
                        "appendfsync",
                        "always");
                RespClient writer = server.client();
                RespClient reader = server.client()) {
            assertThat(writer.call("SET", "old", "1")).isEqualTo("OK");
            fails[0] = true;
            writer.sendRaw(concat(
                    RespClient.encode("SET", "a", "1"), RespClient.encode("PING"), RespClient.encode("GET", "old")));
            assertThat(((RespClient.Failure) writer.read()).message())
                    .startsWith("IOERR")
                    .contains("unknown");
            assertThat(writer.read()).isEqualTo("PONG");
            assertThat(writer.read()).isEqualTo("1");
            // Reads go on, but for what may be lost. Writes are refused.
            assertThat(reader.call("GET", "old")).isEqualTo("1");
            assertThat(((RespClient.Failure) reader.call("GET", "a")).message()).startsWith("IOERR");
            assertThat(((RespClient.Failure) reader.call("SET", "b", "1")).message())
                    .startsWith("IOERR");
            assertThat(reader.call("PING")).isEqualTo("PONG");
            assertThat((String) reader.call("INFO", "persistence")).contains("aof_last_write_status:err");
            assertThat(reader.call("WAITAOF", "1", "0", "0")).isInstanceOf(RespClient.Failure.class);
        }
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @Test
    void withoutAlwaysNoReplyWaits() throws Exception {
        for (String policy : List.of("everysec", "no")) {
            CrashableIoManager other = new CrashableIoManager();
            try (TestServer server =
                            TestServer.start(other, forces.wrap(other.factory()), true, "appendfsync", policy);
                    RespClient client = server.client()) {
                forces.shut();
                assertThat(client.call("SET", "a", "1")).isEqualTo("OK");
                assertThat(client.call("GET", "a")).isEqualTo("1");
                forces.open();
            }
        }
    }

    @Test
    void everysecForcesWithoutBeingAsked() throws Exception {
        try (TestServer server = start("appendfsync", "everysec");
                RespClient client = server.client()) {
            client.call("SET", "a", "1");
            String info = "";
            while (!info.contains("unforced_changes:0")) {
                info = (String) client.call("INFO", "persistence");
            }
            assertThat(isDurable(server, "a", "1")).isTrue();
        }
    }

    @Test
    void waitaofIsDurabilityOnDemand() throws Exception {
        try (TestServer server = start("appendfsync", "no");
                RespClient client = server.client();
                RespClient other = server.client()) {
            client.call("SET", "a", "1");
            assertThat(isDurable(server, "a", "1")).isFalse();
            forces.shut();
            assertThat(client.call("WAITAOF", "1", "0", "20")).isEqualTo(List.of(0L, 0L));
            client.send("WAITAOF", "1", "0", "0");
            client.send("PING");
            assertThat(other.call("PING")).isEqualTo("PONG");
            forces.open();
            assertThat(client.read()).isEqualTo(List.of(1L, 0L));
            assertThat(client.read()).isEqualTo("PONG");
            assertThat(isDurable(server, "a", "1")).isTrue();
            assertThat(client.call("WAITAOF", "0", "0", "0")).isEqualTo(List.of(1L, 0L));
            assertThat(client.call("WAITAOF", "2", "0", "0")).isInstanceOf(RespClient.Failure.class);
        }
    }

    @Test
    void aChangeToAlwaysCoversWhatWasNotForcedBefore() throws Exception {
        try (TestServer server = start("appendfsync", "no");
                RespClient client = server.client();
                RespClient reader = server.client()) {
            client.call("SET", "a", "1");
            forces.shut();
            client.call("CONFIG", "SET", "appendfsync", "always");
            reader.send("GET", "a");
            forces.awaitWaiting(1);
            assertThat(client.call("PING")).isEqualTo("PONG");
            forces.open();
            assertThat(reader.read()).isEqualTo("1");
            assertThat(isDurable(server, "a", "1")).isTrue();
        }
    }

    @Test
    void closingSendsWhatWaitsForAForce() throws Exception {
        TestServer server = start("appendfsync", "always");
        try (RespClient client = server.client()) {
            forces.shut();
            client.send("SET", "a", "1");
            forces.awaitWaiting(1);
            Thread closing = new Thread(() -> server.server.close());
            closing.start();
            forces.open();
            assertThat(client.read()).isEqualTo("OK");
            closing.join();
            assertThat(client.readAll()).isEmpty();
            assertThat(isDurable(server, "a", "1")).isTrue();
        } finally {
            forces.open();
            server.close();
        }
    }
}
