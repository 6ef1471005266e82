package dev.caskwright.server.command;

import dev.caskwright.server.resp.Request;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of commands that are proposed together, and of the replies to them. Numbers are 7 bits a byte, the lowest first, the
 * highest bit set in all but the last.
 *
 * <pre>
 * proposal     format (1) | protocol (1) | count | command * count
 * command      kind (1) | database | rest
 * rest         COMMAND      request
 *              TRANSACTION  watched | (place | since | was there (1) | length | key) * watched | count | request * count
 *              WATCH        request
 *              CLEAN        slot (1) | count | (length | key) * count
 * request      arguments | (length | bytes) * arguments
 * replies      (length | bytes) * count
 * watch reply  (place | since | is there (1) | length | key) * keys
 * </pre>
 *
 * Keys of watches have the byte of their database before them.
 */
final class CommandLog {
    static final byte FORMAT = 1;
    static final byte COMMAND = 0;
    static final byte TRANSACTION = 1;
    static final byte WATCH = 2;
    static final byte CLEAN = 3;

    private static final int BITS = 7;
    private static final int MORE = 0x80;
    private static final int MAX_SHIFT = 63;

    private CommandLog() {}

    /**
     * A key whose change makes a transaction fail.
     *
     * @param place of the key in the {@link WatchTable}
     * @param since the number of the change after which nothing has changed there
     * @param wasThere whether the key was there when the watch began
     */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Watch(int place, long since, boolean wasThere, byte[] key) {}

    /** Writes. */
    static final class Output {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        void single(int value) {
            bytes.write(value);
        }

        void number(long value) {
            long left = value;
            while ((left & -(1L << BITS)) != 0) {
                bytes.write((int) left & MORE - 1 | MORE);
                left >>>= BITS;
            }
            bytes.write((int) left);
        }

        void bytes(byte[] content) {
            number(content.length);
            bytes.writeBytes(content);
        }

        void raw(byte[] content) {
            bytes.writeBytes(content);
        }

        void request(Request request) {
            number(request.count());
            for (int i = 0; i < request.count(); i++) {
                bytes(request.bytes(i));
            }
        }

        void watches(List<Watch> watches) {
            number(watches.size());
            for (Watch watch : watches) {
                number(watch.place());
                number(watch.since());
                single(watch.wasThere() ? 1 : 0);
                bytes(watch.key());
            }
        }

        int size() {
            return bytes.size();
        }

        byte[] toBytes() {
            return bytes.toByteArray();
        }
    }

    /** Reads; lengths are checked against what is there. */
    static final class Input {
        private final byte[] data;
        private int position;

        Input(byte[] data) {
            this.data = data;
        }

        int single() throws IOException {
            if (position == data.length) {
                throw damaged();
            }
            return data[position++] & 0xFF;
        }

        long number() throws IOException {
            long value = 0;
            for (int shift = 0; shift <= MAX_SHIFT; shift += BITS) {
                int next = single();
                value |= (long) (next & MORE - 1) << shift;
                if (next < MORE) {
                    return value;
                }
            }
            throw damaged();
        }

        /** Returns a count of things of at least one byte. */
        int count() throws IOException {
            long count = number();
            if (count < 0 || count > data.length - position) {
                throw damaged();
            }
            return (int) count;
        }

        byte[] bytes() throws IOException {
            int length = count();
            byte[] bytes = new byte[length];
            System.arraycopy(data, position, bytes, 0, length);
            position += length;
            return bytes;
        }

        Request request() throws IOException {
            byte[][] arguments = new byte[count()][];
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = bytes();
            }
            return Request.of(arguments);
        }

        List<Watch> watches() throws IOException {
            int count = count();
            List<Watch> watches = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                watches.add(new Watch((int) number(), number(), single() == 1, bytes()));
            }
            return watches;
        }

        boolean isAtEnd() {
            return position == data.length;
        }

        private IOException damaged() {
            return new IOException("logged commands cannot be read: length=" + data.length + ", position=" + position);
        }
    }
}
