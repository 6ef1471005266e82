package dev.caskwright.server.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GlobTest {
    @ParameterizedTest
    @CsvSource({
        "*, '', true",
        "'', '', true",
        "'', a, false",
        "a*, abc, true",
        "*c, abc, true",
        "a*c, abc, true",
        "a*c, abd, false",
        "a?c, abc, true",
        "a?c, ac, false",
        "h[ae]llo, hello, true",
        "h[^e]llo, hello, false",
        "h[^e]llo, hallo, true",
        "h[a-c]llo, hbllo, true",
        "h[c-a]llo, hbllo, true",
        "h[a-c]llo, hdllo, false",
        "'\\*', *, true",
        "'\\*', a, false",
        "'[\\]]', ], true",
        "'[abc', c, true",
        "'abc\\', 'abc\\', true",
        "*a*b*c*, xaxbxcx, true",
        "*a*b*c*, xaxcxbx, false",
        "a**b, ab, true",
    })
    void patternsMatchAsTheyAreSaidTo(String pattern, String text, boolean matches) {
        assertThat(matches(pattern, text)).isEqualTo(matches);
    }

    @Test
    void noPatternTakesLongerForBeingLong() {
        // With backtracking over all stars the first would not end within the age of the universe; looking for each
        // piece anew at
        // each place, the others would take days.
        assertThat(matches("a*".repeat(500) + "b", "a".repeat(60_000))).isFalse();
        String text = "a".repeat(8 << 20);
        assertThat(matches("*" + "a".repeat(4 << 20) + "b*", text)).isFalse();
        assertThat(matches("*" + "a".repeat(4 << 20) + "b", text)).isFalse();
        assertThat(matches("*" + "a".repeat(4 << 20) + "*a", text)).isTrue();
        assertThat(matches("*" + "[" + "a".repeat(4 << 20) + "]b*", text)).isFalse();
    }

    @Test
    void aPieceBetweenStarsThatWouldTakeLongIsRefused() {
        assertThat(matches("*" + "?".repeat(64) + "*", "a".repeat(64))).isTrue();
        assertThatThrownBy(() -> matches("*" + "?".repeat(65) + "*", "a"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("64");
        assertThat(matches("?".repeat(1_000) + "*" + "[ab]".repeat(1_000), "a".repeat(2_000)))
                .isTrue();
    }

    @Test
    void itAgreesWithASlowMatcher() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 50_000; round++) {
            String pattern = text(random, "aab**?", 12);
            String text = text(random, "aab", 12);
            assertThat(matches(pattern, text))
                    .as("seed=%d, pattern=%s, text=%s", seed, pattern, text)
                    .isEqualTo(slow(pattern, text));
        }
    }

    private static boolean slow(String pattern, String text) {
        if (pattern.isEmpty()) {
            return text.isEmpty();
        }
        char first = pattern.charAt(0);
        if (first == '*') {
            return slow(pattern.substring(1), text) || (!text.isEmpty() && slow(pattern, text.substring(1)));
        }
        return !text.isEmpty()
                && (first == '?' || first == text.charAt(0))
                && slow(pattern.substring(1), text.substring(1));
    }

    private static String text(Random random, String letters, int most) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            text.append(letters.charAt(random.nextInt(letters.length())));
        }
        return text.toString();
    }

    private static boolean matches(String pattern, String text) {
        return new Glob(pattern.getBytes(ISO_8859_1)).matches(text.getBytes(ISO_8859_1), 0);
    }
}
