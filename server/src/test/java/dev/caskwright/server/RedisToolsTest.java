package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** redis-cli and redis-benchmark, as Debian's redis-tools brings them. */
final class RedisToolsTest {
    private static String run(String... command) throws Exception {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            return abort("NOT PROVED: " + command[0] + " is not installed (Debian: redis-tools)");
        }
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output.strip();
    }

    private static String cli(TestServer server, String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("redis-cli", "-p", "" + server.server.port()));
        command.addAll(List.of(words));
        return run(command.toArray(String[]::new));
    }

    @Test
    void redisCliTalksToTheServer() throws Exception {
        try (TestServer server = TestServer.start()) {
            assertThat(cli(server, "set", "a", "1")).isEqualTo("OK");
            assertThat(cli(server, "-3", "get", "a")).isEqualTo("1");
            assertThat(cli(server, "-n", "3", "get", "a")).isEmpty();
            assertThat(cli(server, "--scan", "--pattern", "a*")).isEqualTo("a");
            assertThat(cli(server, "info", "server")).contains("server_name:caskwright");
            assertThat(cli(server, "-3", "command", "docs", "get")).contains("Returns the string value of a key.");
        }
    }

    @Test
    void redisBenchmarkRunsThrough() throws Exception {
        try (TestServer server = TestServer.start("appendfsync", "always")) {
            String output = run(
                    "redis-benchmark",
                    "-p",
                    "" + server.server.port(),
                    "-t",
                    "ping,set,get,incr,mset",
                    "-n",
                    "2000",
                    "-P",
                    "16",
                    "-c",
                    "20",
                    "--csv");
            assertThat(output)
                    .contains("\"SET\"", "\"GET\"", "\"INCR\"", "\"MSET (10 keys)\"")
                    .doesNotContain("ERR");
        }
    }
}
