package dev.caskwright.owner;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One connection: a request is read, and its answer written as fast as the client takes it. What is held for the client is a
 * request of bounded length, one frame, and the piece of the answer that the frame is filled from. For the owner's thread only.
 */
final class Visit {
    /** How long a client may take for its request. */
    static final Duration REQUEST_TIME = Duration.ofSeconds(5);

    /** How long a client may take for a frame of up to 64 KiB. */
    static final Duration FRAME_TIME = Duration.ofSeconds(10);

    /** How long an answer may take that holds a moment of the store, whose files stay on disk until then. */
    static final Duration STREAM_TIME = Duration.ofHours(1);

    private static final long TURN_NANOS = 2_000_000;
    private static final long WAIT_NANOS = 1_000_000_000;

    private final Door door;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final Runnable wakeUp;

    private ByteBuffer in = ByteBuffer.allocate(Wire.REQUEST_HEADER);
    private byte op;
    private boolean isHeaderRead;

    private @Nullable Answer answer;
    private byte @Nullable [][] piece;
    private int part;
    private int partOffset;
    private boolean isEnding;
    private final ByteBuffer out =
            ByteBuffer.allocate(Wire.FRAME_HEADER + Wire.MAX_CONTENT).limit(0);

    private long deadline;
    private long lastDeadline = Long.MAX_VALUE;
    private long lastSign;

    Visit(Door door, SocketChannel channel, SelectionKey key, long now, Runnable wakeUp) {
        this.door = door;
        this.channel = channel;
        this.key = key;
        this.wakeUp = wakeUp;
        this.deadline = now + REQUEST_TIME.toNanos();
    }

    Door door() {
        return door;
    }

    /** Returns whether this visit holds a moment of the store, or a value that is long. */
    boolean holdsMuch() {
        return answer != null && answer.holdsMuch();
    }

    /** Returns whether more of an answer may be made, without a sign of the client. */
    boolean hasWork() {
        return answer != null && !out.hasRemaining();
    }

    /** Returns whether more of an answer can be made at once. */
    boolean isBusy() {
        return hasWork() && piece != Answer.NOT_YET;
    }

    /** Returns whether there is something to write. */
    boolean mayWrite() {
        return answer != null || out.hasRemaining();
    }

    /** Returns whether the client took too long. */
    boolean isOverdue(long now) {
        return now - deadline > 0 || (lastDeadline != Long.MAX_VALUE && now - lastDeadline > 0);
    }

    /** Reads what the client sent; returns false if the visit is over. */
    boolean read(boolean mayHoldMuch, long now) throws IOException {
        if (answer != null || isEnding) {
            // There is nothing more to say: whatever comes is a client that has gone, or not one of ours.
            return channel.read(ByteBuffer.allocate(1)) == 0;
        }
        if (channel.read(in) < 0) {
            return false;
        }
        if (in.hasRemaining()) {
            return true;
        }
        in.flip();
        if (!isHeaderRead) {
            int magic = in.getInt();
            op = in.get();
            int length = in.getInt();
            if (magic != Wire.MAGIC || !Request.isKnown(op) || length < 0 || length > Wire.MAX_ARGUMENTS) {
                return false;
            }
            isHeaderRead = true;
            in = ByteBuffer.allocate(length);
            return length > 0 ? read(mayHoldMuch, now) : begin(mayHoldMuch, now);
        }
        return begin(mayHoldMuch, now);
    }

    private boolean begin(boolean mayHoldMuch, long now) {
        deadline = now + FRAME_TIME.toNanos();
        lastSign = now;
        if (Request.isStream(op)) {
            lastDeadline = now + STREAM_TIME.toNanos();
            if (!mayHoldMuch) {
                fail(Answer.tooMuch());
                return true;
            }
        }
        try {
            answer = Request.answer(op, in.array(), door, mayHoldMuch, wakeUp);
        } catch (IOException | RuntimeException e) {
            fail(e);
        }
        in = ByteBuffer.allocate(0);
        return true;
    }

    /** Makes and writes as much of the answer as the client takes in one turn; returns false if the visit is over. */
    boolean write(long now) throws IOException {
        long end = System.nanoTime() + TURN_NANOS;
        do {
            if (!out.hasRemaining()) {
                if (isEnding) {
                    return false;
                }
                if (answer == null || !fill(now, end)) {
                    key.interestOps(SelectionKey.OP_READ);
                    return true;
                }
            }
            channel.write(out);
            if (out.hasRemaining()) {
                key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                return true;
            }
            deadline = now + FRAME_TIME.toNanos();
        } while (System.nanoTime() - end < 0);
        key.interestOps(SelectionKey.OP_READ);
        return true;
    }

    /** Fills a frame; returns false if there is nothing to send yet. */
    private boolean fill(long now, long end) {
        out.clear().position(Wire.FRAME_HEADER);
        byte kind = Wire.DATA;
        try {
            while (out.hasRemaining() && System.nanoTime() - end < 0) {
                if (!hasPiece()) {
                    break;
                }
                copyPart();
            }
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            fail(e);
            return true;
        }
        int length = out.position() - Wire.FRAME_HEADER;
        if (length == 0) {
            if (isEnding) {
                kind = Wire.END;
            } else if (piece == Answer.NOT_YET && now - lastSign > WAIT_NANOS) {
                kind = Wire.WAIT;
                lastSign = now;
            } else {
                if (piece == Answer.NOT_YET) {
                    deadline = now + FRAME_TIME.toNanos(); // the client waits for us
                }
                out.limit(0);
                return false;
            }
        } else {
            isEnding = false; // the end goes into a frame of its own
        }
        frame(kind, length);
        return true;
    }

    /** Returns whether there is a part of a piece to be copied. */
    private boolean hasPiece() throws IOException {
        byte[][] current = piece;
        if (current == null || current.length == 0 || part == current.length) {
            current = answer == null ? null : answer.next();
            piece = current;
            part = 0;
            partOffset = 0;
            isEnding = current == null;
        }
        return current != null && current.length > 0;
    }

    private void copyPart() {
        byte[] source = piece == null ? new byte[0] : piece[part];
        int count = Math.min(out.remaining(), source.length - partOffset);
        out.put(source, partOffset, count);
        partOffset += count;
        if (partOffset == source.length) {
            part++;
            partOffset = 0;
        }
    }

    /** Ends the answer with an error. */
    private void fail(Throwable cause) {
        closeAnswer();
        byte[] content = Wire.bytes(out -> {
            Wire.writeText(out, cause instanceof EngineException e ? e.code().name() : ErrorCode.UNAVAILABLE.name());
            String message = String.valueOf(cause.getMessage());
            Wire.writeText(out, message.length() > 4096 ? message.substring(0, 4096) : message);
        });
        out.clear().position(Wire.FRAME_HEADER);
        out.put(content);
        frame(Wire.FAILED, content.length);
        isEnding = true;
    }

    private void frame(byte kind, int length) {
        out.flip();
        out.put(0, kind).putInt(1, length);
        out.position(0).limit(Wire.FRAME_HEADER + length);
    }

    private void closeAnswer() {
        Answer open = answer;
        answer = null;
        piece = null;
        if (open != null) {
            open.close();
        }
    }

    /** Ends the visit. */
    void close() {
        try {
            closeAnswer();
        } finally {
            Channels.close(channel);
        }
    }
}
