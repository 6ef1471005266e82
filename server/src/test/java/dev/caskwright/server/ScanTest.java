package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ScanTest {
    @SuppressWarnings("unchecked")
    private static String scan(RespClient client, Set<String> into, String... arguments) throws IOException {
        List<Object> reply = (List<Object>) client.call(arguments);
        for (Object key : (List<Object>) reply.get(1)) {
            into.add((String) key);
        }
        return (String) reply.get(0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void eachKeyThatStaysIsSeenWhateverIsWrittenMeanwhile(boolean isOrdered) throws IOException {
        try (TestServer server = TestServer.start(isOrdered);
                RespClient client = server.client()) {
            Set<String> staying = new HashSet<>();
            for (int i = 0; i < 1000; i++) {
                client.call("SET", "key:" + i, "v");
                client.call("SET", "goes:" + i, "v");
                staying.add("key:" + i);
            }
            client.call("SELECT", "3");
            client.call("SET", "elsewhere", "v");
            client.call("SELECT", "0");
            Set<String> seen = new HashSet<>();
            String cursor = scan(client, seen, "SCAN", "0", "COUNT", "7");
            int round = 0;
            while (!cursor.equals("0")) {
                client.call("DEL", "goes:" + round);
                client.call("SET", "new:" + round, "v");
                client.call("SET", "key:" + round % 1000, "other");
                round++;
                cursor = scan(client, seen, "SCAN", cursor, "COUNT", "7");
            }
            assertThat(seen).containsAll(staying).doesNotContain("elsewhere");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPatternAndATypeChoose(boolean isOrdered) throws IOException {
        try (TestServer server = TestServer.start(isOrdered);
                RespClient client = server.client()) {
            client.call("MSET", "user:1", "a", "user:2", "b", "other", "c");
            Set<String> seen = new HashSet<>();
            assertThat(scan(client, seen, "SCAN", "0", "MATCH", "user:*", "COUNT", "100"))
                    .isEqualTo("0");
            assertThat(seen).containsExactlyInAnyOrder("user:1", "user:2");
            seen.clear();
            scan(client, seen, "SCAN", "0", "TYPE", "hash", "COUNT", "100");
            assertThat(seen).isEmpty();
            scan(client, seen, "SCAN", "0", "TYPE", "string", "COUNT", "100");
            assertThat(seen).hasSize(3);
            assertThat((List<?>) client.call("KEYS", "user:?")).hasSize(2);
        }
    }

    @Test
    void aPageThatWasLostCanBeAskedForAgain() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            for (int i = 0; i < 100; i++) {
                client.call("SET", "key:" + i, "v");
            }
            Set<String> first = new HashSet<>();
            Set<String> second = new HashSet<>();
            Set<String> again = new HashSet<>();
            String cursor = scan(client, first, "SCAN", "0");
            String next = scan(client, second, "SCAN", cursor);
            assertThat(scan(client, again, "SCAN", cursor)).isEqualTo(next);
            assertThat(again).isEqualTo(second).doesNotContainAnyElementsOf(first);
        }
    }

    @Test
    void aCursorThatIsNotKnownIsAnErrorAndNoEnd() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            for (int i = 0; i < 100; i++) {
                client.call("SET", "key:" + i, "v");
            }
            assertThat(client.call("SCAN", "77")).isInstanceOf(RespClient.Failure.class);
            assertThat(client.call("SCAN", "x")).isEqualTo(new RespClient.Failure("ERR invalid cursor"));
            String first = scan(client, new HashSet<>(), "SCAN", "0");
            List<String> others = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                others.add(scan(client, new HashSet<>(), "SCAN", "0"));
            }
            assertThat(client.call("SCAN", first)).isInstanceOf(RespClient.Failure.class);
            assertThat(client.call("SCAN", others.get(63))).isInstanceOf(List.class);
        }
    }
}
