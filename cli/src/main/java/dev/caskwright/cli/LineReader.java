package dev.caskwright.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Cuts a stream into lines of bytes, ended by a line feed or the end of the stream. For one thread. */
final class LineReader {
    private static final int INITIAL_BYTES = 1 << 16;
    private static final int MAX_LINE_BYTES = Integer.MAX_VALUE - 8; // the longest array that JVMs make

    private final InputStream in;
    private byte[] buffer = new byte[INITIAL_BYTES];
    private int start; // of what was read and not yet returned
    private int end;
    private boolean atEnd;
    private long lineNumber;

    LineReader(InputStream in) {
        this.in = in;
    }

    /** Returns the number of the line returned last, from 1 on. */
    long lineNumber() {
        return lineNumber;
    }

    /** Returns the next line without its line feed, good until the next call; or null at the end of the stream. */
    @Nullable ByteBuffer next() throws IOException {
        lineNumber++;
        int searched = start;
        while (true) {
            for (int i = searched; i < end; i++) {
                if (buffer[i] == '\n') {
                    ByteBuffer line = ByteBuffer.wrap(buffer, start, i - start);
                    start = i + 1;
                    return line;
                }
            }
            if (atEnd) {
                return rest();
            }
            int length = end - start;
            fill();
            searched = start + length;
        }
    }

    private @Nullable ByteBuffer rest() {
        if (start == end) {
            return null;
        }
        ByteBuffer line = ByteBuffer.wrap(buffer, start, end - start);
        start = end;
        return line;
    }

    private void fill() throws IOException {
        if (start > 0) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            end -= start;
            start = 0;
        }
        if (end == buffer.length) {
            if (end == MAX_LINE_BYTES) {
                throw new MalformedLineException(lineNumber, "longer than " + MAX_LINE_BYTES + " bytes");
            }
            buffer = Arrays.copyOf(buffer, (int) Math.min(MAX_LINE_BYTES, 2L * end));
        }
        int read = in.read(buffer, end, buffer.length - end);
        if (read < 0) {
            atEnd = true;
        } else {
            end += read;
        }
    }
}
