package dev.caskwright.cli;

import java.io.IOException;
import java.io.OutputStream;

/**
 * Standard output whose errors can be told from those of the store: a closed pipe is an {@link OutputClosedException},
 * anything else (a full disk, say) an {@link IOException} that names standard output. {@link System#out} would swallow
 * both.
 */
final class StandardOutput extends OutputStream {
    private final OutputStream delegate;

    StandardOutput(OutputStream delegate) {
        this.delegate = delegate;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
        try {
            delegate.write(source, offset, length);
        } catch (IOException e) {
            throw explained(e);
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            delegate.flush();
        } catch (IOException e) {
            throw explained(e);
        }
    }

    private static IOException explained(IOException e) {
        // The JDK has no type for EPIPE, only the system's words for it.
        String message = String.valueOf(e.getMessage());
        if (message.contains("Broken pipe") || message.contains("pipe is being closed")) {
            return new OutputClosedException(e);
        }
        return new IOException("cannot write to standard output: " + message, e);
    }
}
