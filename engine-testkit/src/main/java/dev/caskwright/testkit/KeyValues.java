package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import java.io.IOException;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Keys and values for tests, and how to collect and show them. */
public final class KeyValues {
    private static final int SHOWN_BYTES = 24;
    private static final int VOCABULARY = 40;
    private static final int LONGEST_WORD = 8;

    private KeyValues() {}

    /** Returns the bytes of a text. */
    public static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    /**
     * Returns the key with a number. Keys are in the order of their numbers up to 9999, and some of them are prefixes of
     * others, or hold bytes that are negative or zero.
     */
    public static byte[] key(int number) {
        byte[] key = bytes(String.format("key%04d", number));
        return switch (number % 5) {
            case 1 -> Arrays.copyOf(key, key.length + 2); // two zero bytes
            case 2 -> {
                byte[] longer = Arrays.copyOf(key, key.length + 1);
                longer[key.length] = (byte) 0xFF;
                yield longer;
            }
            default -> key;
        };
    }

    /** Returns random bytes, up to and including a maximal length; often none, and often as many as that. */
    public static byte[] value(Random random, int maxLength) {
        int length = switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> maxLength;
            default -> random.nextInt(maxLength + 1);
        };
        byte[] value = new byte[length];
        random.nextBytes(value);
        return value;
    }

    /** Returns words of a small vocabulary, so many bytes of them: what codecs make shorter, if it is not very short. */
    public static byte[] text(Random random, int length) {
        StringBuilder words = new StringBuilder(length + LONGEST_WORD);
        while (words.length() < length) {
            int word = random.nextInt(VOCABULARY);
            words.append((char) ('a' + word % 26)).append("word").append(word).append(' ');
        }
        return bytes(words.substring(0, length));
    }

    /** Returns an empty map from keys, in the order of a store. */
    public static <V> NavigableMap<byte[], V> newMap() {
        return new TreeMap<>(Arrays::compareUnsigned);
    }

    /**
     * Returns all entries of a view, as a visit shows them.
     *
     * @throws AssertionError if the visit shows a key twice
     */
    public static NavigableMap<byte[], Entry> entries(ReadView view) throws IOException {
        NavigableMap<byte[], Entry> entries = newMap();
        view.visit(entry -> {
            if (entries.put(entry.key(), entry) != null) {
                throw new AssertionError("key visited twice: " + describe(entry.key()));
            }
            return true;
        });
        return entries;
    }

    /** Returns bytes in a form for messages: text where it is printable, otherwise hexadecimal, and the length. */
    public static String describe(byte @Nullable [] bytes) {
        if (bytes == null) {
            return "absent";
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(bytes.length, SHOWN_BYTES); i++) {
            boolean isPrintable = bytes[i] > ' ' && bytes[i] < 0x7F && bytes[i] != '\\';
            text.append(isPrintable ? String.valueOf((char) bytes[i]) : String.format("\\%02x", bytes[i]));
        }
        return "\"" + text + (bytes.length > SHOWN_BYTES ? "..." : "") + "\" (" + bytes.length + " bytes)";
    }
}
