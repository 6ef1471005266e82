package dev.caskwright.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON Lines strictly: each line is one flat object with known fields, each at most once, in well-formed UTF-8, and
 * nothing after it. Anything else is a {@link MalformedLineException} with the number of the line. Holds one line at a
 * time. For one thread.
 */
final class JsonLineReader {
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE) // the store's own limits are checked below
                    .maxNestingDepth(1)
                    .build())
            .build();

    private final LineReader lines;
    private final Encoding defaultEncoding;
    private final JsonLine.Format format;

    /** Makes a reader of {@code in}. Lines that do not name an encoding are in {@code defaultEncoding}. */
    JsonLineReader(InputStream in, Encoding defaultEncoding, JsonLine.Format format) {
        this.lines = new LineReader(in);
        this.defaultEncoding = defaultEncoding;
        this.format = format;
    }

    /** Returns the next line, or null at the end of the input. */
    @Nullable JsonLine next() throws IOException {
        ByteBuffer line = lines.next();
        if (line == null) {
            return null;
        }
        CharBuffer text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(line);
        } catch (CharacterCodingException e) {
            throw malformed("not well-formed UTF-8");
        }
        try (JsonParser parser = JSON.createParser(text.array(), text.arrayOffset(), text.limit())) {
            return parse(parser);
        } catch (JsonProcessingException e) {
            JsonLocation place = e.getLocation();
            throw malformed("malformed JSON" + (place == null ? "" : " at column " + place.getColumnNr()) + ": "
                    + inOurWords(e.getOriginalMessage()));
        }
    }

    /** Returns what the parser says, without what it says of itself. */
    private static String inOurWords(@Nullable String message) {
        String text = String.valueOf(message);
        if (text.contains("nesting depth")) {
            return "an object or an array within the object";
        }
        return text.replaceAll("\\s*\\([^()]*\\[Source:[^\\]]*\\]\\)", "")
                .replaceAll("\\s*\\(?`Stream[^`]*`[^)]*\\)?", "");
    }

    private JsonLine parse(JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw malformed("not a JSON object");
        }
        Fields fields = new Fields();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            readField(parser, fields);
        }
        if (parser.nextToken() != null) {
            throw malformed("there is something after the JSON object");
        }
        return toLine(fields);
    }

    private void readField(JsonParser parser, Fields fields) throws IOException {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
            case JsonLine.KEY -> fields.key = string(parser, name);
            case JsonLine.VALUE -> fields.value = string(parser, name);
            case JsonLine.ENCODING -> fields.encoding = encoding(string(parser, name));
            case JsonLine.EXPIRES_AT -> fields.expiresAtMillis = expiry(parser);
            default -> readChangeField(parser, name, fields);
        }
    }

    private void readChangeField(JsonParser parser, String name, Fields fields) throws IOException {
        if (format == JsonLine.Format.ENTRY) {
            throw malformed("unknown field \"" + name + "\"");
        }
        switch (name) {
            case JsonLine.OP -> fields.op = string(parser, name);
            // What a watch adds is of no use here, but its lines must be.
            case JsonLine.VERSION -> expect(parser, JsonToken.VALUE_NUMBER_INT, name, "a whole number");
            case JsonLine.LAST -> {
                if (!parser.currentToken().isBoolean()) {
                    throw malformed("\"" + name + "\" must be true or false");
                }
            }
            default -> throw malformed("unknown field \"" + name + "\"");
        }
    }

    private JsonLine toLine(Fields fields) throws MalformedLineException {
        Encoding encoding = fields.encoding == null ? defaultEncoding : fields.encoding;
        byte[] key = decode(JsonLine.KEY, fields.key, encoding);
        if (!Encoding.isKeyLength(key.length)) {
            throw malformed(Encoding.keyLengthRule(key.length));
        }
        if (isDelete(fields.op)) {
            if (fields.value != null || fields.expiresAtMillis != Entry.NEVER) {
                throw malformed("a delete has neither \"value\" nor \"expiresAt\"");
            }
            return new JsonLine(key, null, Entry.NEVER);
        }
        byte[] value = decode(JsonLine.VALUE, fields.value, encoding);
        if (value.length > StorageEngine.MAX_VALUE_LENGTH) {
            throw malformed(String.format(
                    Locale.ROOT,
                    "the value has %,d bytes: the limit is %,d",
                    value.length,
                    StorageEngine.MAX_VALUE_LENGTH));
        }
        return new JsonLine(key, value, fields.expiresAtMillis);
    }

    private boolean isDelete(@Nullable String op) throws MalformedLineException {
        if (format == JsonLine.Format.ENTRY) {
            return false;
        }
        if (op == null) {
            throw malformed("no \"op\"");
        }
        return switch (op) {
            case JsonLine.PUT -> false;
            case JsonLine.DELETE -> true;
            default -> throw malformed("\"op\" must be \"put\" or \"delete\"");
        };
    }

    private byte[] decode(String name, @Nullable String text, Encoding encoding) throws MalformedLineException {
        if (text == null) {
            throw malformed("no \"" + name + "\"");
        }
        try {
            return encoding.decode(text);
        } catch (IllegalArgumentException e) {
            throw malformed("the " + name + " " + e.getMessage());
        }
    }

    private String string(JsonParser parser, String name) throws IOException {
        expect(parser, JsonToken.VALUE_STRING, name, "a string");
        return parser.getText();
    }

    private Encoding encoding(String name) throws MalformedLineException {
        for (Encoding encoding : Encoding.values()) {
            if (encoding.toString().equals(name)) {
                return encoding;
            }
        }
        throw malformed("\"encoding\" must be \"utf8\" or \"base64\"");
    }

    private long expiry(JsonParser parser) throws IOException {
        expect(parser, JsonToken.VALUE_NUMBER_INT, JsonLine.EXPIRES_AT, "a whole number");
        long millis = parser.getLongValue();
        if (millis <= 0) {
            throw malformed("\"expiresAt\" must be milliseconds after 1970");
        }
        return millis;
    }

    private void expect(JsonParser parser, JsonToken token, String name, String what) throws IOException {
        if (parser.currentToken() != token) {
            throw malformed("\"" + name + "\" must be " + what);
        }
    }

    private MalformedLineException malformed(String reason) {
        return new MalformedLineException(lines.lineNumber(), reason);
    }

    /** The fields of a line, as found. */
    private static final class Fields {
        @Nullable String key;

        @Nullable String value;

        @Nullable Encoding encoding;

        @Nullable String op;

        long expiresAtMillis = Entry.NEVER;
    }
}
