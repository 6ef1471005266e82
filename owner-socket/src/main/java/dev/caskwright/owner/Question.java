package dev.caskwright.owner;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One question to an owner, and the stream of its answer. An owner that is silent for too long is an error. For one thread. */
final class Question implements Closeable {
    /** How long the owner may be silent. It says every second that it is still at it. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final int MAX_ATTEMPTS = 100;
    private static final long PAUSE_NANOS = 50_000_000;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final Path socket;
    private final ByteBuffer frame =
            ByteBuffer.allocate(Wire.FRAME_HEADER + Wire.MAX_CONTENT).limit(0);

    private Question(SocketChannel channel, Selector selector, Path socket) throws IOException {
        this.channel = channel;
        this.selector = selector;
        this.socket = socket;
        this.key = channel.register(selector, 0);
    }

    /** Asks; returns empty if nobody listens. */
    static Optional<Question> ask(Path socket, byte op, byte[] arguments) throws IOException {
        SocketChannel channel;
        try {
            channel = connect(socket);
        } catch (ConnectException | NoSuchFileException e) {
            return Optional.empty();
        } catch (EngineException e) {
            throw e;
        } catch (IOException e) {
            if (!SocketPath.isSocket(socket)) {
                return Optional.empty(); // the owner closed the store meanwhile
            }
            throw new IOException(
                    "the owner of the store cannot be asked: socket=" + socket + ", " + e.getMessage(), e);
        }
        Question question = null;
        try {
            question = new Question(channel, Selector.open(), socket);
            question.send(Wire.request(op, arguments));
            Question asked = question;
            question = null;
            return Optional.of(asked);
        } finally {
            if (question != null) {
                question.close();
            }
        }
    }

    private static SocketChannel connect(Path socket) throws IOException {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            Optional<SocketChannel> channel = SocketPath.use(socket, Channels::connect);
            if (channel.isPresent()) {
                return channel.get();
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        throw new EngineException(
                ErrorCode.UNAVAILABLE,
                Outcome.NOT_APPLIED,
                "the owner of the store does not answer, and others wait: it is stopped, or has no time: socket="
                        + socket,
                null);
    }

    private void send(ByteBuffer request) throws IOException {
        while (request.hasRemaining()) {
            try {
                if (channel.write(request) == 0) {
                    await(SelectionKey.OP_WRITE);
                }
            } catch (EngineException e) {
                throw e;
            } catch (IOException e) {
                return; // refused at the door: what it says is still to be read
            }
        }
    }

    private void await(int operation) throws IOException {
        key.interestOps(operation);
        selector.selectedKeys().clear();
        if (selector.select(PATIENCE.toMillis()) == 0) {
            if (Thread.currentThread().isInterrupted()) {
                throw new EngineException(
                        ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "interrupted while the owner was asked", null);
            }
            throw new EngineException(
                    ErrorCode.UNAVAILABLE,
                    Outcome.NOT_APPLIED,
                    "the owner of the store does not answer: it is stopped, or has no time: socket=" + socket
                            + ", seconds=" + PATIENCE.toSeconds(),
                    null);
        }
    }

    /** Returns the stream of the answer. Its end is the end of the answer; one that was cut short is an {@link EOFException}. */
    InputStream answer() {
        return new InputStream() {
            private boolean isOver;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                if (length == 0) {
                    return 0;
                }
                while (!frame.hasRemaining()) {
                    if (isOver || !nextFrame()) {
                        isOver = true;
                        return -1;
                    }
                }
                int count = Math.min(length, frame.remaining());
                frame.get(target, offset, count);
                return count;
            }
        };
    }

    /** Reads a frame with content; returns false at the end of the answer. */
    private boolean nextFrame() throws IOException {
        while (true) {
            frame.clear().limit(Wire.FRAME_HEADER);
            fill();
            byte kind = frame.get(0);
            int length = frame.getInt(1);
            if (length < 0 || length > Wire.MAX_CONTENT) {
                throw new IOException("the owner sent a frame of a length that none has: length=" + length);
            }
            frame.clear().limit(length);
            fill();
            frame.flip();
            switch (kind) {
                case Wire.DATA -> {
                    return true;
                }
                case Wire.END -> {
                    return false;
                }
                case Wire.FAILED -> throw failure();
                case Wire.WAIT -> frame.limit(0);
                default -> throw new IOException("the owner sent a frame of a kind that is not known: kind=" + kind);
            }
        }
    }

    private EngineException failure() throws IOException {
        byte[] content = new byte[frame.remaining()];
        frame.get(content);
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(content));
        String code = Wire.readText(in);
        String message = Wire.readText(in);
        ErrorCode known = ErrorCode.UNAVAILABLE;
        for (ErrorCode each : ErrorCode.values()) {
            if (each.name().equals(code)) {
                known = each;
            }
        }
        return new EngineException(known, Outcome.NOT_APPLIED, message, null);
    }

    private void fill() throws IOException {
        while (frame.hasRemaining()) {
            int count;
            try {
                count = channel.read(frame);
            } catch (EngineException e) {
                throw e;
            } catch (IOException e) {
                throw cutShort(e);
            }
            if (count < 0) {
                throw cutShort(null);
            }
            if (count == 0) {
                await(SelectionKey.OP_READ);
            }
        }
    }

    private EngineException cutShort(@Nullable IOException cause) {
        return new EngineException(
                ErrorCode.UNAVAILABLE,
                Outcome.NOT_APPLIED,
                "the owner of the store ended its answer: it closed the store, was ended, or found this reader too slow:"
                        + " socket=" + socket,
                cause);
    }

    @Override
    public void close() {
        Channels.close(selector);
        Channels.close(channel);
    }
}
