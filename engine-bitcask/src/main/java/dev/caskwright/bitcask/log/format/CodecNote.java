package dev.caskwright.bitcask.log.format;

import dev.caskwright.api.spi.codec.ValueCodec;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What the manifest keeps of a codec that values were stored by: its name, for when it is missing, and its dictionary,
 * without which they cannot be read. Durable before the first record that names it.
 *
 * @param id of the codec
 * @param number of the dictionary among those of the codec, 0 if it has none
 */
@SuppressWarnings("ArrayRecordComponent") // compared by isSame
public record CodecNote(int id, int number, String name, byte[] dictionary) {
    /** As many codecs and dictionaries a store can have had. */
    public static final int MOST = 64;

    public static final int MOST_WORDS = 3 + (ValueCodec.MAX_DICTIONARY_LENGTH + 64) / Long.BYTES;
    private static final int LONGEST_NAME = 32;

    /** Returns what records and the manifest's list of codecs know it by. */
    public int key() {
        return key(id, number);
    }

    static int key(int id, int number) {
        return id | number << 8;
    }

    public boolean isSame(CodecNote other) {
        return key() == other.key() && name.equals(other.name) && Arrays.equals(dictionary, other.dictionary);
    }

    public static boolean isName(String name) {
        return name.matches("[\\x21-\\x7E]{1," + LONGEST_NAME + "}");
    }

    /** Returns the longs of an edit of a type. */
    public long[] words(int type) {
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        byte[] content = Arrays.copyOf(text, text.length + dictionary.length + Long.BYTES - 1);
        System.arraycopy(dictionary, 0, content, text.length, dictionary.length);
        long[] words = new long[2 + content.length / Long.BYTES];
        words[0] = type;
        words[1] = key() | (long) text.length << 16 | (long) dictionary.length << 32;
        for (int i = 2; i < words.length; i++) {
            words[i] = (long) RecordFormat.LONG.get(content, (i - 2) * Long.BYTES);
        }
        return words;
    }

    /** Returns whether the longs of an edit can be a note. */
    public static boolean isPossible(long[] words) {
        if (words.length < 3) {
            return false;
        }
        int nameLength = (int) (words[1] >>> 16 & 0xFFFF);
        long dictionaryLength = words[1] >>> 32;
        boolean hasItsLength = dictionaryLength <= ValueCodec.MAX_DICTIONARY_LENGTH
                && words.length - 2 == (nameLength + dictionaryLength + Long.BYTES - 1) / Long.BYTES;
        return hasItsLength
                && (words[1] & 0xFF) != 0
                && (words[1] >>> 8 & 0xFF) <= MOST // each number was the next one
                && (words[1] >>> 8 & 0xFF) != 0 == dictionaryLength > 0
                && isName(ofWords(words).name);
    }

    /** Returns the note of an edit that is {@link #isPossible}, or at least has its length. */
    public static CodecNote ofWords(long[] words) {
        int nameLength = (int) (words[1] >>> 16 & 0xFFFF);
        int dictionaryLength = (int) (words[1] >>> 32);
        byte[] content = new byte[(words.length - 2) * Long.BYTES];
        for (int i = 2; i < words.length; i++) {
            RecordFormat.LONG.set(content, (i - 2) * Long.BYTES, words[i]);
        }
        String name = new String(content, 0, nameLength, StandardCharsets.US_ASCII);
        byte[] dictionary = Arrays.copyOfRange(content, nameLength, nameLength + dictionaryLength);
        return new CodecNote((int) words[1] & 0xFF, (int) (words[1] >>> 8) & 0xFF, name, dictionary);
    }
}
