package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;

import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users, configuration, and what is kept in files. */
final class AclTest {
    @TempDir
    private Path directory;

    private static Object ask(RespClient client, String words) throws IOException {
        return client.call(words.split(" "));
    }

    private static String error(RespClient client, String words) throws IOException {
        Object reply = ask(client, words);
        assertThat(reply).as(words).isInstanceOf(RespClient.Failure.class);
        return ((RespClient.Failure) reply).message();
    }

    @Test
    void aUserMayDoWhatItsRulesSay() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient admin = server.client();
                RespClient client = server.client()) {
            assertThat(ask(
                            admin,
                            "ACL SETUSER alice on >secret ~app:* %R~shared:* &news* +@read +set +config|get -keys"))
                    .isEqualTo("OK");
            assertThat(error(client, "AUTH alice wrong")).startsWith("WRONGPASS");
            assertThat(error(client, "AUTH nobody secret")).startsWith("WRONGPASS");
            assertThat(ask(client, "AUTH alice secret")).isEqualTo("OK");
            assertThat(ask(client, "ACL WHOAMI")).isInstanceOf(RespClient.Failure.class);
            assertThat(ask(client, "SET app:1 x")).isEqualTo("OK");
            assertThat(ask(client, "GET app:1")).isEqualTo("x");
            assertThat(ask(client, "GET shared:1")).isNull();
            assertThat(error(client, "SET shared:1 x")).isEqualTo("NOPERM No permissions to access a key");
            assertThat(error(client, "GET other")).startsWith("NOPERM");
            assertThat(error(client, "MGET app:1 other")).startsWith("NOPERM");
            assertThat(error(client, "KEYS *")).contains("no permissions to run the 'keys' command");
            assertThat(error(client, "DEL app:1")).startsWith("NOPERM");
            assertThat(error(client, "CONFIG SET timeout 1")).contains("'config|set'");
            assertThat(ask(client, "CONFIG GET timeout")).isEqualTo(List.of("timeout", "0"));
            assertThat(error(client, "COPY shared:1 other")).startsWith("NOPERM");
            assertThat(error(client, "SUBSCRIBE news")).startsWith("NOPERM");
            ask(admin, "ACL SETUSER alice +@pubsub +multi +exec");
            assertThat(error(client, "SUBSCRIBE weather")).startsWith("NOPERM");
            assertThat(error(client, "PUBLISH weather x")).startsWith("NOPERM");
            assertThat(ask(client, "PUBLISH news x")).isEqualTo(0L);
            List<?> log = (List<?>) ask(admin, "ACL LOG");
            assertThat(log).isNotEmpty();
            assertThat(log.toString()).doesNotContain("secret");
        }
    }

    @Test
    void keysThatAreCountedAreLookedAtEachOne() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient client = server.client()) {
            ask(client, "ACL SETUSER some on nopass ~a* +@all");
            ask(client, "AUTH some x");
            assertThat(ask(client, "MSETEX 2 a 1 ab 2 EX 100")).isEqualTo(1L);
            assertThat(ask(client, "MSETEX 2 a 1 b 2").toString()).contains("No permissions");
            assertThat(ask(client, "MSETEX 99 a 1 b 2").toString()).contains("No permissions");
        }
    }

    @Test
    void rulesAreAppliedAllOrNone() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient admin = server.client(3)) {
            assertThat(error(admin, "ACL SETUSER bob on +nosuch"))
                    .startsWith("ERR Error in ACL SETUSER modifier '+nosuch'");
            assertThat(ask(admin, "ACL GETUSER bob")).isNull();
            assertThat(error(admin, "ACL SETUSER bob ~pass\u001b")).doesNotContain("pass");
            assertThat(error(admin, "ACL SETUSER bob #tooshort")).doesNotContain("tooshort");
            ask(admin, "ACL SETUSER bob on >p ~* +@all -@dangerous");
            Map<?, ?> user = (Map<?, ?>) ask(admin, "ACL GETUSER bob");
            assertThat(user.get("commands")).isEqualTo("+@all -@dangerous");
            assertThat(user.get("keys")).isEqualTo("~*");
            assertThat(((List<?>) user.get("passwords")).get(0).toString()).hasSize(64);
            assertThat(ask(admin, "ACL DRYRUN bob GET a")).isEqualTo("OK");
            assertThat((String) ask(admin, "ACL DRYRUN bob FLUSHALL")).contains("no permissions");
            assertThat(ask(admin, "ACL DELUSER bob nobody")).isEqualTo(1L);
            assertThat(error(admin, "ACL DELUSER default")).startsWith("ERR The 'default' user");
            assertThat(ask(admin, "ACL CAT")).asInstanceOf(LIST).contains("string", "keyspace");
            assertThat(ask(admin, "ACL CAT string")).asInstanceOf(LIST).contains("get", "set", "incr");
            assertThat(ask(admin, "ACL GENPASS 5").toString()).hasSize(2);
        }
    }

    @Test
    void aUserThatIsRemovedIsDisconnected() throws IOException {
        try (TestServer server = TestServer.start();
                RespClient admin = server.client();
                RespClient client = server.client()) {
            ask(admin, "ACL SETUSER alice on >secret ~* +@all");
            ask(client, "AUTH alice secret");
            assertThat(ask(admin, "ACL DELUSER alice")).isEqualTo(1L);
            assertThat(client.readAll()).isEmpty();
        }
    }

    @Test
    void usersAreKeptInAFile() throws IOException {
        Path file = directory.resolve("users.acl");
        Files.writeString(file, "user default on nopass ~* &* +@all\n");
        try (TestServer server = TestServer.start("aclfile", file.toString());
                RespClient admin = server.client()) {
            ask(admin, "ACL SETUSER alice on >secret ~app:* +get");
            assertThat(ask(admin, "ACL SAVE")).isEqualTo("OK");
            assertThat(Files.readString(file)).contains("user alice on #").doesNotContain("secret");
            ask(admin, "ACL DELUSER alice");
            assertThat(ask(admin, "ACL LOAD")).isEqualTo("OK");
            assertThat((List<?>) ask(admin, "ACL USERS")).isEqualTo(List.of("alice", "default"));
            Files.writeString(file, "user broken +nosuch\n");
            assertThat(error(admin, "ACL LOAD")).contains("line=1");
            assertThat((List<?>) ask(admin, "ACL USERS")).hasSize(2);
        }
    }

    @Test
    void optionsAreReadChangedAndRewritten() throws IOException {
        Path file = directory.resolve("server.conf");
        Files.writeString(
                file, "# the server of the house\nmaxclients 100\n\ntimeout 0 \nuser bob on >pw ~b:* +@all\n");
        var config = TestServer.config().read(file);
        config.set("port", "0").set("bind", "127.0.0.1");
        TestServer empty = TestServer.start();
        try (empty;
                CaskServer server = CaskServer.start(empty.store, config, empty.clock);
                RespClient client = new RespClient(server.port())) {
            assertThat(ask(client, "CONFIG GET maxcl*")).isEqualTo(List.of("maxclients", "100"));
            assertThat(ask(client, "CONFIG SET maxclients 200 proto-max-bulk-len 2mb"))
                    .isEqualTo("OK");
            assertThat(ask(client, "CONFIG GET proto-max-bulk-len"))
                    .isEqualTo(List.of("proto-max-bulk-len", "2097152"));
            assertThat(error(client, "CONFIG SET nosuch 1")).startsWith("ERR Unknown option");
            assertThat(error(client, "CONFIG SET port 1")).contains("can't set immutable");
            assertThat(error(client, "CONFIG SET backup-dir /tmp")).contains("protected");
            assertThat(error(client, "CONFIG SET maxclients 300 timeout x")).contains("'timeout'");
            assertThat(ask(client, "CONFIG GET maxclients")).isEqualTo(List.of("maxclients", "200"));
            assertThat(ask(client, "CONFIG REWRITE")).isEqualTo("OK");
            assertThat(Files.readString(file))
                    .contains("# the server of the house\nmaxclients 200\n")
                    .contains("proto-max-bulk-len 2097152")
                    .contains("user bob on #")
                    .doesNotContain("pw");
        }
        assertThat(TestServer.config().read(file).text("maxclients")).isEqualTo("200");
    }

    /** The server that reads the file must not let in, or let do, more than the one that wrote it. */
    @Test
    void whatWasRewrittenLetsInWhomItLetInBefore() throws IOException {
        Path file = directory.resolve("server.conf");
        Files.writeString(file, "# nothing\n");
        for (String password : List.of("two  spaces", " first", "last ", "tab\ttab", "a \"b\" \\c", "#hash", "plain")) {
            var config = TestServer.config().read(file).set("port", "0").set("bind", "127.0.0.1");
            try (TestServer empty = TestServer.start();
                    CaskServer server = CaskServer.start(empty.store, config, empty.clock);
                    RespClient client = new RespClient(server.port())) {
                assertThat(client.call("CONFIG", "SET", "requirepass", password))
                        .isEqualTo("OK");
                assertThat(client.call("AUTH", password)).isEqualTo("OK");
                assertThat(ask(client, "CONFIG REWRITE")).isEqualTo("OK");
                assertThat(TestServer.config().read(file).text("requirepass")).isEqualTo(password);
                assertThat(client.call("CONFIG", "SET", "requirepass", "")).isEqualTo("OK");
                assertThat(ask(client, "CONFIG REWRITE")).isEqualTo("OK");
            }
        }
    }

    @Test
    void rulesOfTheDefaultUserAreRewritten() throws IOException {
        Path file = directory.resolve("server.conf");
        Files.writeString(file, "# nothing\n");
        var config = TestServer.config().read(file).set("port", "0").set("bind", "127.0.0.1");
        try (TestServer empty = TestServer.start();
                CaskServer server = CaskServer.start(empty.store, config, empty.clock);
                RespClient client = new RespClient(server.port())) {
            ask(client, "CONFIG REWRITE");
            assertThat(Files.readString(file)).doesNotContain("user");
            assertThat(ask(client, "ACL SETUSER default >pw -flushall")).isEqualTo("OK");
            assertThat(ask(client, "CONFIG REWRITE")).isEqualTo("OK");
        }
        config = TestServer.config().read(file).set("port", "0").set("bind", "127.0.0.1");
        try (TestServer empty = TestServer.start();
                CaskServer server = CaskServer.start(empty.store, config, empty.clock);
                RespClient client = new RespClient(server.port())) {
            assertThat(error(client, "GET a")).startsWith("NOAUTH");
            assertThat(ask(client, "AUTH pw")).isEqualTo("OK");
            assertThat(error(client, "FLUSHALL")).startsWith("NOPERM");
        }
    }

    @Test
    void aBackupCanBeServed() throws IOException {
        Path target = directory.resolve("backup");
        Path dir = directory.resolve("store");
        var config = TestServer.config("port", "0", "bind", "127.0.0.1", "backup-dir", target.toString());
        try (var store = BitcaskEngine.open(dir);
                CaskServer server = CaskServer.start(store, config);
                RespClient client = new RespClient(server.port())) {
            ask(client, "SET a 1");
            assertThat(ask(client, "SAVE")).isEqualTo("OK");
            ask(client, "SET a 2");
            assertThat(ask(client, "BGSAVE")).isEqualTo("Background saving started");
            while (((String) ask(client, "INFO persistence")).contains("rdb_bgsave_in_progress:1")) {
                ask(client, "PING");
            }
            assertThat((Long) ask(client, "LASTSAVE")).isPositive();
        }
        try (var store = BitcaskEngine.open(target);
                CaskServer server = CaskServer.start(store, config);
                RespClient client = new RespClient(server.port())) {
            assertThat(ask(client, "GET a")).isEqualTo("2");
        }
    }
}
