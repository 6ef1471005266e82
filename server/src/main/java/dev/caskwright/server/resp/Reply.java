package dev.caskwright.server.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes replies, in RESP2 or RESP3, one behind the other into one buffer that is used again and again. What RESP2 has no
 * type for is written as Redis does: maps and sets as arrays, doubles as bulk strings, booleans as numbers.
 *
 * <p>For one thread. Whoever writes takes what was written with {@link #drain}.
 */
public final class Reply {
    private static final int BUFFER_BYTES = 64 << 10;

    /** A reply longer than this goes to a buffer of its own. */
    private static final int LARGE_BYTES = 16 << 10;

    /** Room for the type, the length and its CRLF before a value. */
    private static final int HEADER_ROOM = 16;

    private static final byte[] OK = ascii("+OK\r\n");
    private static final byte[] NULL2 = ascii("$-1\r\n");
    private static final byte[] NULL_ARRAY2 = ascii("*-1\r\n");
    private static final byte[] NULL3 = ascii("_\r\n");

    private final ByteBufAllocator allocator;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final ByteBuffer view = ByteBuffer.wrap(buffer);
    private int length;
    private List<ByteBuf> chunks;
    private long drained;
    private boolean isResp3;
    private long limit = Long.MAX_VALUE;

    /** The length that the header of the next value is thought to have: that of the last one. */
    private int headerGuess = 5;

    /** Makes a writer that puts what is full into {@code chunks}. */
    public Reply(ByteBufAllocator allocator, List<ByteBuf> chunks) {
        this.allocator = allocator;
        this.chunks = chunks;
    }

    /** Puts what is written from now on into {@code chunks}, in the given version, 2 or 3. */
    public void begin(List<ByteBuf> chunks, int protocol) {
        this.chunks = chunks;
        isResp3 = protocol == 3;
        length = 0;
        drained = 0;
    }

    /** Lets no more than {@code bytes} be written after {@link #begin}, roughly: more is a {@link ReplyTooLongException}. */
    public void limit(long bytes) {
        limit = bytes;
    }

    /** Returns how many bytes may be written after {@link #begin}. */
    public long limit() {
        return limit;
    }

    /** Goes on in the given version, 2 or 3. */
    public void protocol(int protocol) {
        isResp3 = protocol == 3;
    }

    /** Returns the version of the protocol, 2 or 3. */
    public int protocol() {
        return isResp3 ? 3 : 2;
    }

    /** Returns how many bytes were written since {@link #begin}. */
    public long written() {
        return drained + length;
    }

    /** Takes back all that was written after {@link #written} was {@code mark}. */
    public void truncate(long mark) {
        while (drained > mark) {
            ByteBuf last = chunks.get(chunks.size() - 1);
            int keep = (int) Math.max(0, mark - (drained - last.readableBytes()));
            drained -= last.readableBytes() - keep;
            length = 0;
            last.writerIndex(last.readerIndex() + keep);
            if (keep == 0) {
                chunks.remove(chunks.size() - 1);
                last.release();
            }
        }
        length = (int) (mark - drained);
    }

    /** Moves all that was written to the chunks. */
    public void drain() {
        if (length > 0) {
            chunks.add(allocator.directBuffer(length).writeBytes(buffer, 0, length));
            drained += length;
            length = 0;
        }
    }

    /** Writes {@code +OK}. */
    public void ok() {
        raw(OK);
    }

    /** Writes a simple string; it must have no line break. */
    public void simple(String text) {
        line('+', text);
    }

    /** Writes an error: its code in capitals, a space and what is wrong. What would break the line is replaced. */
    public void error(String message) {
        String line = message;
        for (int i = 0; i < message.length(); i++) {
            char c = message.charAt(i);
            if (c < ' ' || c > '~') {
                line = Printable.line(message);
                break;
            }
        }
        line('-', line);
    }

    /** Writes a whole number. */
    public void integer(long value) {
        header(':', value);
    }

    /** Writes the absence of a value. */
    public void nil() {
        raw(isResp3 ? NULL3 : NULL2);
    }

    /** Writes the absence of an array. */
    public void nilArray() {
        raw(isResp3 ? NULL3 : NULL_ARRAY2);
    }

    /** Writes the value, or its absence. */
    public void bulkOrNil(byte @Nullable [] value) {
        if (value == null) {
            nil();
        } else {
            bulk(value);
        }
    }

    /** Writes a bulk string. */
    public void bulk(byte[] value) {
        bulk(value, 0, value.length);
    }

    /** Writes a bulk string in UTF-8. */
    public void bulk(String text) {
        bulk(text.getBytes(UTF_8));
    }

    /** Writes a part of an array as a bulk string. */
    public void bulk(byte[] value, int offset, int count) {
        header('$', count);
        bytes(value, offset, count);
        crlf();
    }

    /** Writes text for people: a verbatim string in RESP3. */
    public void verbatim(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        if (!isResp3) {
            bulk(bytes);
            return;
        }
        header('=', bytes.length + 4L);
        raw(ascii("txt:"));
        bytes(bytes, 0, bytes.length);
        crlf();
    }

    /** Writes a boolean. */
    public void bool(boolean value) {
        if (isResp3) {
            line('#', value ? "t" : "f");
        } else {
            integer(value ? 1 : 0);
        }
    }

    /** Writes a double. */
    public void real(double value) {
        String text = value == Math.rint(value) && Math.abs(value) < 1e15 ? Long.toString((long) value) : "" + value;
        if (isResp3) {
            line(',', text);
        } else {
            bulk(text);
        }
    }

    /** Begins an array of {@code size} elements, which are written next. */
    public void array(long size) {
        header('*', size);
    }

    /** Begins a map; {@code size} keys follow, each with its value. */
    public void map(long size) {
        header(isResp3 ? '%' : '*', isResp3 ? size : 2 * size);
    }

    /** Begins a set of {@code size} elements. */
    public void set(long size) {
        header(isResp3 ? '~' : '*', size);
    }

    /** Begins a push of {@code size} elements: in RESP3 something that answers no request. */
    public void push(long size) {
        header(isResp3 ? '>' : '*', size);
    }

    /** Writes bytes that are a reply already. */
    public void raw(byte[] bytes) {
        bytes(bytes, 0, bytes.length);
    }

    /**
     * Returns a buffer to which a stored value may be copied, to be a bulk string without its first byte; then {@link
     * #valueWritten} is to be called, or nothing if nothing was copied.
     */
    public ByteBuffer valueTarget() {
        ensure(LARGE_BYTES + HEADER_ROOM);
        // The byte before the value lies where the last byte of the header will.
        view.limit(buffer.length - HEADER_ROOM).position(length + headerGuess - 1);
        return view;
    }

    /** Returns the byte before the value that was copied. */
    public byte flagOfValue() {
        return buffer[length + headerGuess - 1];
    }

    /** Makes what was copied to {@link #valueTarget}, {@code stored} bytes with the first one, a bulk string. */
    public void valueWritten(int stored) {
        int count = stored - 1;
        int header = 3 + Numbers.digits(count);
        if (header != headerGuess) {
            System.arraycopy(buffer, length + headerGuess, buffer, length + header, count);
            headerGuess = header;
        }
        buffer[length] = '$';
        int end = length + header;
        Numbers.writeBefore(count, buffer, end - 2);
        buffer[end - 2] = '\r';
        buffer[end - 1] = '\n';
        length = end + count;
        buffer[length++] = '\r';
        buffer[length++] = '\n';
    }

    private void header(char type, long value) {
        ensure(32);
        int end = length + 22;
        int start = Numbers.writeBefore(value, buffer, end);
        buffer[length++] = (byte) type;
        int digits = end - start;
        System.arraycopy(buffer, start, buffer, length, digits);
        length += digits;
        buffer[length++] = '\r';
        buffer[length++] = '\n';
    }

    private void line(char type, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        ensure(1);
        buffer[length++] = (byte) type;
        bytes(bytes, 0, bytes.length);
        crlf();
    }

    private void crlf() {
        ensure(2);
        buffer[length++] = '\r';
        buffer[length++] = '\n';
    }

    private void bytes(byte[] source, int offset, int count) {
        if (count > LARGE_BYTES) {
            checkLimit(count);
            drain();
            chunks.add(allocator.directBuffer(count).writeBytes(source, offset, count));
            drained += count;
            return;
        }
        ensure(count);
        System.arraycopy(source, offset, buffer, length, count);
        length += count;
    }

    private void ensure(int room) {
        if (buffer.length - length < room) {
            checkLimit(room);
            drain();
        }
    }

    private void checkLimit(int more) {
        if (written() + more > limit) {
            throw new ReplyTooLongException();
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(ISO_8859_1);
    }
}
