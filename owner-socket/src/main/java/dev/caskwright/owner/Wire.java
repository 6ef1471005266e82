package dev.caskwright.owner;

import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What goes over the socket. Integers are big-endian. A client sends one request:
 *
 * <pre>
 * 0       4    5               9
 * | magic | op | length of arguments | arguments |
 * </pre>
 *
 * <p>The owner answers with frames, each a byte for its kind, the length of its content as an int, and the content. The contents of
 * all {@link #DATA} frames are one stream of bytes, which {@link #END} ends; {@link #FAILED} ends it, too, and says why. {@link
 * #WAIT} says no more than that the owner is still at it. A stream without an end was cut short.
 */
final class Wire {
    static final int MAGIC = 0x43_57_4F_32; // "CWO2"
    static final int REQUEST_HEADER = 9;
    static final int FRAME_HEADER = 5;
    static final int MAX_CONTENT = 64 << 10;

    /** A key of the greatest length and what goes with it, or a path. */
    static final int MAX_ARGUMENTS = StorageEngine.MAX_KEY_LENGTH + 1024;

    static final byte STAT = 1;
    static final byte GET = 2;
    static final byte SCAN = 3;
    static final byte CHANGES = 4;
    static final byte BACKUP = 5;
    static final byte CHECKPOINT = 6;
    static final byte MERGE = 7;
    static final byte MOMENT = 8;

    static final byte DATA = 'D';
    static final byte END = 'E';
    static final byte FAILED = 'X';
    static final byte WAIT = 'W';

    private static final int ABSENT = -1;
    private static final int MAX_TEXT = 1 << 20;
    private static final int MAX_TEXTS = 100_000;

    private Wire() {}

    /** Writes a message. */
    @FunctionalInterface
    interface Message {
        void writeTo(DataOutputStream out) throws IOException;
    }

    /** Returns the bytes of a message. */
    static byte[] bytes(Message message) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            message.writeTo(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail", e);
        }
        return bytes.toByteArray();
    }

    /** Returns a request. */
    static ByteBuffer request(byte op, byte[] arguments) {
        return ByteBuffer.allocate(REQUEST_HEADER + arguments.length)
                .putInt(MAGIC)
                .put(op)
                .putInt(arguments.length)
                .put(arguments)
                .flip();
    }

    /** Returns an entry, in pieces of which the last is its value, which is not copied. */
    static byte[][] entry(Entry entry) {
        byte[] head = bytes(out -> {
            out.writeBoolean(true);
            writeBytes(out, entry.key());
            out.writeLong(entry.version());
            out.writeLong(entry.expiresAtMillis());
            out.writeInt(entry.value().length);
        });
        return new byte[][] {head, entry.value()};
    }

    /** Returns the next entry, or null if the stream has come to its end. */
    static Entry readEntry(DataInputStream in) throws IOException {
        byte[] key = readBytes(in);
        long version = in.readLong();
        long expiresAt = in.readLong();
        return new Entry(key, readBytes(in), version, expiresAt);
    }

    static byte[][] change(Change change) {
        byte[] value = change.value();
        byte[] head = bytes(out -> {
            out.writeBoolean(true);
            writeBytes(out, change.key());
            out.writeLong(change.history());
            out.writeLong(change.version());
            out.writeLong(change.expiresAtMillis());
            out.writeBoolean(change.isLastOfBatch());
            out.writeInt(value == null ? ABSENT : value.length);
        });
        return value == null ? new byte[][] {head} : new byte[][] {head, value};
    }

    static Change readChange(DataInputStream in) throws IOException {
        byte[] key = readBytes(in);
        long history = in.readLong();
        long version = in.readLong();
        long expiresAt = in.readLong();
        boolean isLast = in.readBoolean();
        int length = in.readInt();
        return new Change(history, version, key, length == ABSENT ? null : readBytes(in, length), expiresAt, isLast);
    }

    static void writeMoment(DataOutputStream out, Moment moment) throws IOException {
        out.writeLong(moment.history());
        out.writeLong(moment.version());
    }

    static Moment readMoment(DataInputStream in) throws IOException {
        return new Moment(in.readLong(), in.readLong());
    }

    static void writeCopy(DataOutputStream out, CopyReport copy) throws IOException {
        out.writeLong(copy.lastVersion());
        out.writeLong(copy.files());
        out.writeLong(copy.bytes());
        out.writeLong(copy.filesBrought());
        out.writeLong(copy.bytesBrought());
        writeTexts(out, copy.doubts());
    }

    static CopyReport readCopy(DataInputStream in) throws IOException {
        return new CopyReport(in.readLong(), in.readLong(), in.readLong(), in.readLong(), in.readLong(), readTexts(in));
    }

    static void writeTexts(DataOutputStream out, List<String> texts) throws IOException {
        out.writeInt(texts.size());
        for (String text : texts) {
            writeText(out, text);
        }
    }

    static List<String> readTexts(DataInputStream in) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > MAX_TEXTS) {
            throw new IOException("the owner sent a count that nothing has: count=" + count);
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(readText(in));
        }
        return List.copyOf(texts);
    }

    static void writeText(DataOutputStream out, String text) throws IOException {
        writeBytes(out, text.getBytes(StandardCharsets.UTF_8));
    }

    static String readText(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length > MAX_TEXT) {
            throw new IOException("the owner sent a text that is longer than any: length=" + length);
        }
        return new String(readBytes(in, length), StandardCharsets.UTF_8);
    }

    static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static byte[] readBytes(DataInputStream in) throws IOException {
        return readBytes(in, in.readInt());
    }

    /** Reads no further than the stream goes, whatever length it claims. */
    private static byte[] readBytes(DataInputStream in, int length) throws IOException {
        if (length < 0 || length > StorageEngine.MAX_VALUE_LENGTH) {
            throw new IOException("the owner sent a length that nothing has: length=" + length);
        }
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new IOException("the owner's answer was cut short: length=" + bytes.length + ", expected=" + length);
        }
        return bytes;
    }
}
