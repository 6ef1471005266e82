package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same random requests, most of them at some edge, to this server and to redis-server where that is installed: the replies
 * must be the same, errors by their code. {@code -Dcaskwright.seed=N} repeats a failure.
 */
final class SideBySideTest {
    private static final Path REDIS = Path.of("/usr/bin/redis-server");
    private static final int ROUNDS = 6_000;

    private static final String[] KEYS = {"a", "b", "c", "d", "e", ""};
    private static final String[] NUMBERS = {
        "0", "1", "-1", "2", "5", "10", "-3", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
                "4294967296",
        "1.5", " 1", "+1", "01", "-0", "", "x", "100", "2147483647", "2147483648", "-2147483649"
    };
    private static final String[] OFFSETS = {
        "0", "1", "-1", "3", "-3", "7", "100", "-100", "9223372036854775807", "-9223372036854775808", "x", "1.0"
    };
    /** Those that are exact in binary: Redis adds others with the error of a long double, this server adds decimals. */
    private static final String[] DECIMALS = {
        "0",
        "1",
        "-1",
        "0.5",
        "0.25",
        "-0.75",
        "1e3",
        "15e-1",
        "3.0e0",
        "100000",
        "-5.25",
        ".5",
        "5.",
        "abc",
        "",
        " 1",
        "1 ",
        "12345.125"
    };

    private static final String[] VALUES = {
        "",
        "x",
        "hello",
        "10",
        "-5",
        "3.5",
        "1e2",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775806",
        "0",
        "\0\1\2",
        "a\r\nb",
        " 7",
        "long value that has some length"
    };
    private static final String[] MOMENTS = {
        "4102444800000",
        "4102444800",
        "1",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775",
        "x",
        "4200000000000"
    };
    /** Of times from now only those that end at once or are refused: both clocks are not the same. */
    private static final String[] FROM_NOW = {"0", "-1", "9223372036854775807", "-9223372036854775808", "x", ""};

    private static final String[] COUNTS = {"0", "-1", "x", "", "100", "9223372036854775807", "9223372036854775808"};

    private static final String[] PATTERNS = {"*", "?", "[a-c]", "[^a]", "a*", "", "\\a", "[", "[]", "*b*", "[c-a]"};

    private static final String[] FORMS = {
        "GET K",
        "STRLEN K",
        "SET K V",
        "SET K V O",
        "SET K V O O",
        "SET K V O M",
        "SET K V M2 M",
        "SET K V O M2 M",
        "SET K V O O M2 M",
        "SETNX K V",
        "GETSET K V",
        "GETDEL K",
        "GETEX K",
        "GETEX K PERSIST",
        "GETEX K EX R",
        "GETEX K PX R",
        "SET K V EX R",
        "SET K V O PX R",
        "GETEX K M2 M",
        "GETEX K O M",
        "APPEND K V",
        "SETRANGE K F V",
        "GETRANGE K F F",
        "SUBSTR K F F",
        "INCR K",
        "DECR K",
        "INCRBY K N",
        "DECRBY K N",
        "INCRBYFLOAT f D",
        "SET K N",
        "SET f D",
        "MGET K K K",
        "MSET K V K V",
        "MSET K V K",
        "MSETNX K V K V",
        "DEL K K",
        "UNLINK K",
        "EXISTS K K K",
        "TYPE K",
        "TOUCH K K",
        "RENAME K K",
        "RENAMENX K K",
        "COPY K K",
        "COPY K K REPLACE",
        "COPY K K DB N",
        "MOVE K N",
        "PERSIST K",
        "PEXPIREAT K M",
        "EXPIREAT K M",
        "PEXPIREAT K M X",
        "EXPIREAT K M X X",
        "PEXPIRETIME K",
        "EXPIRETIME K",
        "EXPIRE K R",
        "PEXPIRE K R X",
        "SETEX K R V",
        "PSETEX K R V",
        "KEYS P",
        "SELECT 0",
        "SELECT N",
        "ECHO V",
        "PING",
        "PING V",
        "MULTI",
        "EXEC",
        "DISCARD",
        "WATCH K",
        "UNWATCH",
        "FLUSHDB",
        "SWAPDB 0 1",
        "SWAPDB N N",
        "GET",
        "SET K",
        "INCRBY K",
        "NOSUCH K",
        "GETRANGE K F",
        "WAIT 0 0",
        "EXISTS",
        "MGET",
        "TTL",
        "SETRANGE K F",
        "SETRANGE K F \"\"",
        "HELLO N",
        "CLIENT GETNAME",
        "CLIENT SETNAME K",
        "RANDOMKEY N",
        "SCAN x",
        "SCAN 0 COUNT C",
        "SCAN 0 MATCH",
        "CLIENT REPLY x",
        "CLIENT NO-EVICT x",
        "PUBLISH K V",
        "AUTH x",
        "SUBSTR K"
    };
    private static final String[] OPTIONS = {"NX", "XX", "GET", "KEEPTTL", "nx", "PERSIST", "junk"};
    private static final String[] TIMES = {"PXAT", "EXAT", "pxat"};
    private static final String[] EXPIRIES = {"NX", "XX", "GT", "LT", "gt", "junk"};

    private Process redis;
    private Path directory;
    private RespClient theirs;
    private TestServer server;
    private RespClient ours;

    @BeforeEach
    void start() throws IOException {
        assumeThat(REDIS).exists();
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        directory = Files.createTempDirectory("caskwright");
        redis = new ProcessBuilder(
                        REDIS.toString(),
                        "--port",
                        "" + port,
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                        "--dir",
                        directory.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        while (theirs == null) {
            assertThat(redis.isAlive()).isTrue();
            try {
                theirs = new RespClient(port);
            } catch (ConnectException e) {
                Thread.onSpinWait();
            }
        }
        server = TestServer.start();
        server.clock.set(java.time.Instant.now());
        ours = server.client();
    }

    @AfterEach
    void stop() throws IOException {
        if (redis != null) {
            redis.destroyForcibly().onExit().join();
            Files.delete(directory);
            theirs.close();
            ours.close();
            server.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void bothAnswerTheSame(int protocol) throws IOException {
        long seed = Long.getLong("caskwright.seed", System.nanoTime());
        Random random = new Random(seed);
        List<String> history = new ArrayList<>();
        theirs.call("HELLO", "" + protocol);
        ours.call("HELLO", "" + protocol);
        for (int round = 0; round < ROUNDS; round++) {
            String[] request = request(random);
            history.add(String.join(" ", request));
            Object expected = plain(theirs.call(request));
            Object found = plain(ours.call(request));
            assertThat(found)
                    .as(
                            "seed=%d, round=%d, requests=%s",
                            seed, round, history.subList(Math.max(0, round - 12), round + 1))
                    .isEqualTo(expected);
        }
    }

    private static String[] request(Random random) {
        String[] words = one(random, FORMS).split(" ");
        for (int i = 1; i < words.length; i++) {
            words[i] = switch (words[i]) {
                case "K" -> one(random, KEYS);
                case "V" -> one(random, VALUES);
                case "N" -> one(random, NUMBERS);
                case "D" -> one(random, DECIMALS);
                case "F" -> one(random, OFFSETS);
                case "M" -> one(random, MOMENTS);
                case "C" -> one(random, COUNTS);
                case "R" -> one(random, FROM_NOW);
                case "M2" -> one(random, TIMES);
                case "O" -> one(random, OPTIONS);
                case "X" -> one(random, EXPIRIES);
                case "P" -> one(random, PATTERNS);
                case "\"\"" -> "";
                default -> words[i];
            };
        }
        return words;
    }

    private static String one(Random random, String[] all) {
        return all[random.nextInt(all.length)];
    }

    /** What is to be the same: of an error its code, of a greeting and of lists without order not all. */
    private static Object plain(Object reply) {
        return plain(reply, false);
    }

    /** In a transaction, a page of a scan is of the keys before it here, and of those at the moment in Redis. */
    private static Object plain(Object reply, boolean isInTransaction) {
        if (reply instanceof RespClient.Failure failure) {
            return failure.message().replaceAll(" .*", "");
        }
        if (reply instanceof Map<?, ?> || (reply instanceof List<?> list && list.contains("server"))) {
            return "HELLO";
        }
        if (reply instanceof List<?> page && page.size() == 2 && page.get(1) instanceof List) {
            return isInTransaction ? "SCAN" : plain(page.get(1), false);
        }
        if (reply instanceof List<?> list) {
            List<Object> all = new ArrayList<>();
            list.forEach(element -> all.add(plain(element, true)));
            if (all.stream().allMatch(element -> element instanceof String)) {
                all.sort(null);
            }
            return all;
        }
        return reply instanceof String text
                ? new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.ISO_8859_1)
                : reply;
    }
}
