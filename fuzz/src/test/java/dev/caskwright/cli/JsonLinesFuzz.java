package dev.caskwright.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;

/** JSON Lines from anywhere: each line is read or refused, with its number. */
public final class JsonLinesFuzz {
    private JsonLinesFuzz() {}

    /** The first byte chooses encoding and format; the rest is the input. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        int choice = input.length == 0 ? 0 : input[0];
        byte[] lines = input.length == 0 ? input : Arrays.copyOfRange(input, 1, input.length);
        Encoding[] encodings = Encoding.values();
        JsonLine.Format[] formats = JsonLine.Format.values();
        JsonLineReader reader = new JsonLineReader(
                new ByteArrayInputStream(lines),
                encodings[(choice & 1) % encodings.length],
                formats[(choice >> 1 & 1) % formats.length]);
        try {
            for (JsonLine line = reader.next(); line != null; line = reader.next()) {
                if (line.key().length == 0 || line.key().length > 65_535) {
                    throw new AssertionError("a key that no store takes: length=" + line.key().length);
                }
            }
        } catch (MalformedLineException e) {
            if (!e.getMessage().contains("line ")) {
                throw new AssertionError("no number in: " + e.getMessage());
            }
        }
    }
}
