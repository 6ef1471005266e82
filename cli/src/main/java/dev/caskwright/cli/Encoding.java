package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/** How bytes are written as text, on the command line and in JSON Lines. Exact both ways: no byte is ever replaced. */
enum Encoding {
    UTF8 {
        @Override
        byte[] decode(String text) {
            try {
                ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
                byte[] bytes = new byte[encoded.remaining()];
                encoded.get(bytes);
                return bytes;
            } catch (CharacterCodingException e) {
                throw new IllegalArgumentException("has half of a surrogate pair, which UTF-8 cannot hold", e);
            }
        }
    },

    BASE64 {
        @Override
        byte[] decode(String text) {
            try {
                return Base64.getDecoder().decode(text);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("is not base64: " + e.getMessage(), e);
            }
        }
    };

    private static final char REPLACEMENT = '\uFFFD';
    private static final int VALIDATION_CHARS = 1 << 12;
    private static final char FIRST_NOT_ASCII = '\u0080';

    /**
     * Returns the bytes that the text stands for.
     *
     * @throws IllegalArgumentException if it stands for none; the message continues the sentence "the key ..."
     */
    abstract byte[] decode(String text);

    /** Returns the bytes that an argument of the command line stands for; {@code what} names it in the error. */
    byte[] argument(String what, String text) {
        if (this == UTF8 && text.indexOf(REPLACEMENT) >= 0) {
            // The JVM puts this character where an argument's bytes are not UTF-8; which ones they were is lost.
            throw new UsageException(what + " is not UTF-8 (or has U+FFFD in it): use --encoding base64");
        }
        try {
            return decode(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException(what + " " + e.getMessage());
        }
    }

    /** Returns the key that an argument of the command line stands for, of a legal length. */
    byte[] keyArgument(String text) {
        byte[] key = argument("the key", text);
        if (!isKeyLength(key.length)) {
            throw new UsageException(keyLengthRule(key.length));
        }
        return key;
    }

    /** Returns whether a key may have this many bytes. */
    static boolean isKeyLength(int length) {
        return length >= 1 && length <= StorageEngine.MAX_KEY_LENGTH;
    }

    static String keyLengthRule(int length) {
        return String.format(
                Locale.ROOT, "the key has %,d bytes: it must have 1 to %,d", length, StorageEngine.MAX_KEY_LENGTH);
    }

    /** What bytes are as text. */
    enum Text {
        /** UTF-8 that a terminal shows as it is, but for control characters of ASCII, which JSON escapes anyway. */
        PLAIN,
        /** UTF-8 with characters that a terminal would obey or hide. */
        HIDING,
        /** Not well-formed UTF-8. */
        NONE
    }

    /** Returns what the bytes are as UTF-8. Allocates no more than a small buffer. */
    static Text text(byte[] bytes) {
        boolean hides = false;
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer source = ByteBuffer.wrap(bytes);
        CharBuffer target = CharBuffer.allocate(Math.min(VALIDATION_CHARS, bytes.length + 1));
        while (true) {
            var result = decoder.decode(source, target, true);
            if (result.isError()) {
                return Text.NONE;
            }
            target.flip();
            while (!hides && target.hasRemaining()) {
                char unit = target.get();
                if (unit >= FIRST_NOT_ASCII) {
                    // A decoder never leaves half of a pair.
                    hides = Printable.isHidden(
                            Character.isHighSurrogate(unit) ? Character.toCodePoint(unit, target.get()) : unit);
                }
            }
            if (result.isUnderflow()) {
                return hides ? Text.HIDING : Text.PLAIN;
            }
            target.clear();
        }
    }

    /** Returns the name as the user writes it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
