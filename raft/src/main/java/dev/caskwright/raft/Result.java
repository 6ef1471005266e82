package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Outcome;
import dev.caskwright.api.UnsupportedFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What became of a command, and its bytes on the way from the leader to the member that forwarded it.
 *
 * <pre>
 * | count (4) | status (1) | length (4) | bytes ... | status | ...     most significant byte first
 * </pre>
 *
 * @param bytes the reply, or the message of the error
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record Result(Status status, byte[] bytes) {
    enum Status {
        DONE(0),
        COMMAND_FAILED(1),
        NOT_APPLIED(2),
        UNKNOWN(3);

        private final byte code;

        Status(int code) {
            this.code = (byte) code;
        }

        static @Nullable Status of(byte code) {
            for (Status status : values()) {
                if (status.code == code) {
                    return status;
                }
            }
            return null;
        }
    }

    private static final Result TOO_LONG = new Result(
            Status.UNKNOWN,
            "the leader did it, but the replies to all that was forwarded together are too long to be sent"
                    .getBytes(UTF_8));

    static Result done(byte[] reply) {
        return new Result(Status.DONE, reply);
    }

    static Result commandFailed(String message) {
        return new Result(Status.COMMAND_FAILED, message.getBytes(UTF_8));
    }

    /** Returns the result that a future ended with. */
    static Result of(CompletableFuture<byte[]> done) {
        try {
            return done(done.join());
        } catch (RuntimeException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            String message = String.valueOf(cause.getMessage());
            if (cause instanceof CommandFailedException) {
                return commandFailed(message);
            }
            boolean isUnapplied = cause instanceof RaftException known && known.outcome() == Outcome.NOT_APPLIED;
            return new Result(isUnapplied ? Status.NOT_APPLIED : Status.UNKNOWN, message.getBytes(UTF_8));
        }
    }

    /** Ends a future with this result. */
    void complete(CompletableFuture<byte[]> future) {
        switch (status) {
            case DONE -> future.complete(bytes);
            case COMMAND_FAILED -> future.completeExceptionally(new CommandFailedException(message()));
            case NOT_APPLIED -> future.completeExceptionally(RaftException.notApplied(message(), null));
            case UNKNOWN -> future.completeExceptionally(RaftException.unknown(message(), null));
        }
    }

    private String message() {
        return new String(bytes, UTF_8);
    }

    /**
     * Returns the bytes of results.
     *
     * @param most how many bytes there may be of replies: those beyond it are left out, and their commands end as unknown
     */
    static byte[] encode(List<Result> results, int most) {
        List<Result> bounded = new ArrayList<>(results.size());
        int length = Integer.BYTES;
        for (Result result : results) {
            boolean isTooLong = result.bytes().length > most - length;
            Result kept = isTooLong ? TOO_LONG : result;
            bounded.add(kept);
            length += 1 + Integer.BYTES + kept.bytes().length;
        }
        ByteBuffer out = ByteBuffer.allocate(length).putInt(bounded.size());
        for (Result result : bounded) {
            out.put(result.status().code).putInt(result.bytes().length).put(result.bytes());
        }
        return out.array();
    }

    /** @throws UnsupportedFormatException if the bytes are not of that form */
    static List<Result> decode(ByteBuffer in) throws UnsupportedFormatException {
        try {
            int count = in.getInt();
            List<Result> results = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                byte code = in.get();
                Status status = Status.of(code);
                int length = in.getInt();
                if (status == null || length < 0 || length > in.remaining()) {
                    throw new UnsupportedFormatException(
                            "the leader's reply is not one: result=" + i + ", status=" + code + ", length=" + length);
                }
                byte[] bytes = new byte[length];
                in.get(bytes);
                results.add(new Result(status, bytes));
            }
            return results;
        } catch (BufferUnderflowException e) {
            UnsupportedFormatException damaged = new UnsupportedFormatException("the leader's reply ends too early");
            damaged.addSuppressed(e);
            throw damaged;
        }
    }
}
