package dev.caskwright.server.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RequestParserTest {
    private static final RequestLimits LIMITS = new RequestLimits(1 << 20, 1 << 20, 1 << 22);
    private static final String MIXED = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n" + "PING\r\n" + "\r\n" + "*0\r\n"
            + "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n" + "set \"a b\\x41\\n\" 'it\\'s' x\n"
            + "*1\r\n$4\r\nQUIT\r\n";
    private static final List<List<String>> REQUESTS = List.of(
            List.of("GET", "a"),
            List.of("PING"),
            List.of(),
            List.of(),
            List.of("SET", "", "\r\n\r\n"),
            List.of("set", "a bA\n", "it's", "x"),
            List.of("QUIT"));

    @Test
    void requestsOfBothKindsFollowEachOther() throws ProtocolException {
        assertThat(parse(MIXED, MIXED.length())).isEqualTo(REQUESTS);
    }

    @Test
    void everySplitInTwoGivesTheSame() throws ProtocolException {
        for (int split = 0; split <= MIXED.length(); split++) {
            assertThat(parse(MIXED, split)).as("split at %d", split).isEqualTo(REQUESTS);
        }
    }

    @Test
    void everySplitInThreeGivesTheSame() throws ProtocolException {
        for (int first = 0; first <= MIXED.length(); first++) {
            for (int second = first; second <= MIXED.length(); second++) {
                assertThat(parse(MIXED, first, second))
                        .as("splits at %d, %d", first, second)
                        .isEqualTo(REQUESTS);
            }
        }
    }

    @Test
    void singleBytesGiveTheSame() throws ProtocolException {
        int[] all = new int[MIXED.length()];
        Arrays.setAll(all, i -> i);
        assertThat(parse(MIXED, all)).isEqualTo(REQUESTS);
    }

    @Test
    void aLongArgumentInSmallPiecesIsNotLookedAtAgain() throws ProtocolException {
        byte[] start = "*2\r\n$3\r\nGET\r\n$1000000\r\n".getBytes(ISO_8859_1);
        byte[] data = Arrays.copyOf(start, start.length + 1_000_002);
        data[data.length - 2] = '\r';
        data[data.length - 1] = '\n';
        RequestParser parser = new RequestParser(LIMITS);
        Request request = new Request();
        for (int end = start.length; end < data.length; end += 1) {
            assertThat(parser.parse(data, 0, end, request)).isEqualTo(RequestParser.INCOMPLETE);
        }
        assertThat(parser.parse(data, 0, data.length, request)).isEqualTo(data.length);
        assertThat(request.length(1)).isEqualTo(1_000_000);
    }

    @ParameterizedTest
    @CsvSource({
        "'*1048577\r\n', invalid multibulk length",
        "'*99999999999999999999\r\n', invalid multibulk length",
        "'*x\r\n', invalid multibulk length",
        "'*01\r\n', invalid multibulk length",
        "'*1\rx', expected LF",
        "'*1\r\n+OK\r\n', expected '$'",
        "'*1\r\n$-1\r\n', invalid bulk length",
        "'*1\r\n$1048577\r\n', invalid bulk length",
        "'*1\r\n$\r\n', invalid bulk length",
        "'*1\r\n$1\r\nabc', expected CRLF",
        "'*11111111111111111111111111111111111', too big mbulk count",
        "'*1\r\n$11111111111111111111111111111111', too big bulk count",
        "'GET \"a\n', unbalanced quotes",
        "'GET \"a\"b\n', unbalanced quotes",
    })
    void whatIsNoRequestIsRefused(String input, String message) {
        assertThatThrownBy(() -> parse(input, input.length()))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining(message);
    }

    @Test
    void theSumOfAllArgumentsIsLimited() {
        String input = "*5\r\n" + ("$1000000\r\n" + "x".repeat(1_000_000) + "\r\n").repeat(5);
        assertThatThrownBy(() -> parse(input, input.length()))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("client-query-buffer-limit");
    }

    @Test
    void anInlineRequestThatDoesNotEndIsRefused() {
        String input = "x".repeat(RequestLimits.MAX_INLINE_BYTES);
        assertThatThrownBy(() -> parse(input, input.length())).hasMessageContaining("too big inline request");
    }

    @Test
    void strangersMayAnnounceLittle() {
        for (String input : List.of("*11\r\n", "*2\r\n$16385\r\n")) {
            RequestParser parser = new RequestParser(RequestLimits.UNAUTHENTICATED);
            byte[] data = input.getBytes(ISO_8859_1);
            assertThatThrownBy(() -> parser.parse(data, 0, data.length, new Request()))
                    .hasMessageContaining("unauthenticated");
        }
    }

    @Test
    void aMessageHasNothingOfTheInputThatATerminalWouldObey() {
        assertThatThrownBy(() -> parse("*1\r\n\u001b[31m\r\n", 11)).hasMessageContaining("\\x1b");
    }

    @Test
    void anyBytesEndInRequestsOrAnError() {
        parseAnything(20_000);
    }

    @Test
    @Tag("campaign")
    void manyBytesEndInRequestsOrAnError() {
        int inputs = Integer.getInteger("caskwright.fuzz.inputs", 10_000_000);
        parseAnything(inputs);
        System.out.println(inputs + " inputs, each whole and split");
    }

    private static void parseAnything(int inputs) {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String letters = "*$\r\n0123456789-+ \"'\\xaGET";
        for (int round = 0; round < inputs; round++) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int length = random.nextInt(60);
            for (int i = 0; i < length; i++) {
                bytes.write(
                        random.nextInt(10) == 0
                                ? random.nextInt(256)
                                : letters.charAt(random.nextInt(letters.length())));
            }
            byte[] data = bytes.toByteArray();
            String whole = outcome(data, data.length);
            int split = random.nextInt(length + 1);
            assertThat(outcome(data, split))
                    .as("seed=%d, round=%d", seed, round)
                    .isEqualTo(whole);
        }
    }

    private static String outcome(byte[] data, int split) {
        try {
            return parse(new String(data, ISO_8859_1), split).toString();
        } catch (ProtocolException e) {
            return e.getMessage();
        }
    }

    /** Parses a text that comes in pieces, each at another place of another array, as far as there are whole requests. */
    private static List<List<String>> parse(String text, int... splits) throws ProtocolException {
        byte[] data = text.getBytes(ISO_8859_1);
        RequestParser parser = new RequestParser(LIMITS);
        Request request = new Request();
        List<List<String>> requests = new ArrayList<>();
        int from = 0;
        int[] ends = Arrays.copyOf(splits, splits.length + 1);
        ends[splits.length] = data.length;
        for (int end : ends) {
            while (true) {
                int shift = (end * 7 + from) % 5;
                byte[] moved = new byte[shift + end - from + 3];
                Arrays.fill(moved, (byte) '*');
                System.arraycopy(data, from, moved, shift, end - from);
                int next = parser.parse(moved, shift, shift + end - from, request);
                if (next == RequestParser.INCOMPLETE) {
                    break;
                }
                from += next - shift;
                List<String> arguments = new ArrayList<>();
                for (int i = 0; i < request.count(); i++) {
                    arguments.add(new String(request.bytes(i), ISO_8859_1));
                }
                requests.add(arguments);
            }
        }
        return requests;
    }
}
