package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What people found who did not write the server and tried to break it; docs/found-by-others.md tells of each. */
final class AttackTest {
    private static Object ask(RespClient client, String words) throws IOException {
        return client.call(words.split(" "));
    }

    private static String error(Object reply) {
        assertThat(reply).isInstanceOf(RespClient.Failure.class);
        return ((RespClient.Failure) reply).message();
    }

    private static long number(RespClient client, String section, String name) throws IOException {
        String info = (String) client.call("INFO", section);
        return Long.parseLong(info.replaceAll("(?s).*\\n" + name + ":(\\d+).*", "$1"));
    }

    @Test
    void execEndsTheTransactionThoughItsWatchedKeysCannotBeRead() throws IOException {
        boolean[] fails = {false};
        CrashableIoManager disk = new CrashableIoManager();
        try (TestServer server = TestServer.start(
                        disk,
                        (directory, create) -> new SwitchedIo(disk.factory().open(directory, create), () -> fails[0]),
                        true,
                        "appendfsync",
                        "always");
                RespClient client = server.client();
                RespClient other = server.client()) {
            ask(client, "SET watched 1");
            ask(client, "WATCH watched");
            ask(client, "MULTI");
            ask(client, "INCR n");
            fails[0] = true;
            // A key that the hash of keys that are not durable takes for the watched one.
            assertThat(error(other.call("SET", sameHash("watched"), "1"))).startsWith("IOERR");
            assertThat(error(ask(client, "EXEC"))).startsWith("IOERR");
            assertThat(ask(client, "PING")).isEqualTo("PONG");
            assertThat(error(ask(client, "EXEC"))).isEqualTo("ERR EXEC without MULTI");
        }
    }

    private static String sameHash(String key) {
        for (int i = 0; ; i++) {
            if (bit("x" + i) == bit(key)) {
                return "x" + i;
            }
        }
    }

    private static int bit(String key) {
        byte[] stored = ("\0" + key).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        return Arrays.hashCode(stored) * 0x9E3779B9 >>> 16;
    }

    @Test
    void emptyingADatabaseDoesNotChangeAWatchedKeyThatWasNotThere() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client();
                RespClient other = server.client()) {
            for (String flush : List.of("FLUSHDB", "FLUSHALL")) {
                ask(other, "SET x 1");
                ask(client, "WATCH absent");
                ask(other, flush);
                ask(client, "MULTI");
                assertThat(ask(client, "EXEC")).as(flush).isEqualTo(List.of());
                ask(client, "WATCH absent");
                ask(other, "SET absent 1");
                ask(other, flush);
                ask(client, "MULTI");
                assertThat(ask(client, "EXEC")).as(flush).isNull();
            }
        }
    }

    @Test
    void scansOfADatabaseThatIsEmptiedDoNotPileUp() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            for (int round = 0; round < 150; round++) {
                ask(client, "MSET a 1 b 2 c 3 d 4");
                String cursor = (String) ((List<?>) ask(client, "SCAN 0 COUNT 2")).get(0);
                ask(client, "FLUSHDB");
                assertThat(error(ask(client, "SCAN " + cursor))).startsWith("ERR this cursor");
            }
            assertThat(server.store.stats().snapshots()).isLessThanOrEqualTo(64);
        }
    }

    @Test
    void scansThatHaveEndedDoNotEndOneThatGoesOn() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            ask(client, "MSET a 1 b 2 c 3 d 4");
            String slow = (String) ((List<?>) ask(client, "SCAN 0 COUNT 2")).get(0);
            for (int i = 0; i < 200; i++) {
                String cursor = "0";
                do {
                    cursor = (String) ((List<?>) ask(client, "SCAN " + cursor + " COUNT 2")).get(0);
                } while (!cursor.equals("0"));
            }
            assertThat(ask(client, "SCAN " + slow + " COUNT 10")).isEqualTo(List.of("0", List.of("c", "d")));
        }
    }

    @Test
    void aPageOfAScanIsBoundedInBytes() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            for (int i = 0; i < 50; i++) {
                client.call("SET", "k".repeat(60_000) + i, "v");
            }
            String cursor = "0";
            int keys = 0;
            do {
                List<?> page = (List<?>) ask(client, "SCAN " + cursor + " COUNT 1000");
                cursor = (String) page.get(0);
                assertThat((List<?>) page.get(1)).hasSizeLessThanOrEqualTo(5);
                keys += ((List<?>) page.get(1)).size();
            } while (!cursor.equals("0"));
            assertThat(keys).isEqualTo(50);
        }
    }

    @Test
    void oneReplyIsNoLongerThanAllowed() throws IOException {
        try (TestServer server = TestServer.start("client-output-limit-normal", "1mb");
                RespClient client = server.client()) {
            client.call("SET", "big", "v".repeat(100_000));
            String[] many = new String[1_000];
            Arrays.fill(many, "big");
            many[0] = "MGET";
            assertThat(error(client.call(many))).startsWith("ERR the reply is longer than");
            ask(client, "MULTI");
            client.call(many);
            ask(client, "GET n");
            ask(client, "INCR n");
            List<?> replies = (List<?>) ask(client, "EXEC");
            assertThat(error(replies.get(0))).startsWith("ERR the reply is longer than");
            assertThat(replies.get(2)).isEqualTo(1L);
            assertThat(ask(client, "STRLEN big")).isEqualTo(100_000L);
        }
    }

    @Test
    void whatTransactionsQueueIsLimitedForAllClientsTogether() throws IOException {
        try (TestServer server = TestServer.start("maxmemory-clients", "1mb");
                RespClient client = server.client();
                RespClient other = server.client()) {
            ask(client, "MULTI");
            Object reply = "QUEUED";
            for (int i = 0; i < 10_000 && reply.equals("QUEUED"); i++) {
                reply = ask(client, "PING");
            }
            assertThat(error(reply)).contains("maxmemory-clients");
            assertThat(error(ask(client, "EXEC"))).startsWith("EXECABORT");
            String[] keys = new String[2_000];
            Arrays.setAll(keys, i -> "key:" + i);
            keys[0] = "WATCH";
            for (int i = 0;
                    i < 5
                            && !(reply instanceof RespClient.Failure failure
                                    && failure.message().startsWith("ERR"));
                    i++) {
                reply = other.call(keys);
            }
            ask(other, "UNWATCH");
            // All was given back.
            ask(client, "MULTI");
            for (int i = 0; i < 1_000; i++) {
                assertThat(ask(client, "PING")).isEqualTo("QUEUED");
            }
            assertThat((List<?>) ask(client, "EXEC")).hasSize(1_000);
        }
    }

    @Test
    void whatATransactionChangesIsLimited() throws IOException {
        try (TestServer server = TestServer.start("maxmemory-clients", "8mb");
                RespClient client = server.client()) {
            ask(client, "MULTI");
            for (int i = 0; i < 20; i++) {
                ask(client, "SETRANGE key:" + i + " 999999 x");
            }
            List<?> replies = (List<?>) ask(client, "EXEC");
            assertThat(replies.get(0)).isEqualTo(1_000_000L);
            assertThat(error(replies.get(19))).contains("maxmemory-clients");
            assertThat(ask(client, "EXISTS key:0 key:19")).isEqualTo(1L);
        }
    }

    @Test
    void manyMessagesWaitForThoseBeforeThem() throws Exception {
        try (TestServer server = TestServer.start("maxmemory-clients", "2mb");
                RespClient sender = server.client()) {
            List<RespClient> listeners = new ArrayList<>();
            List<Thread> reading = new ArrayList<>();
            int[] heard = new int[40];
            for (int i = 0; i < heard.length; i++) {
                RespClient listener = server.client();
                listeners.add(listener);
                ask(listener, "SUBSCRIBE news");
                int own = i;
                Thread thread = new Thread(() -> {
                    try {
                        for (int n = 0; n < 2_000; n++) {
                            listener.read();
                            heard[own]++;
                        }
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
                thread.start();
                reading.add(thread);
            }
            sender.sendRaw("PUBLISH news x\r\n".repeat(2_000));
            for (int i = 0; i < 2_000; i++) {
                assertThat(sender.read()).isEqualTo(40L);
            }
            for (Thread thread : reading) {
                thread.join();
            }
            assertThat(heard).containsOnly(2_000);
            assertThat(number(sender, "stats", "client_limit_disconnections")).isZero();
            for (RespClient listener : listeners) {
                listener.close();
            }
        }
    }

    @Test
    void whatListenersDoNotReadIsLimitedForAllTogether() throws Exception {
        try (TestServer server = TestServer.start("maxmemory-clients", "16mb");
                RespClient sender = server.client()) {
            List<RespClient> listeners = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                RespClient listener = server.client();
                listeners.add(listener);
                ask(listener, "SUBSCRIBE news");
            }
            String message = "m".repeat(1 << 20);
            for (int i = 0; i < 20; i++) {
                sender.call("PUBLISH", "news", message);
            }
            assertThat(number(sender, "stats", "client_limit_disconnections")).isPositive();
            assertThat(ask(sender, "SET a 1")).isEqualTo("OK");
            for (RespClient listener : listeners) {
                listener.close();
            }
        }
    }

    @Test
    void aListenerIsClosedWhenItsChannelIsTakenFromItsUser() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient admin = server.client();
                RespClient listener = server.client();
                RespClient other = server.client()) {
            ask(admin, "ACL SETUSER reader on >secret &news &weather* +@all");
            for (RespClient client : List.of(listener, other)) {
                ask(client, "AUTH reader secret");
            }
            ask(listener, "SUBSCRIBE news");
            ask(other, "PSUBSCRIBE weather*");
            ask(admin, "ACL SETUSER reader resetchannels &weather*");
            assertThat(listener.readAll()).isEmpty();
            ask(admin, "PUBLISH weather:1 sun");
            assertThat(other.read()).isEqualTo(List.of("pmessage", "weather*", "weather:1", "sun"));
        }
    }

    @Test
    void aRuleThatIsGivenAgainIsListedOnce() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient admin = server.client()) {
            for (int i = 0; i < 3; i++) {
                ask(admin, "ACL SETUSER app on ~app:* %R~all* &news +@read");
                admin.call("ACL", "SETUSER", "app", ">a password with spaces, and \u00e4");
            }
            assertThat((String) ((List<?>) ask(admin, "ACL LIST")).get(0))
                    .matches("user app on #[0-9a-f]{64} ~app:\\* %R~all\\* &news -@all \\+@read");
        }
    }

    @Test
    void whoMayOnlyWriteASetsAndIsNotToldTheOldValue() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient admin = server.client();
                RespClient writer = server.client()) {
            ask(admin, "ACL SETUSER writer on >secret %W~a +@all");
            ask(writer, "AUTH writer secret");
            for (String words : List.of("SET a 1", "SET a 2 EX 10", "SETEX a 10 1", "PSETEX a 10 1")) {
                assertThat(ask(writer, words)).as(words).isEqualTo("OK");
            }
            assertThat(ask(writer, "APPEND a 1")).isEqualTo(2L);
            assertThat(ask(writer, "SETRANGE a 0 1")).isEqualTo(2L);
            assertThat(ask(writer, "SETNX a 1")).isEqualTo(0L);
            for (String words : List.of("GET a", "SET a 1 GET", "SET a 1 IFEQ 1", "GETSET a 1", "INCR a", "GETDEL a")) {
                assertThat(error(ask(writer, words))).as(words).startsWith("NOPERM");
            }
        }
    }

    @Test
    void aClientThatWasResetHasTimeToLogInAgain() throws IOException {
        try (TestServer server = TestServer.start("requirepass", "secret", "auth-timeout", "10");
                RespClient client = server.client();
                RespClient stranger = server.client()) {
            ask(client, "AUTH secret");
            server.clock.advance(Duration.ofSeconds(100));
            assertThat(ask(client, "RESET")).isEqualTo("RESET");
            // The stranger is closed by the same look at all clients that spares the other.
            assertThat(stranger.readAll()).isEmpty();
            assertThat(ask(client, "AUTH secret")).isEqualTo("OK");
        }
    }

    @Test
    void noReplyIsSentToWhoWantsNoneThoughItWaits() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            ask(client, "SET a 1");
            client.send("CLIENT", "REPLY", "SKIP");
            client.send("WAITAOF", "1", "0", "0");
            assertThat(ask(client, "GET a")).isEqualTo("1");
            client.send("CLIENT", "REPLY", "OFF");
            client.send("WAITAOF", "1", "0", "0");
            client.send("KEYS", "*");
            assertThat(ask(client, "CLIENT REPLY ON")).isEqualTo("OK");
        }
    }

    @Test
    void aBrowserThatIsMadeToSendCommandsIsNotObeyed() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client();
                RespClient other = server.client()) {
            client.sendRaw("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET a 1\r\n");
            assertThat(client.readAll())
                    .startsWith("-ERR unknown command 'POST'")
                    .doesNotContain("OK");
            assertThat(ask(other, "GET a")).isNull();
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void noPatternHoldsUpTheServer() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client();
                RespClient other = server.client()) {
            other.call("PSUBSCRIBE", "*" + "a".repeat(30_000) + "b*");
            for (int i = 0; i < 100; i++) {
                client.call("PUBLISH", "a".repeat(65_000), "x");
            }
            assertThat(error(client.call("KEYS", "*" + "?".repeat(1_000) + "b*")))
                    .contains("two stars");
            assertThat(error(client.call("PUBLISH", "a".repeat(70_000), "x"))).contains("at most");
            assertThat(error(client.call("ACL", "SETUSER", "x", "~*" + "?".repeat(1_000) + "b*")))
                    .contains("two stars");
        }
    }

    @Test
    void limitsHoldForClientsThatAreThereAlready() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client();
                RespClient other = server.client()) {
            String value = "v".repeat(2 << 20);
            assertThat(client.call("SET", "a", value)).isEqualTo("OK");
            ask(other, "CONFIG SET proto-max-bulk-len 1mb");
            assertThat(ask(client, "PING")).isEqualTo("PONG");
            client.sendRaw("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2000000\r\n");
            assertThat(client.readAll()).isEqualTo("-ERR Protocol error: invalid bulk length\r\n");
        }
    }

    @Test
    void theLogOfRefusalsKeepsNoLongNames() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            assertThat(error(client.call("AUTH", "n".repeat(100_000), "x"))).startsWith("WRONGPASS");
            assertThat(((List<?>) ((List<?>) ask(client, "ACL LOG")).get(0))
                            .get(9)
                            .toString())
                    .hasSizeLessThan(200);
        }
    }

    @Test
    void momentsAtTheEdgesAreRefusedOrKept() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            ask(client, "SET a 1");
            for (String words : List.of(
                    "EXPIRE a -9223372036854775808",
                    "EXPIREAT a -9223372036854775808",
                    "EXPIRE a 9223372036854775807",
                    "PEXPIRE a 9223372036854775807",
                    "SET a 1 EX 9223372036854775807",
                    "GETEX a PX 9223372036854775807")) {
                assertThat(error(ask(client, words))).as(words).startsWith("ERR invalid expire time");
            }
            assertThat(ask(client, "GET a")).isEqualTo("1");
            assertThat(ask(client, "PEXPIREAT a 9223372036854775807")).isEqualTo(1L);
            assertThat(ask(client, "PEXPIRETIME a")).isEqualTo(9223372036854775807L);
            assertThat(ask(client, "GET a")).isEqualTo("1");
        }
    }

    @Test
    void connectionsLeaveFileDescriptorsToTheStore() {
        assertThat(Descriptors.room(1_024, 100)).isEqualTo(1_024 - 100 - 256);
        assertThat(Descriptors.room(64, 60)).isNegative();
        Descriptors descriptors = new Descriptors();
        assertThat(descriptors.take()).isTrue();
        descriptors.giveBack();
    }
}
