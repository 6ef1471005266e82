package dev.caskwright.server.resp;

import java.nio.charset.StandardCharsets;

/** Bytes of strangers, shown to people: printable ASCII as it is, all else escaped, and not much of it. */
public final class Printable {
    private static final int MAX_BYTES = 128;

    private Printable() {}

    /** Returns at most 128 of the bytes; three points tell that there were more. */
    public static String of(byte[] data, int offset, int length) {
        int shown = Math.min(length, MAX_BYTES);
        StringBuilder text = new StringBuilder(shown + 16);
        for (int p = offset; p < offset + shown; p++) {
            append(text, data[p] & 0xFF);
        }
        return length > shown ? text.append("...").toString() : text.toString();
    }

    /** Returns the same of a text. */
    public static String of(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return of(bytes, 0, bytes.length);
    }

    /** Returns all of a text on one line, with nothing that a terminal or a log would obey. */
    public static String line(String text) {
        StringBuilder line = new StringBuilder(text.length() + 16);
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            append(line, b & 0xFF);
        }
        return line.toString();
    }

    private static void append(StringBuilder text, int value) {
        if (value == '\\' || value == '\'') {
            text.append('\\').append((char) value);
        } else if (value >= ' ' && value < 0x7F) {
            text.append((char) value);
        } else {
            text.append("\\x").append(Character.forDigit(value >> 4, 16)).append(Character.forDigit(value & 0xF, 16));
        }
    }
}
