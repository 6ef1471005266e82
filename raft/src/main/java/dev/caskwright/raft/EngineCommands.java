package dev.caskwright.raft;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operations of {@link ReplicatedEngine} as commands.
 *
 * <pre>
 * | what (1) | key length (4) | key ... | rest
 *
 * TICK                                        nothing: the entry's time is what counts
 * PUT, PUT_IF_ABSENT    expiry | value        to the end
 * DELETE
 * REPLACE               expiry | length (4) | expected value ... | value
 * DELETE_IF             expected value
 * EXPIRE                expiry
 * INCREMENT             expiry | delta (8)
 * BATCH                 in place of a key: count (4), then for each change: length (4) | a PUT or DELETE
 *
 * expiry   0 | 0 (8): never     1 | time (8): then, in milliseconds since 1970     2 | millis (8): so long after the entry's time
 *
 * reply    1 if something was changed, or was there; 0 if not. Of INCREMENT: the sum (8)
 * </pre>
 */
final class EngineCommands implements Applier {
    static final byte[] TICK = {0};
    private static final byte TICK_OP = 0;
    private static final byte PUT = 1;
    private static final byte DELETE = 2;
    private static final byte PUT_IF_ABSENT = 3;
    private static final byte REPLACE = 4;
    private static final byte DELETE_IF = 5;
    private static final byte EXPIRE = 6;
    private static final byte INCREMENT = 7;
    private static final byte BATCH = 8;

    private static final byte NEVER = 0;
    private static final byte AT = 1;
    private static final byte AFTER = 2;
    private static final int EXPIRY_BYTES = 1 + Long.BYTES;

    static byte[] put(byte[] key, byte[] value, WriteOptions options) {
        return command(PUT, key, EXPIRY_BYTES + value.length)
                .put(expiry(options))
                .put(value)
                .array();
    }

    static byte[] putIfAbsent(byte[] key, byte[] value, WriteOptions options) {
        return command(PUT_IF_ABSENT, key, EXPIRY_BYTES + value.length)
                .put(expiry(options))
                .put(value)
                .array();
    }

    static byte[] delete(byte[] key) {
        return command(DELETE, key, 0).array();
    }

    static byte[] replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) {
        return command(REPLACE, key, EXPIRY_BYTES + Integer.BYTES + expected.length + value.length)
                .put(expiry(options))
                .putInt(expected.length)
                .put(expected)
                .put(value)
                .array();
    }

    static byte[] deleteIf(byte[] key, byte[] expected) {
        return command(DELETE_IF, key, expected.length).put(expected).array();
    }

    static byte[] expire(byte[] key, WriteOptions options) {
        return command(EXPIRE, key, EXPIRY_BYTES).put(expiry(options)).array();
    }

    static byte[] increment(byte[] key, long delta, WriteOptions options) {
        return command(INCREMENT, key, EXPIRY_BYTES + Long.BYTES)
                .put(expiry(options))
                .putLong(delta)
                .array();
    }

    static byte[] batch(WriteBatch batch) {
        List<byte[]> changes = batch.changes().stream()
                .map(change -> {
                    byte[] value = change.value();
                    return value == null ? delete(change.key()) : put(change.key(), value, change.expiry());
                })
                .toList();
        long length = 1L + Integer.BYTES;
        for (byte[] change : changes) {
            length += Integer.BYTES + change.length;
        }
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(length)).put(BATCH).putInt(changes.size());
        for (byte[] change : changes) {
            out.putInt(change.length).put(change);
        }
        return out.array();
    }

    private static ByteBuffer command(byte what, byte[] key, int rest) {
        Applied.refuse(key);
        return ByteBuffer.allocate(Math.addExact(1 + Integer.BYTES + key.length, rest))
                .put(what)
                .putInt(key.length)
                .put(key);
    }

    private static byte[] expiry(WriteOptions options) {
        ByteBuffer out = ByteBuffer.allocate(EXPIRY_BYTES);
        if (!options.hasExpiry()) {
            return out.put(NEVER).array();
        }
        // At moment 0, a time to live is the moment of expiry.
        return options.isRelativeExpiry()
                ? out.put(AFTER).putLong(options.expiresAtMillis(0)).array()
                : out.put(AT).putLong(options.expiresAtMillis(0)).array();
    }

    @Override
    public byte[] apply(Overlay overlay, byte[] command) throws IOException, CommandFailedException {
        try {
            return run(overlay, ByteBuffer.wrap(command));
        } catch (BufferUnderflowException e) {
            throw new CommandFailedException("the command ends too early: length=" + command.length);
        }
    }

    private static byte[] run(Overlay overlay, ByteBuffer in) throws IOException, CommandFailedException {
        byte what = in.get();
        if (what == TICK_OP) {
            return new byte[0];
        }
        if (what == BATCH) {
            return batch(overlay, in);
        }
        byte[] key = take(in, in.getInt());
        return switch (what) {
            case PUT -> {
                overlay.put(key, take(in.position() + EXPIRY_BYTES, in), expiry(overlay, in));
                yield answer(true);
            }
            case DELETE -> answer(overlay.delete(key));
            case PUT_IF_ABSENT -> answer(putIfAbsent(overlay, key, in));
            case REPLACE -> answer(replace(overlay, key, in));
            case DELETE_IF -> answer(Arrays.equals(overlay.get(key), take(in.position(), in)) && overlay.delete(key));
            case EXPIRE -> answer(overlay.expire(key, expiry(overlay, in)));
            case INCREMENT -> increment(overlay, key, in);
            default -> throw new CommandFailedException("this version does not know the command: what=" + what);
        };
    }

    private static byte[] batch(Overlay overlay, ByteBuffer in) throws IOException, CommandFailedException {
        int count = in.getInt();
        for (int i = 0; i < count; i++) {
            ByteBuffer change = ByteBuffer.wrap(take(in, in.getInt()));
            byte what = change.get(0);
            if (what != PUT && what != DELETE) {
                throw new CommandFailedException("a batch has puts and deletes: change=" + i + ", what=" + what);
            }
            run(overlay, change);
        }
        return answer(true);
    }

    private static boolean putIfAbsent(Overlay overlay, byte[] key, ByteBuffer in) throws IOException {
        if (overlay.contains(key)) {
            return false;
        }
        long expiry = expiry(overlay, in);
        overlay.put(key, take(in.position(), in), expiry);
        return true;
    }

    private static boolean replace(Overlay overlay, byte[] key, ByteBuffer in)
            throws IOException, CommandFailedException {
        long expiry = expiry(overlay, in);
        byte[] expected = take(in, in.getInt());
        if (!Arrays.equals(overlay.get(key), expected)) {
            return false;
        }
        overlay.put(key, take(in.position(), in), expiry);
        return true;
    }

    private static byte[] increment(Overlay overlay, byte[] key, ByteBuffer in)
            throws IOException, CommandFailedException {
        long expiry = expiry(overlay, in);
        long delta = in.getLong();
        byte @Nullable [] before = overlay.get(key);
        if (before != null && before.length != Long.BYTES) {
            throw new CommandFailedException("the value is not a counter: length=" + before.length);
        }
        long sum;
        try {
            sum = Math.addExact(before == null ? 0 : Codecs.COUNTER.decode(before), delta);
        } catch (ArithmeticException e) {
            throw new CommandFailedException("the counter would overflow: delta=" + delta);
        }
        byte[] after = Codecs.COUNTER.encode(sum);
        overlay.put(key, after, expiry);
        return after;
    }

    private static long expiry(Overlay overlay, ByteBuffer in) {
        byte kind = in.get();
        long millis = in.getLong();
        return switch (kind) {
            case AT -> millis;
            case AFTER ->
                millis > Long.MAX_VALUE - overlay.timeMillis() ? Long.MAX_VALUE : overlay.timeMillis() + millis;
            default -> Entry.NEVER;
        };
    }

    /** Takes so many bytes. */
    private static byte[] take(ByteBuffer in, int length) throws CommandFailedException {
        if (length < 0 || length > in.remaining()) {
            throw new CommandFailedException("the command is not one: length=" + length + ", left=" + in.remaining());
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    /** Returns what there is from a position on, without taking it. */
    private static byte[] take(int position, ByteBuffer in) {
        byte[] bytes = new byte[in.limit() - position];
        in.get(position, bytes);
        return bytes;
    }

    private static byte[] answer(boolean isChanged) {
        return new byte[] {(byte) (isChanged ? 1 : 0)};
    }
}
