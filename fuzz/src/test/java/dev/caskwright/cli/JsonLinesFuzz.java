package dev.caskwright.cli;

import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.Entry;
import dev.caskwright.fuzz.Allocated;
import dev.caskwright.fuzz.Sample;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** JSON Lines from anywhere: each line is read or refused, with its number, and what is read can be written. */
public final class JsonLinesFuzz {
    private JsonLinesFuzz() {}

    /** The first byte chooses encoding and format; the rest is the input. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        Allocated.requireLittle(() -> read(input));
    }

    private static void read(byte[] input) throws IOException {
        int choice = input.length == 0 ? 0 : input[0];
        byte[] lines = input.length == 0 ? input : Arrays.copyOfRange(input, 1, input.length);
        Encoding[] encodings = Encoding.values();
        JsonLine.Format[] formats = JsonLine.Format.values();
        Encoding encoding = encodings[(choice & 1) % encodings.length];
        JsonLine.Format format = formats[(choice >> 1 & 1) % formats.length];
        JsonLineReader reader = new JsonLineReader(new ByteArrayInputStream(lines), encoding, format);
        try {
            for (JsonLine line = reader.next(); line != null; line = reader.next()) {
                if (line.key().length == 0 || line.key().length > 65_535) {
                    throw new AssertionError("a key that no store takes: length=" + line.key().length);
                }
                if (Sample.has(input)) {
                    checkWritten(line, encoding, format);
                }
            }
        } catch (MalformedLineException e) {
            if (!e.getMessage().contains("line ")) {
                throw new AssertionError("no number in: " + e.getMessage());
            }
        }
    }

    private static void checkWritten(JsonLine line, Encoding encoding, JsonLine.Format format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] value = line.value();
        try (JsonLineWriter writer = new JsonLineWriter(out, encoding)) {
            if (format == JsonLine.Format.CHANGE) {
                writer.change(new Change(1, 1, line.key(), value, line.expiresAtMillis(), true));
            } else if (value == null) {
                throw new AssertionError("an entry without a value");
            } else {
                writer.entry(new Entry(line.key(), value, 1, line.expiresAtMillis()), true);
            }
        }
        JsonLine again;
        try {
            again = new JsonLineReader(new ByteArrayInputStream(out.toByteArray()), Encoding.UTF8, format).next();
        } catch (MalformedLineException e) {
            throw new AssertionError("read, and refused when written: " + out, e);
        }
        boolean isSame = again != null
                && Arrays.equals(again.key(), line.key())
                && Arrays.equals(again.value(), value)
                && again.expiresAtMillis() == line.expiresAtMillis();
        if (!isSame) {
            throw new AssertionError("another line when written: " + out);
        }
    }
}
