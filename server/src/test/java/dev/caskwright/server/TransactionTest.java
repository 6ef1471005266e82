package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TransactionTest {
    private TestServer server;
    private RespClient client;
    private RespClient other;

    @BeforeEach
    void start() throws IOException {
        server = TestServer.start();
        client = server.client();
        other = server.client();
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        other.close();
        server.close();
    }

    private Object ask(String words) throws IOException {
        return client.call(words.split(" "));
    }

    private static String message(Object reply) {
        assertThat(reply).isInstanceOf(RespClient.Failure.class);
        return ((RespClient.Failure) reply).message();
    }

    @Test
    void commandsAreQueuedAndRunTogether() throws IOException {
        assertThat(ask("MULTI")).isEqualTo("OK");
        assertThat(ask("SET a 1")).isEqualTo("QUEUED");
        assertThat(ask("INCR a")).isEqualTo("QUEUED");
        assertThat(ask("GET a")).isEqualTo("QUEUED");
        assertThat(ask("GET missing")).isEqualTo("QUEUED");
        assertThat(other.call("GET", "a")).isNull();
        assertThat(ask("EXEC")).isEqualTo(Arrays.asList("OK", 2L, "2", null));
        assertThat(other.call("GET", "a")).isEqualTo("2");
    }

    @Test
    void aTransactionSeesItsOwnChangesWhicheverCommandAsks() throws IOException {
        ask("MSET gone 1 stays 2");
        ask("MULTI");
        for (String words : List.of(
                "DEL gone",
                "EXISTS gone stays",
                "SET new 3 EX 10",
                "TTL new",
                "KEYS *",
                "DBSIZE",
                "RENAME new newer",
                "TTL newer",
                "PERSIST newer",
                "TTL newer",
                "EXPIRE newer -1",
                "EXISTS newer",
                "MSETNX stays 1 x 2",
                "APPEND stays !",
                "GETRANGE stays 0 -1")) {
            assertThat(ask(words)).as(words).isEqualTo("QUEUED");
        }
        assertThat(ask("EXEC"))
                .isEqualTo(Arrays.asList(
                        1L, 1L, "OK", 10L, List.of("stays", "new"), 2L, "OK", 10L, 1L, -1L, 1L, 0L, 0L, 2L, "2!"));
        assertThat(ask("KEYS *")).isEqualTo(List.of("stays"));
    }

    @Test
    void anErrorOfOneCommandIsItsReplyAndNoMore() throws IOException {
        ask("SET a x");
        ask("MULTI");
        ask("INCR a");
        ask("SET b 1");
        List<?> replies = (List<?>) ask("EXEC");
        assertThat(message(replies.get(0))).startsWith("ERR value is not an integer");
        assertThat(replies.get(1)).isEqualTo("OK");
        assertThat(ask("GET b")).isEqualTo("1");
    }

    @Test
    void aCommandThatCannotBeQueuedSpoilsTheTransaction() throws IOException {
        ask("MULTI");
        assertThat(message(ask("NOSUCH"))).startsWith("ERR unknown command");
        ask("SET a 1");
        assertThat(message(ask("EXEC"))).startsWith("EXECABORT");
        assertThat(ask("GET a")).isNull();
        assertThat(message(ask("EXEC"))).isEqualTo("ERR EXEC without MULTI");
        assertThat(message(ask("DISCARD"))).isEqualTo("ERR DISCARD without MULTI");
        ask("MULTI");
        assertThat(message(ask("MULTI"))).startsWith("ERR MULTI calls can not be nested");
        assertThat(message(ask("WATCH a"))).startsWith("ERR WATCH inside MULTI is not allowed");
        ask("SET a 1");
        assertThat(ask("DISCARD")).isEqualTo("OK");
        assertThat(ask("GET a")).isNull();
    }

    private Object watched(String key, String... change) throws IOException {
        ask("WATCH " + key);
        if (change.length > 0) {
            other.call(change);
        }
        ask("MULTI");
        ask("SET result 1");
        return ask("EXEC");
    }

    @Test
    void whatIsRefusedWithoutBeingQueuedSpoilsNoTransaction() throws IOException {
        ask("MULTI");
        ask("SET a 1");
        assertThat(message(ask("WATCH a"))).startsWith("ERR WATCH inside MULTI is not allowed");
        assertThat(message(ask("MULTI"))).startsWith("ERR MULTI calls can not be nested");
        assertThat(ask("EXEC")).isEqualTo(List.of("OK"));
    }

    @Test
    void aWatchedKeyThatChangedEndsTheTransaction() throws IOException {
        ask("SET a 1");
        assertThat(watched("a")).isEqualTo(List.of("OK"));
        assertThat(watched("a", "SET", "a", "1")).isNull();
        assertThat(watched("a", "SET", "b", "1")).isEqualTo(List.of("OK"));
        assertThat(watched("a", "EXPIRE", "a", "100")).isNull();
        assertThat(watched("a", "DEL", "a")).isNull();
        assertThat(watched("a", "DEL", "a")).isEqualTo(List.of("OK"));
        assertThat(watched("a", "SETNX", "a", "1")).isNull();
        assertThat(watched("a", "FLUSHALL")).isNull();
        ask("SET a 1");
        assertThat(watched("a", "SWAPDB", "0", "1")).isNull();
        assertThat(watched("a", "MSET", "x", "1", "a", "2")).isNull();
    }

    @Test
    void aWatchFollowsTheDatabaseOfItsKey() throws IOException {
        for (String change : List.of("FLUSHDB", "FLUSHALL", "SWAPDB 0 1")) {
            ask("FLUSHALL");
            ask("MSET other 1");
            ask("SELECT 1");
            ask("SET other 2");
            ask("SELECT 0");
            assertThat(watched("absent", change.split(" "))).isEqualTo(List.of("OK"));

            ask("WATCH absent");
            other.call(change.split(" "));
            other.call("SET", "absent", "1");
            ask("MULTI");
            ask("SET result 1");
            assertThat(ask("EXEC")).as(change).isNull();
        }
    }

    @Test
    void theSameKeyCanBeWatchedInTwoDatabasesThatAreSwapped() throws IOException {
        ask("WATCH a");
        ask("SELECT 1");
        ask("WATCH a");
        other.call("SWAPDB", "0", "1");
        ask("MULTI");
        assertThat(ask("EXEC")).isEqualTo(List.of());

        ask("SET a 1");
        ask("WATCH a");
        ask("SELECT 0");
        ask("WATCH a");
        other.call("SWAPDB", "0", "1");
        ask("MULTI");
        assertThat(ask("EXEC")).isNull();
    }

    @Test
    void absentPresentAbsentIsAChange() throws IOException {
        ask("WATCH a");
        other.call("SET", "a", "1");
        other.call("DEL", "a");
        ask("MULTI");
        ask("SET result 1");
        assertThat(ask("EXEC")).isNull();
    }

    @Test
    void aWatchedKeyThatExpiredHasChanged() throws IOException {
        ask("SET a 1 PX 10");
        ask("WATCH a");
        server.clock.advance(Duration.ofMillis(10));
        ask("MULTI");
        ask("SET result 1");
        assertThat(ask("EXEC")).isNull();
    }

    @Test
    void unwatchAndDiscardForgetWatchedKeys() throws IOException {
        ask("WATCH a");
        ask("UNWATCH");
        other.call("SET", "a", "1");
        ask("MULTI");
        assertThat(ask("EXEC")).isEqualTo(List.of());
        ask("WATCH a");
        ask("MULTI");
        ask("DISCARD");
        other.call("SET", "a", "2");
        ask("MULTI");
        assertThat(ask("EXEC")).isEqualTo(List.of());
    }

    @Test
    void emptyingADatabaseIsPartOfTheTransaction() throws IOException {
        ask("MSET a 1 b 2");
        ask("MULTI");
        ask("SET a 2");
        ask("FLUSHDB");
        ask("GET a");
        ask("SET c 3");
        ask("SELECT 1");
        ask("SET d 4");
        assertThat(ask("EXEC")).isEqualTo(Arrays.asList("OK", "OK", null, "OK", "OK", "OK"));
        assertThat(ask("KEYS *")).isEqualTo(List.of("d"));
        assertThat(other.call("KEYS", "*")).isEqualTo(List.of("c"));
    }

    @Test
    void noUpdateIsLostUnderWatch() throws Exception {
        AtomicReference<Throwable> problem = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(new Thread(() -> {
                try (RespClient own = server.client()) {
                    for (int done = 0; done < 50; ) {
                        own.call("WATCH", "n");
                        String old = (String) own.call("GET", "n");
                        own.call("MULTI");
                        own.call("SET", "n", Integer.toString(old == null ? 1 : Integer.parseInt(old) + 1));
                        done += own.call("EXEC") == null ? 0 : 1;
                    }
                } catch (Throwable e) {
                    problem.set(e);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(problem.get()).isNull();
        assertThat(ask("GET n")).isEqualTo("400");
    }
}
