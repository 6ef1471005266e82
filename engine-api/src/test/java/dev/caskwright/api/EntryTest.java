package dev.caskwright.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Entries compare and print by content, and codecs give back what they took. */
final class EntryTest {
    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void entriesAreEqualByContent() {
        Entry entry = new Entry(bytes("a"), bytes("1"), 3, Entry.NEVER);
        assertThat(entry)
                .isEqualTo(new Entry(bytes("a"), bytes("1"), 3, Entry.NEVER))
                .hasSameHashCodeAs(new Entry(bytes("a"), bytes("1"), 3, Entry.NEVER))
                .isNotEqualTo(new Entry(bytes("b"), bytes("1"), 3, Entry.NEVER))
                .isNotEqualTo(new Entry(bytes("a"), bytes("2"), 3, Entry.NEVER))
                .isNotEqualTo(new Entry(bytes("a"), bytes("1"), 4, Entry.NEVER))
                .isNotEqualTo(new Entry(bytes("a"), bytes("1"), 3, 5));
    }

    @Test
    void entriesPrintWhatTheyHold() {
        assertThat(new Entry(bytes("a\u0001"), new byte[100], 3, Entry.NEVER))
                .hasToString("Entry[key=\"a\\x01\", value=\"" + "\\x00".repeat(32) + "\"... (100 bytes), version=3]");
        assertThat(new Entry(bytes("a"), bytes("1"), 3, 1_000).toString()).contains("expiresAt=1970-01-01T00:00:01Z");
    }

    @Test
    void codecsKeepContentAndOrder() {
        long[] longs = {Long.MIN_VALUE, -1, 0, 1, Long.MAX_VALUE};
        for (int i = 0; i < longs.length; i++) {
            byte[] encoded = Codecs.LONG.encode(longs[i]);
            assertThat(Codecs.LONG.decode(encoded)).isEqualTo(longs[i]);
            assertThat(Codecs.COUNTER.decode(Codecs.COUNTER.encode(longs[i]))).isEqualTo(longs[i]);
            if (i > 0) {
                assertThat(Arrays.compareUnsigned(Codecs.LONG.encode(longs[i - 1]), encoded))
                        .isNegative();
            }
        }
        assertThat(Codecs.STRING.decode(Codecs.STRING.encode("Küfer \uD83C\uDF77")))
                .isEqualTo("Küfer \uD83C\uDF77");
        assertThatThrownBy(() -> Codecs.STRING.encode("\uD83C")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Codecs.STRING.decode(new byte[] {(byte) 0xFF}))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Codecs.LONG.decode(new byte[7])).isInstanceOf(IllegalStateException.class);
    }
}
