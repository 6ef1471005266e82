package dev.caskwright.raft;

import dev.caskwright.api.UnsupportedFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of an entry of the log: all commands that waited together.
 *
 * <pre>
 * 0        1      9       13
 * | format | time | count | kind (1) | length (4) | command ... | kind | ...     most significant byte first
 * </pre>
 *
 * <p>A member that does not know the format stops when it comes to such an entry, and says so. So all members are brought to a
 * version that reads a format before any of them writes it.
 */
final class EntryCodec {
    static final byte FORMAT = 1;

    /** Bytes of an entry before its first command. */
    static final int HEADER_BYTES = 1 + Long.BYTES + Integer.BYTES;

    /** Bytes of a command beside its own. */
    static final int COMMAND_BYTES = 1 + Integer.BYTES;

    /** A command and its kind. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Command(byte kind, byte[] bytes) {
        int encodedBytes() {
            return COMMAND_BYTES + bytes.length;
        }
    }

    /** What an entry says. */
    record Decoded(long timeMillis, List<Command> commands) {}

    private EntryCodec() {}

    static byte[] encode(long timeMillis, List<Command> commands) {
        int length = HEADER_BYTES;
        for (Command command : commands) {
            length += command.encodedBytes();
        }
        ByteBuffer out = ByteBuffer.allocate(length);
        out.put(FORMAT).putLong(timeMillis).putInt(commands.size());
        for (Command command : commands) {
            out.put(command.kind()).putInt(command.bytes().length).put(command.bytes());
        }
        return out.array();
    }

    /** @throws UnsupportedFormatException if the bytes are no entry of a known format */
    static Decoded decode(ByteBuffer in) throws UnsupportedFormatException {
        int length = in.remaining();
        try {
            byte format = in.get();
            if (format != FORMAT) {
                throw new UnsupportedFormatException("the entry has a format that this version does not read: format="
                        + format + ", known=" + FORMAT + "; bring this member to the version of the others");
            }
            long time = in.getLong();
            int count = in.getInt();
            if (count < 0 || (long) count * COMMAND_BYTES > in.remaining()) {
                throw damaged(length, "count=" + count);
            }
            List<Command> commands = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                byte kind = in.get();
                int commandLength = in.getInt();
                if (commandLength < 0 || commandLength > in.remaining()) {
                    throw damaged(length, "command=" + i + ", its length=" + commandLength);
                }
                byte[] bytes = new byte[commandLength];
                in.get(bytes);
                commands.add(new Command(kind, bytes));
            }
            if (in.hasRemaining()) {
                throw damaged(length, "bytes behind the last command=" + in.remaining());
            }
            return new Decoded(time, commands);
        } catch (BufferUnderflowException e) {
            UnsupportedFormatException damaged = damaged(length, "it ends too early");
            damaged.addSuppressed(e);
            throw damaged;
        }
    }

    private static UnsupportedFormatException damaged(int length, String what) {
        return new UnsupportedFormatException(
                "the entry is not one that a member wrote: length=" + length + ", " + what);
    }
}
