package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class JsonLinesTest {
    private static final String GOOD = "{\"key\":\"k\",\"value\":\"v\"}";

    @ParameterizedTest
    @EnumSource(Encoding.class)
    void aDumpLoadsToTheSameContent(Encoding encoding) throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Cli source = new Cli();
        for (int i = 0; i < 2000; i++) {
            source.engine.put(key(random), bytes(random, random.nextInt(300)), options(random));
        }
        Cli target = new Cli();
        target.in = source.run("dump", "--dir", "d", "--encoding", encoding.toString())
                .outBytes();
        Cli.Result result = target.run("load", "--dir", "d", "-");
        assertThat(result.exitCode()).as("seed %d: %s", seed, result.err()).isZero();
        assertThat(target.engine.entries.size()).as("seed %d", seed).isEqualTo(source.engine.entries.size());
        for (Entry entry : source.engine.entries.values()) {
            Entry loaded = target.engine.entry(entry.key());
            assertThat(loaded).as("seed %d", seed).isNotNull();
            assertThat(loaded.value()).as("seed %d", seed).isEqualTo(entry.value());
            assertThat(loaded.expiresAtMillis()).as("seed %d", seed).isEqualTo(entry.expiresAtMillis());
        }
        assertThat(target.engine.syncs).isEqualTo(1);
    }

    @Test
    void everyCharacterSurvives() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int character = 0; character <= Character.MAX_CODE_POINT; character++) {
            if (character < Character.MIN_SURROGATE || character > Character.MAX_SURROGATE) {
                text.appendCodePoint(character);
            }
        }
        Cli source = new Cli();
        byte[] value = text.toString().getBytes(StandardCharsets.UTF_8);
        source.engine.put(new byte[] {'k'}, value);
        String dump = source.run("dump", "--dir", "d").out();
        assertThat(dump).doesNotContain("base64");
        Cli target = new Cli().in(dump);
        target.run("load", "--dir", "d", "-");
        assertThat(target.engine.get(new byte[] {'k'})).isEqualTo(value);
    }

    @Test
    void dumpMarksLinesThatAreNotUtf8() throws IOException {
        Cli cli = new Cli();
        cli.engine.put(new byte[] {'a'}, new byte[] {'1'});
        cli.engine.put(new byte[] {'b'}, new byte[] {(byte) 0xC0, (byte) 0x80}); // an overlong zero
        cli.engine.put(
                new byte[] {'c'},
                new byte[0],
                WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(99_999_999_999_999L)));
        cli.engine.put(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}, new byte[] {'4'}); // half a surrogate pair
        assertThat(cli.run("dump", "--dir", "d").out().lines())
                .containsExactly(
                        "{\"key\":\"a\",\"value\":\"1\"}",
                        "{\"key\":\"Yg==\",\"value\":\"wIA=\",\"encoding\":\"base64\"}",
                        "{\"key\":\"c\",\"value\":\"\",\"expiresAt\":99999999999999}",
                        "{\"key\":\"7aCA\",\"value\":\"NA==\",\"encoding\":\"base64\"}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "[]",
                "\"k\"",
                "{",
                "{}",
                "{\"key\":\"k\"}",
                "{\"value\":\"v\"}",
                "{\"key\":\"\",\"value\":\"v\"}",
                "{\"key\":1,\"value\":\"v\"}",
                "{\"key\":null,\"value\":\"v\"}",
                "{\"key\":[\"k\"],\"value\":\"v\"}",
                "{\"key\":{\"k\":1},\"value\":\"v\"}",
                "{\"key\":\"k\",\"value\":\"v\"",
                "{\"key\":\"k\",\"value\":\"v\"}}",
                "{\"key\":\"k\",\"value\":\"v\"} {}",
                "{\"key\":\"k\",\"value\":\"v\",}",
                "{\"key\":\"k\",\"value\":\"v\",\"ttl\":5}",
                "{\"key\":\"k\",\"key\":\"k\",\"value\":\"v\"}",
                "{'key':'k','value':'v'}",
                "{\"key\":\"k\",\"value\":\"v\\x\"}",
                "{\"key\":\"k\",\"value\":\"\\ud800\"}",
                "{\"key\":\"\\udc00\\ud800\",\"value\":\"v\"}",
                "{\"key\":\"k\",\"value\":\"\u0001\"}",
                "{\"key\":\"k\",\"value\":\"v\",\"encoding\":\"latin1\"}",
                "{\"key\":\"a!\",\"value\":\"\",\"encoding\":\"base64\"}",
                "{\"key\":\"YQ==\",\"value\":\"Y\",\"encoding\":\"base64\"}",
                "{\"key\":\"k\",\"value\":\"v\",\"expiresAt\":0}",
                "{\"key\":\"k\",\"value\":\"v\",\"expiresAt\":-5}",
                "{\"key\":\"k\",\"value\":\"v\",\"expiresAt\":1.5}",
                "{\"key\":\"k\",\"value\":\"v\",\"expiresAt\":\"1\"}",
                "{\"key\":\"k\",\"value\":\"v\",\"expiresAt\":99999999999999999999}",
                "\uFEFF{\"key\":\"k\",\"value\":\"v\"}",
            })
    void aMalformedLineIsToldAndThoseBeforeItAreStored(String malformed) {
        Cli cli = new Cli()
                .in("{\"key\":\"1\",\"value\":\"v\"}\r\n{\"key\":\"2\",\"value\":\"\\u00e9\"}\n" + malformed + "\n"
                        + GOOD + "\n");
        Cli.Result result = cli.run("load", "--dir", "d", "-");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.errLines()).hasSize(1);
        assertThat(result.err()).startsWith("caskwright: line 3: ").contains("the lines before it are stored");
        assertThat(cli.engine.entries.keySet()).containsExactly(new byte[] {'1'}, new byte[] {'2'});
        assertThat(cli.engine.syncs).isEqualTo(1);
    }

    @Test
    void malformedUtf8IsRefused() {
        // Overlong, half a surrogate pair, cut short, out of range, a stray continuation.
        for (String hex : new String[] {"c080", "eda080", "e282", "f5808080", "80"}) {
            Cli cli = new Cli();
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            line.writeBytes("{\"key\":\"k".getBytes(StandardCharsets.UTF_8));
            line.writeBytes(java.util.HexFormat.of().parseHex(hex));
            line.writeBytes("\",\"value\":\"v\"}\n".getBytes(StandardCharsets.UTF_8));
            cli.in = line.toByteArray();
            Cli.Result result = cli.run("load", "--dir", "d", "-");
            assertThat(result.exitCode()).as(hex).isEqualTo(1);
            assertThat(result.err()).contains("line 1: not well-formed UTF-8");
        }
    }

    @Test
    void aKeyThatIsTooLongIsToldWithItsLine() {
        Cli cli = new Cli().in(GOOD + "\n{\"key\":\"" + "k".repeat(65_536) + "\",\"value\":\"\"}\n");
        assertThat(cli.run("load", "--dir", "d", "-").err()).contains("line 2: the key has 65,536 bytes");
    }

    @Test
    void theLastLineNeedsNoLineFeed() {
        Cli cli = new Cli().in(GOOD);
        assertThat(cli.run("load", "--dir", "d", "-").exitCode()).isZero();
        assertThat(cli.engine.entries).hasSize(1);
    }

    @Test
    void longLinesAreRead() throws IOException {
        String value = "x".repeat(30_000_000); // past the limit that the JSON library has by default
        Cli cli = new Cli().in("{\"key\":\"k\",\"value\":\"" + value + "\"}");
        assertThat(cli.run("load", "--dir", "d", "-").exitCode()).isZero();
        assertThat(cli.engine.get(new byte[] {'k'})).hasSize(value.length());
    }

    @Test
    void linesAreCutRightHoweverTheInputArrives() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] input = new byte[400_000];
        for (int i = 0; i < input.length; i++) {
            // Stretches without a line feed that are longer than the buffer, and empty lines.
            input[i] = (byte) (random.nextInt(i < 200_000 ? 100_000 : 20) == 0 ? '\n' : 'x');
        }
        InputStream trickle = new ByteArrayInputStream(input) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                return super.read(target, offset, Math.min(length, 1 + random.nextInt(5000)));
            }
        };
        LineReader lines = new LineReader(trickle);
        String[] expected = new String(input, StandardCharsets.US_ASCII).split("\n", -1);
        int count = expected[expected.length - 1].isEmpty() ? expected.length - 1 : expected.length;
        for (int i = 0; i < count; i++) {
            ByteBuffer line = lines.next();
            assertThat(StandardCharsets.US_ASCII.decode(line).toString().equals(expected[i]))
                    .as("seed %d, line %d", seed, i + 1)
                    .isTrue();
            assertThat(lines.lineNumber()).isEqualTo(i + 1);
        }
        assertThat(lines.next()).isNull();
    }

    @Test
    void utf8IsToldFromOtherBytesAsTheJdkDoes() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = bytes(random, random.nextInt(6));
            boolean same =
                    Arrays.equals(bytes, new String(bytes, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8));
            assertThat(Encoding.text(bytes) != Encoding.Text.NONE)
                    .as("seed %d, %s", seed, Arrays.toString(bytes))
                    .isEqualTo(same);
        }
        byte[] longText = "é".repeat(100_000).getBytes(StandardCharsets.UTF_8);
        assertThat(Encoding.text(longText)).isNotEqualTo(Encoding.Text.NONE);
        assertThat(Encoding.text(Arrays.copyOf(longText, longText.length - 1)) != Encoding.Text.NONE)
                .isFalse();
    }

    @Test
    void halfASurrogatePairHasNoBytes() {
        assertThatThrownBy(() -> Encoding.UTF8.decode("a\uD800")).isInstanceOf(IllegalArgumentException.class);
    }

    private static byte[] key(Random random) {
        return bytes(random, 1 + random.nextInt(20));
    }

    /** Half of them are text. */
    private static byte[] bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        if (random.nextBoolean()) {
            for (int i = 0; i < length; i++) {
                bytes[i] &= 0x7F;
            }
        }
        return bytes;
    }

    private static WriteOptions options(Random random) {
        return random.nextInt(3) > 0
                ? WriteOptions.DEFAULT
                : WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(1 + random.nextInt(Integer.MAX_VALUE)));
    }
}
