package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.server.store.AppendFsync;
import dev.caskwright.server.store.Keyspace;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GETs that follow each other are read together, and nobody sees a difference. */
final class LookAheadTest {
    private static final String LONG = "x".repeat(20_000);

    @ParameterizedTest
    @ValueSource(strings = {"no", "always"})
    void aPipelineOfReadsAndChangesIsAnsweredInItsOrder(String policy) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Map<String, String> model = new HashMap<>();
        try (TestServer server = TestServer.start(false, "appendfsync", policy);
                RespClient client = server.client()) {
            for (int round = 0; round < 300; round++) {
                List<Object> expected = new ArrayList<>();
                ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
                int count = 1 + random.nextInt(200);
                for (int i = 0; i < count; i++) {
                    // Long values come late, so that both ways are gone.
                    add(pipeline, random, model, expected, round > 200 && random.nextInt(500) == 0);
                }
                client.sendRaw(pipeline.toByteArray());
                for (Object each : expected) {
                    assertThat(client.read())
                            .as("seed=%d, round=%d", seed, round)
                            .isEqualTo(each);
                }
            }
        }
    }

    private static void add(
            ByteArrayOutputStream pipeline,
            Random random,
            Map<String, String> model,
            List<Object> expected,
            boolean isLong) {
        String key = "k" + random.nextInt(20);
        switch (isLong ? 0 : random.nextInt(12)) {
            case 0 -> {
                String value = isLong ? LONG : "v" + random.nextInt(1_000);
                pipeline.writeBytes(RespClient.encode("SET", key, value));
                model.put(key, value);
                expected.add("OK");
            }
            case 1 -> {
                pipeline.writeBytes(RespClient.encode("DEL", key));
                expected.add(model.remove(key) == null ? 0L : 1L);
            }
            case 2 -> {
                String other = "k" + random.nextInt(20);
                pipeline.writeBytes(RespClient.encode("MGET", key, other, key));
                List<String> values = new ArrayList<>();
                values.add(model.get(key));
                values.add(model.get(other));
                values.add(model.get(key));
                expected.add(values);
            }
            default -> {
                pipeline.writeBytes(RespClient.encode(random.nextBoolean() ? "GET" : "get", key));
                expected.add(model.get(key));
            }
        }
    }

    @Test
    void whatWasReadForARefusedGetIsShownToNobody() throws IOException {
        try (TestServer server = TestServer.start(false);
                RespClient client = server.client()) {
            client.call("MSET", "a", "1", "secret", "2");
            client.call("ACL", "SETUSER", "reader", "on", "nopass", "~a", "+@all");
            client.call("AUTH", "reader", "x");
            ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
            for (String each : List.of("GET secret", "GET a", "GET a", "GET secret", "SET a 3", "GET a")) {
                pipeline.writeBytes(RespClient.encode(each.split(" ", -1)));
            }
            client.sendRaw(pipeline.toByteArray());
            assertThat(client.read().toString()).contains("No permissions");
            assertThat(client.read()).isEqualTo("1");
            assertThat(client.read()).isEqualTo("1");
            assertThat(client.read().toString()).contains("No permissions");
            assertThat(client.read()).isEqualTo("OK");
            assertThat(client.read()).isEqualTo("3");
        }
    }

    /** GETs that are refused while a client subscribes leave their keys, and what was read, to those that run later. */
    @Test
    void whatWasReadForGetsThatDidNotRunIsNoAnswerAfterAChange() throws IOException {
        try (TestServer server = TestServer.start(false);
                RespClient client = server.client()) {
            client.call("MSET", "a", "1", "b", "1");
            client.call("SUBSCRIBE", "news");
            ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
            for (String each : List.of("GET a", "GET b", "UNSUBSCRIBE news", "SET a 2", "GET a")) {
                pipeline.writeBytes(RespClient.encode(each.split(" ", -1)));
            }
            client.sendRaw(pipeline.toByteArray());
            assertThat(client.read().toString()).contains("Can't execute 'get'");
            assertThat(client.read().toString()).contains("Can't execute 'get'");
            client.read();
            assertThat(client.read()).isEqualTo("OK");
            assertThat(client.read()).isEqualTo("2");
        }
    }

    @Test
    void getsOfATransactionShowItsChanges() throws IOException {
        try (TestServer server = TestServer.start(false);
                RespClient client = server.client()) {
            client.call("SET", "a", "1");
            ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
            for (String each :
                    List.of("GET a", "MULTI", "GET a", "GET a", "SET a 2", "GET a", "GET a", "EXEC", "GET a")) {
                pipeline.writeBytes(RespClient.encode(each.split(" ", -1)));
            }
            client.sendRaw(pipeline.toByteArray());
            assertThat(client.read()).isEqualTo("1");
            for (int i = 0; i < 6; i++) {
                client.read();
            }
            assertThat(client.read()).isEqualTo(List.of("1", "1", "OK", "2", "2"));
            assertThat(client.read()).isEqualTo("2");
        }
    }

    @Test
    void nothingIsReadAheadOnceAValueWasTooLongForMany() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (TestServer server = TestServer.start(disk, disk.factory(), false);
                RespClient client = server.client()) {
            client.call("SET", "a", "1");
            assertThat(mayReadAhead(server)).isTrue();
            client.send("MULTI");
            client.send("SET", "b", LONG);
            client.send("EXEC");
            for (int i = 0; i < 3; i++) {
                client.read();
            }
            assertThat(mayReadAhead(server)).isFalse();
        }
        try (TestServer server = TestServer.start(disk, disk.factory(), false)) {
            assertThat(mayReadAhead(server)).isFalse();
        }
    }

    private static boolean mayReadAhead(TestServer server) throws IOException {
        return new Keyspace(server.store, InstantSource.system(), 16, AppendFsync.NO).mayReadAhead();
    }
}
