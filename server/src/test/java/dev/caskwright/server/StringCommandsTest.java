package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/** What commands of strings, keys and expiry answer, in RESP2; subclasses ask the same in RESP3, and of a group. */
@TestInstance(Lifecycle.PER_CLASS)
class StringCommandsTest {
    private TestServer server;
    private RespClient client;

    int protocol() {
        return 2;
    }

    TestServer open() throws IOException {
        return TestServer.start();
    }

    @BeforeAll
    void start() throws IOException {
        server = open();
        client = server.client(protocol());
    }

    @AfterAll
    void stop() throws IOException {
        client.close();
        server.close();
    }

    @BeforeEach
    void empty() throws IOException {
        ask("FLUSHALL", "OK");
        ask("SELECT 0", "OK");
    }

    /** Sends words, {@code ''} being an empty one, and compares the reply. */
    private void ask(String words, Object expected) throws IOException {
        String[] arguments = Arrays.stream(words.split(" "))
                .map(word -> word.equals("''") ? "" : word)
                .toArray(String[]::new);
        assertThat(client.call(arguments)).as(words).isEqualTo(expected);
    }

    private void fails(String words, String message) throws IOException {
        Object reply = client.call(words.split(" "));
        assertThat(reply).as(words).isInstanceOf(RespClient.Failure.class);
        assertThat(((RespClient.Failure) reply).message()).as(words).startsWith(message);
    }

    @Test
    void aValueIsSetAndRead() throws IOException {
        ask("GET a", null);
        ask("SET a 1", "OK");
        ask("get a", "1");
        ask("SET '' ''", "OK");
        ask("GET ''", "");
        ask("STRLEN a", 1L);
        ask("STRLEN missing", 0L);
    }

    @Test
    void valuesOfAllLengthsComeBackAsTheyWere() throws IOException {
        for (int length :
                new int[] {0, 1, 9, 10, 99, 100, 999, 1000, 9_999, 10_000, 16_300, 16_400, 65_535, 65_536, 1_000_000}) {
            String value = "v".repeat(length);
            assertThat(client.call("SET", "k", value)).isEqualTo("OK");
            assertThat(client.call("GET", "k")).as("length %d", length).isEqualTo(value);
            assertThat(client.call("MGET", "k", "missing", "k"))
                    .as("length %d", length)
                    .isEqualTo(Arrays.asList(value, null, value));
        }
    }

    @Test
    void everyByteMayBeInKeysAndValues() throws IOException {
        StringBuilder all = new StringBuilder();
        for (char c = 0; c < 256; c++) {
            all.append(c);
        }
        assertThat(client.call("SET", all.toString(), all.toString())).isEqualTo("OK");
        assertThat(client.call("GET", all.toString())).isEqualTo(all.toString());
        assertThat(client.call("KEYS", "*")).isEqualTo(List.of(all.toString()));
    }

    @Test
    void setObeysItsConditions() throws IOException {
        ask("SET a 1 XX", null);
        ask("SET a 1 NX", "OK");
        ask("SET a 2 NX", null);
        ask("SET a 3 XX GET", "1");
        ask("SET a 4 NX GET", "3");
        ask("GET a", "3");
        ask("SET b 1 GET", null);
        ask("SET a 5 IFEQ 4", null);
        ask("SET a 5 IFEQ 3", "OK");
        ask("SET a 6 IFEQ 9 GET", "5");
        ask("SET a 6 IFNE 5", null);
        ask("SET a 6 IFNE 9", "OK");
        ask("SET new 1 IFEQ 1", null);
        ask("SET new 1 IFNE 1", "OK");
        for (String wrong :
                List.of("NX XX", "NX IFEQ 1", "EX", "EX 1 PX 1", "EX 1 KEEPTTL", "KEEPTTL PX 5", "FOO", "IFEQ")) {
            fails("SET a 1 " + wrong, "ERR syntax error");
        }
    }

    /** Values and their digests are those of the documentation of Redis and of its issue 14496, which has one with zeros in front. */
    @Test
    void digestsAreThoseOfRedis() throws IOException {
        assertThat(client.call("SET", "a", "Hello world")).isEqualTo("OK");
        ask("DIGEST a", "b6acb9d84a38ff74");
        ask("DIGEST missing", null);
        ask("SET b v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd", "OK");
        ask("DIGEST b", "00006c38adf31777");
        fails("DIGEST", "ERR wrong number of arguments for 'digest' command");
    }

    @Test
    void setAndDelexCompareDigests() throws IOException {
        String digestOfTest = "9ec9f7918d7dfc40";
        String other = "9ec9f7918d7dfc41";
        ask("SET a test", "OK");
        ask("SET a 2 IFDEQ " + other, null);
        ask("SET a 2 IFDNE " + digestOfTest, null);
        ask("SET a 2 GET IFDNE " + digestOfTest, "test");
        ask("GET a", "test");
        ask("SET a test IFDEQ " + digestOfTest.toUpperCase(Locale.ROOT) + " EX 10", "OK");
        ask("TTL a", 10L);
        ask("SET a test IFDNE " + other, "OK");
        ask("SET new 1 IFDEQ " + other, null);
        ask("SET new 1 IFDNE " + other, "OK");
        ask("DELEX a IFDEQ " + other, 0L);
        ask("DELEX a IFDNE " + digestOfTest, 0L);
        ask("DELEX a IFDEQ " + digestOfTest, 1L);
        ask("DELEX a IFDEQ " + digestOfTest, 0L);
        ask("DELEX new IFDNE " + other, 1L);
        ask("DELEX new IFDNE " + other, 0L);
        for (String wrong : List.of("1", digestOfTest + "0", "9ec9f7918d7dfc4x", digestOfTest.substring(1))) {
            fails("SET a 2 IFDEQ " + wrong, "ERR a digest must be exactly 16 hexadecimal characters");
            fails("DELEX a IFDNE " + wrong, "ERR a digest must be exactly 16 hexadecimal characters");
        }
        for (String wrong : List.of("IFDEQ", "IFDEQ " + other + " NX", "IFDEQ " + other + " IFEQ 1")) {
            fails("SET a 1 " + wrong, "ERR syntax error");
        }
        fails("DELEX a IFDEQ " + other + " " + other, "ERR syntax error");
    }

    /** The strings and what becomes of them are those of the documentation of Redis. */
    @Test
    void theLongestCommonSubsequenceIsFound() throws IOException {
        ask("MSET a ohmytext b mynewtext", "OK");
        ask("LCS a b", "mytext");
        ask("LCS a b LEN", 6L);
        List<Object> last = List.of(List.of(4L, 7L), List.of(5L, 8L));
        List<Object> first = List.of(List.of(2L, 3L), List.of(0L, 1L));
        ask("LCS a b IDX", matches(List.of(last, first), 6));
        ask("LCS a b IDX MINMATCHLEN 4", matches(List.of(last), 6));
        ask("LCS a b IDX MINMATCHLEN 5", matches(List.of(), 6));
        ask("lcs a b minmatchlen -1 idx", matches(List.of(last, first), 6));
        List<Object> lastWithLength = List.of(List.of(4L, 7L), List.of(5L, 8L), 4L);
        ask("LCS a b WITHMATCHLEN IDX MINMATCHLEN 4", matches(List.of(lastWithLength), 6));
        ask("LCS a b WITHMATCHLEN", "mytext");
        ask("LCS a missing", "");
        ask("LCS missing missing LEN", 0L);
        ask("LCS missing b IDX", matches(List.of(), 0));
        fails("LCS a b LEN IDX", "ERR If you want both the length and indexes, please just use IDX.");
        fails("LCS a b FOO", "ERR syntax error");
        fails("LCS a b MINMATCHLEN", "ERR syntax error");
        fails("LCS a b IDX MINMATCHLEN x", "ERR value is not an integer or out of range");
        fails("LCS a", "ERR wrong number of arguments for 'lcs' command");
    }

    private Object matches(List<Object> matches, long length) {
        return protocol() == 3 ? Map.of("matches", matches, "len", length) : List.of("matches", matches, "len", length);
    }

    /** Long strings are a worker's, and what the table of Redis would not hold is an error. */
    @Test
    void longStringsHaveACommonSubsequenceToo() throws IOException {
        String middle = "0123456789".repeat(150);
        client.call("SET", "a", "x".repeat(100) + middle);
        client.call("SET", "b", middle + "y".repeat(100));
        assertThat(client.call("LCS", "a", "b")).isEqualTo(middle);
        ask("LCS a b IDX", matches(List.of(List.of(List.of(100L, 1599L), List.of(0L, 1499L))), 1500));
        client.call("SET", "a", "x".repeat(5_000));
        client.call("SET", "b", "x".repeat(5_000));
        fails("LCS a b LEN", "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
        ask("LCS a missing LEN", 0L);
    }

    @Test
    void setObeysItsTimes() throws IOException {
        ask("SET a 1 EX 10", "OK");
        ask("TTL a", 10L);
        ask("SET a 2 KEEPTTL", "OK");
        ask("PTTL a", 10_000L);
        ask("SET a 3", "OK");
        ask("TTL a", -1L);
        ask("SET a 1 PX 1500", "OK");
        ask("PTTL a", 1500L);
        long seconds = server.clock.millis() / 1000 + 100;
        ask("SET a 1 EXAT " + seconds, "OK");
        ask("EXPIRETIME a", seconds);
        ask("SET a 1 PXAT " + (seconds * 1000 + 1), "OK");
        ask("PEXPIRETIME a", seconds * 1000 + 1);
        ask("SET a 1 PXAT 1", "OK");
        ask("EXISTS a", 0L);
        for (String wrong : List.of("EX 0", "PX -1", "EXAT 0", "EX 9223372036854775807", "PX 9223372036854775807")) {
            fails("SET a 1 " + wrong, "ERR invalid expire time in 'set' command");
        }
        fails("SET a 1 EX x", "ERR value is not an integer or out of range");
        fails("SETEX a 0 1", "ERR invalid expire time in 'setex' command");
    }

    @Test
    void aKeyExpires() throws IOException {
        ask("SET a 1 PX 100", "OK");
        ask("PSETEX b 100 2", "OK");
        ask("SETEX c 1 3", "OK");
        server.clock.advance(Duration.ofMillis(99));
        ask("GET a", "1");
        server.clock.advance(Duration.ofMillis(1));
        ask("GET a", null);
        ask("TTL b", -2L);
        ask("TTL c", 1L);
        ask("MGET a b c", Arrays.asList(null, null, "3"));
    }

    @Test
    void getexChangesTheExpiry() throws IOException {
        ask("SET a 1", "OK");
        ask("GETEX a EX 10", "1");
        ask("TTL a", 10L);
        ask("GETEX a", "1");
        ask("TTL a", 10L);
        ask("GETEX a PERSIST", "1");
        ask("TTL a", -1L);
        ask("GETEX a PXAT 1", "1");
        ask("EXISTS a", 0L);
        ask("GETEX a PX 5", null);
        ask("GETEX a EX 0", null);
        ask("SET a 1", "OK");
        fails("GETEX a EX 0", "ERR invalid expire time in 'getex' command");
        fails("GETEX a FOO", "ERR syntax error");
    }

    @Test
    void oldValuesAreReturnedAndRemoved() throws IOException {
        ask("GETSET a 1", null);
        ask("GETSET a 2", "1");
        ask("GETDEL a", "2");
        ask("GETDEL a", null);
        ask("SETNX a 1", 1L);
        ask("SETNX a 2", 0L);
        ask("GET a", "1");
    }

    @Test
    void keysAreRemovedIfTheirValueIsTheExpectedOne() throws IOException {
        ask("SET lock me", "OK");
        ask("DELIFEQ lock you", 0L);
        ask("DELIFEQ lock me", 1L);
        ask("DELIFEQ lock me", 0L);
        ask("SET a 1", "OK");
        ask("DELEX a IFEQ 2", 0L);
        ask("DELEX a IFNE 1", 0L);
        ask("DELEX a IFNE 2", 1L);
        ask("DELEX a IFNE 2", 0L);
        ask("SET a 1", "OK");
        ask("DELEX a", 1L);
    }

    @Test
    void severalAreSetAtOnce() throws IOException {
        ask("MSET a 1 b 2 a 3", "OK");
        ask("MGET a b", List.of("3", "2"));
        ask("MSETNX c 1 a 2", 0L);
        ask("EXISTS c", 0L);
        ask("MSETNX c 1 d 2", 1L);
        fails("MSET a 1 b", "ERR wrong number of arguments for 'mset' command");
    }

    @Test
    void severalAreSetAtOnceOnCondition() throws IOException {
        ask("MSETEX 2 a 1 b 2", 1L);
        ask("MSETEX 2 a 3 c 3 NX", 0L);
        ask("MGET a b c", Arrays.asList("1", "2", null));
        ask("MSETEX 2 a 3 c 3 XX", 0L);
        ask("MSETEX 2 a 3 b 4 EX 100 XX", 1L);
        ask("TTL a", 100L);
        ask("MSETEX 2 a 5 d 5 KEEPTTL", 1L);
        ask("TTL a", 100L);
        ask("TTL d", -1L);
        ask("MSETEX 1 a 6", 1L);
        ask("TTL a", -1L);
        ask("MSETEX 2 a 7 a 8 PXAT 1", 1L);
        ask("EXISTS a", 0L);
        ask("COMMAND GETKEYS MSETEX 2 a 1 b 2 EX 100", List.of("a", "b"));
        fails("MSETEX 0 a 1", "ERR invalid numkeys value");
        fails("MSETEX -1 a 1", "ERR invalid numkeys value");
        fails("MSETEX x a 1", "ERR");
        fails("MSETEX 2 a 1 NX", "ERR wrong number of key-value pairs");
        fails("MSETEX 9223372036854775807 a 1", "ERR");
        fails("MSETEX 1 a 1 NX XX", "ERR syntax error");
        fails("MSETEX 1 a 1 KEEPTTL EX 1", "ERR syntax error");
        fails("MSETEX 1 a 1 EX 0", "ERR invalid expire time in 'msetex' command");
    }

    @Test
    void partsAreReadAndWritten() throws IOException {
        ask("SET a Hello_World", "OK");
        ask("GETRANGE a 0 4", "Hello");
        ask("GETRANGE a -5 -1", "World");
        ask("GETRANGE a 0 -1", "Hello_World");
        ask("GETRANGE a 5 100", "_World");
        ask("GETRANGE a 6 2", "");
        ask("GETRANGE a -1 -5", "");
        ask("GETRANGE a -100 2", "Hel");
        ask("GETRANGE missing 0 -1", "");
        ask("SUBSTR a 0 0", "H");
        ask("GETRANGE a 9223372036854775807 9223372036854775807", "");
        ask("GETRANGE a -9223372036854775808 -9223372036854775808", "H");
        ask("SETRANGE a 6 Redis", 11L);
        ask("GET a", "Hello_Redis");
        ask("SETRANGE pad 3 x", 4L);
        ask("GET pad", "\0\0\0x");
        ask("SETRANGE none 3 ''", 0L);
        ask("EXISTS none", 0L);
        fails("SETRANGE a -1 x", "ERR offset is out of range");
        fails("SETRANGE a 9223372036854775807 x", "ERR string exceeds maximum allowed size");
        fails("SETRANGE a 67108864 x", "ERR string exceeds maximum allowed size");
        ask("APPEND a !", 12L);
        ask("APPEND new x", 1L);
        ask("SET a x EX 10", "OK");
        ask("APPEND a y", 2L);
        ask("TTL a", 10L);
    }

    @Test
    void numbersAreCounted() throws IOException {
        ask("INCR n", 1L);
        ask("INCRBY n 41", 42L);
        ask("DECR n", 41L);
        ask("DECRBY n 50", -9L);
        ask("SET n 9223372036854775807", "OK");
        fails("INCR n", "ERR increment or decrement would overflow");
        ask("SET n -9223372036854775808", "OK");
        fails("DECR n", "ERR increment or decrement would overflow");
        fails("DECRBY n -9223372036854775808", "ERR decrement would overflow");
        for (String wrong : List.of("x", "01", "+1", "1.0", "9223372036854775808", "''")) {
            ask("SET n " + wrong, "OK");
            fails("INCR n", "ERR value is not an integer or out of range");
        }
        ask("SET n 5 EX 10", "OK");
        ask("INCR n", 6L);
        ask("TTL n", 10L);
    }

    @Test
    void decimalsAreCounted() throws IOException {
        ask("INCRBYFLOAT f 10.50", "10.5");
        ask("INCRBYFLOAT f 0.1", "10.6");
        ask("INCRBYFLOAT f -10.6", "0");
        ask("SET f 5.0e3", "OK");
        ask("INCRBYFLOAT f 2.0e2", "5200");
        fails("INCRBYFLOAT f x", "ERR value is not a valid float");
        fails("INCRBYFLOAT f 1e999999999", "ERR value is not a valid float");
        fails("INCRBYFLOAT f -1e-999999999", "ERR value is not a valid float");
        ask("SET f 1e308", "OK");
        ask("SET g x", "OK");
        fails("INCRBYFLOAT g 1", "ERR value is not a valid float");
    }

    @Test
    void keysAreCountedAndRemoved() throws IOException {
        ask("MSET a 1 b 2 c 3", "OK");
        ask("EXISTS a b x a", 3L);
        ask("TOUCH a x", 1L);
        ask("TYPE a", "string");
        ask("TYPE x", "none");
        ask("DBSIZE", 3L);
        ask("DEL a b a x", 2L);
        ask("UNLINK c", 1L);
        ask("DBSIZE", 0L);
        ask("RANDOMKEY", null);
        ask("SET only 1", "OK");
        ask("RANDOMKEY", "only");
    }

    @Test
    void keysAreRenamedCopiedAndMoved() throws IOException {
        ask("SET a 1 EX 100", "OK");
        ask("RENAME a b", "OK");
        ask("TTL b", 100L);
        fails("RENAME a b", "ERR no such key");
        ask("SET a 2", "OK");
        ask("RENAMENX a b", 0L);
        ask("RENAMENX a c", 1L);
        ask("RENAME c c", "OK");
        ask("RENAMENX c c", 0L);
        ask("COPY b d", 1L);
        ask("TTL d", 100L);
        ask("COPY c d", 0L);
        ask("COPY c d REPLACE", 1L);
        ask("GET d", "2");
        ask("COPY c c DB 1", 1L);
        fails("COPY c c", "ERR source and destination objects are the same");
        ask("MOVE c 1", 0L);
        ask("MOVE b 1", 1L);
        ask("EXISTS b", 0L);
        ask("SELECT 1", "OK");
        ask("TTL b", 100L);
        ask("GET c", "2");
        ask("DBSIZE", 2L);
    }

    @Test
    void databasesAreApart() throws IOException {
        ask("SET a 0", "OK");
        ask("SELECT 1", "OK");
        ask("GET a", null);
        ask("SET a 1", "OK");
        ask("SWAPDB 0 1", "OK");
        ask("GET a", "0");
        ask("FLUSHDB", "OK");
        ask("GET a", null);
        ask("KEYS *", List.of());
        ask("SELECT 0", "OK");
        ask("GET a", "1");
        fails("SELECT 16", "ERR DB index is out of range");
        fails("SELECT x", "ERR invalid DB index");
        ask("FLUSHALL ASYNC", "OK");
        ask("DBSIZE", 0L);
    }

    @Test
    void expiryIsChangedUnderConditions() throws IOException {
        ask("EXPIRE a 10", 0L);
        ask("SET a 1", "OK");
        ask("EXPIRE a 10 XX", 0L);
        ask("EXPIRE a 10 GT", 0L);
        ask("EXPIRE a 10 LT", 1L);
        ask("EXPIRE a 20 NX", 0L);
        ask("EXPIRE a 5 GT", 0L);
        ask("EXPIRE a 20 GT", 1L);
        ask("PEXPIRE a 30000 LT", 0L);
        ask("PEXPIRE a 30000 XX", 1L);
        ask("TTL a", 30L);
        ask("PERSIST a", 1L);
        ask("PERSIST a", 0L);
        ask("EXPIREAT a 1", 1L);
        ask("EXISTS a", 0L);
        ask("SET a 1", "OK");
        ask("EXPIRE a -1", 1L);
        ask("EXISTS a", 0L);
        ask("SET a 1", "OK");
        ask("PEXPIREAT a " + (server.clock.millis() + 5), 1L);
        ask("PTTL a", 5L);
        fails("EXPIRE a 1 NX XX", "ERR NX and XX, GT or LT options at the same time are not compatible");
        fails("EXPIRE a 1 GT LT", "ERR GT and LT options at the same time are not compatible");
        fails("EXPIRE a 9223372036854775807", "ERR invalid expire time in 'expire' command");
        ask("EXPIRETIME a", (server.clock.millis() + 5) / 1000);
        ask("EXPIRETIME x", -2L);
        ask("PERSIST a", 1L);
        ask("PEXPIRETIME a", -1L);
    }

    @Test
    void whatIsWrongIsSaid() throws IOException {
        fails("NOSUCH a b", "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b'");
        fails("GET", "ERR wrong number of arguments for 'get' command");
        fails("LPUSH a 1", "ERR unknown command 'LPUSH'");
        fails("EVALSHA x 1 a", "ERR there are no scripts here: unknown command 'EVALSHA'");
        fails("CLIENT NOSUCH", "ERR unknown subcommand 'NOSUCH'");
        Object reply = client.call("NO\r\nSUCH\u001b", "x".repeat(1000));
        String message = ((RespClient.Failure) reply).message();
        assertThat(message).contains("NO\\x0d\\x0aSUCH\\x1b").hasSizeLessThan(400);
        reply = client.call("SET", "k".repeat(65_535), "v");
        assertThat(((RespClient.Failure) reply).message()).isEqualTo("ERR key is longer than 65534 bytes");
        assertThat(client.call("SET", "k".repeat(65_534), "v")).isEqualTo("OK");
    }
}
