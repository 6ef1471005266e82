package dev.caskwright.importer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;

/** Chooses one of the named parts of a store: for formats that have them. */
public final class Parts {
    private static final int MOST_SHOWN = 20;
    private static final int FIRST_NOT_PLAIN = 0x7F;

    private Parts() {}

    /**
     * Returns the bytes of a name as text, differently for each name: UTF-8 as it is, but for a backslash, which is written twice; what is
     * no UTF-8, or has control characters, in ASCII with all other bytes as {@code \\x1f}.
     */
    public static String name(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        boolean isText = text.codePoints().noneMatch(Character::isISOControl)
                && Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
        if (isText) {
            return text.replace("\\", "\\\\");
        }
        StringBuilder name = new StringBuilder();
        for (byte each : bytes) {
            if (each == '\\') {
                name.append("\\\\");
            } else if (each >= ' ' && each < FIRST_NOT_PLAIN) {
                name.append((char) each);
            } else {
                name.append("\\x").append(HexFormat.of().toHexDigits(each));
            }
        }
        return name.toString();
    }

    /**
     * Returns the name of the part that is to be read: the one asked for, or the only one.
     *
     * @param kind what such a part is called, in the singular
     * @throws IOException if there is none of that name, or several and none was asked for; the message lists them
     */
    public static String choose(ReadOptions options, Collection<String> names, String kind) throws IOException {
        List<String> all = names.stream().sorted().toList();
        String wanted = options.part();
        if (wanted == null && all.size() == 1) {
            return all.get(0);
        }
        if (wanted != null && all.contains(wanted)) {
            return wanted;
        }
        String shown = all.isEmpty() ? "none" : String.join(", ", all.subList(0, Math.min(MOST_SHOWN, all.size())));
        String more = all.size() > MOST_SHOWN ? ", and " + (all.size() - MOST_SHOWN) + " more" : "";
        throw new IOException(
                wanted == null
                        ? "there is not just one " + kind
                                + ", name the one to read (on the command line --part): found=" + shown + more
                        : "there is no " + kind + " of this name: wanted=" + wanted + ", found=" + shown + more);
    }
}
