package dev.caskwright.api;

/** Bytes as text for people: printable ASCII as it is, other bytes as {@code \\x1f}, and the length where it is long. */
final class Printed {
    private static final int SHOWN = 32;

    private Printed() {}

    static String bytes(byte[] bytes) {
        StringBuilder text = new StringBuilder("\"");
        for (int i = 0; i < Math.min(bytes.length, SHOWN); i++) {
            int each = bytes[i] & 0xFF;
            if (each >= ' ' && each < 0x7F && each != '\\' && each != '"') {
                text.append((char) each);
            } else {
                text.append(String.format("\\x%02x", each));
            }
        }
        return text + (bytes.length > SHOWN ? "\"... (" + bytes.length + " bytes)" : "\"");
    }
}
