package dev.caskwright.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.Entry;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Writes entries and changes as JSON Lines. A line whose bytes are not all UTF-8 is written in base64 and says so with
 * {@code "encoding":"base64"}, so that every store can be written and read back exactly. For one thread.
 */
final class JsonLineWriter implements Closeable {
    // Flushing is the business of whoever made the stream; closing only hands on what is left in our buffer.
    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .disable(StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
            .disable(StreamWriteFeature.AUTO_CLOSE_CONTENT)
            .rootValueSeparator((String) null) // each line ends with its own line feed
            .build();

    private static final CharacterEscapes ESCAPES = new TerminalEscapes();

    /** Escapes what a terminal would obey or hide; to a reader of JSON it is the same. */
    private static final class TerminalEscapes extends CharacterEscapes {
        private static final long serialVersionUID = 1L;
        private static final int DELETE = 0x7F;

        @Override
        public int[] getEscapeCodesForAscii() {
            int[] codes = standardAsciiEscapesForJSON();
            codes[DELETE] = ESCAPE_STANDARD;
            return codes;
        }

        @Override
        public @Nullable SerializableString getEscapeSequence(int unit) {
            boolean isWhole = !Character.isSurrogate((char) unit); // halves are escaped anyway on this way
            return isWhole && Printable.isHidden(unit) ? new SerializedString(Printable.escape((char) unit)) : null;
        }
    }

    private final JsonGenerator json;
    private final Encoding encoding;

    /** Makes a writer to {@code out}, which stays open. Base64 as {@code encoding} is used for every line. */
    JsonLineWriter(OutputStream out, Encoding encoding) throws IOException {
        this.json = JSON.createGenerator(out).setCharacterEscapes(ESCAPES);
        this.encoding = encoding;
    }

    /** Returns a generator for a single JSON object, which leaves {@code out} open when it is closed. */
    static JsonGenerator object(OutputStream out) throws IOException {
        return JSON.createGenerator(out).setCharacterEscapes(ESCAPES);
    }

    /** Writes an entry, or its key alone. */
    void entry(Entry entry, boolean withValue) throws IOException {
        json.writeStartObject();
        bytes(entry.key(), withValue ? entry.value() : null);
        expiry(entry.expiresAtMillis());
        endLine();
    }

    /** Writes a change with its version. */
    void change(Change change) throws IOException {
        json.writeStartObject();
        json.writeNumberField(JsonLine.VERSION, change.version());
        json.writeStringField(JsonLine.OP, change.value() == null ? JsonLine.DELETE : JsonLine.PUT);
        bytes(change.key(), change.value());
        expiry(change.expiresAtMillis());
        json.writeBooleanField(JsonLine.LAST, change.isLastOfBatch());
        endLine();
    }

    /** Hands on to the stream what was written so far, and leaves it open. */
    @Override
    public void close() throws IOException {
        json.close();
    }

    private void bytes(byte[] key, byte @Nullable [] value) throws IOException {
        boolean wantsText = encoding == Encoding.UTF8;
        Encoding.Text keyText = wantsText ? Encoding.text(key) : Encoding.Text.NONE;
        Encoding.Text valueText = wantsText && value != null ? Encoding.text(value) : Encoding.Text.PLAIN;
        if (keyText != Encoding.Text.NONE && valueText != Encoding.Text.NONE) {
            string(JsonLine.KEY, key, keyText);
            if (value != null) {
                string(JsonLine.VALUE, value, valueText);
            }
        } else {
            json.writeBinaryField(JsonLine.KEY, key);
            if (value != null) {
                json.writeBinaryField(JsonLine.VALUE, value);
            }
            json.writeStringField(JsonLine.ENCODING, Encoding.BASE64.toString());
        }
    }

    private void string(String name, byte[] bytes, Encoding.Text text) throws IOException {
        json.writeFieldName(name);
        if (text == Encoding.Text.PLAIN) {
            json.writeUTF8String(bytes, 0, bytes.length);
        } else {
            json.writeString(new String(bytes, StandardCharsets.UTF_8)); // the way on which all escapes are asked for
        }
    }

    private void expiry(long expiresAtMillis) throws IOException {
        if (expiresAtMillis != Entry.NEVER) {
            json.writeNumberField(JsonLine.EXPIRES_AT, expiresAtMillis);
        }
    }

    private void endLine() throws IOException {
        json.writeEndObject();
        json.writeRaw('\n');
    }
}
