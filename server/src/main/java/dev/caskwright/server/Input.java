package dev.caskwright.server;

import dev.caskwright.server.command.Statistics;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What came from a client and was not run: a part of a request, or requests that wait. Takes no array while there is nothing. For
 * the thread of the event loop.
 */
final class Input {
    private static final Logger LOG = LoggerFactory.getLogger(Input.class);
    private static final int SMALLEST = 512;
    private static final int LONGEST = Integer.MAX_VALUE - 8;
    private static final byte[] NONE = {};

    private final Budget budget;
    private final Statistics statistics;
    private byte[] bytes = NONE;
    private int from;
    private int to;

    Input(Budget budget, Statistics statistics) {
        this.budget = budget;
        this.statistics = statistics;
    }

    boolean isEmpty() {
        return from == to;
    }

    /** Returns how many bytes wait. */
    int length() {
        return to - from;
    }

    /** Returns the array that the bytes lie in. */
    byte[] bytes() {
        return bytes;
    }

    int from() {
        return from;
    }

    int to() {
        return to;
    }

    /** Notes that what lies before a place was run. */
    void takenTo(int position) {
        from = position;
    }

    /** Keeps what was not run, if nothing is kept; returns the error that ends the connection, or null. */
    @Nullable String keep(byte[] source, int start, int end) {
        String problem = reserve(Math.max(SMALLEST, end - start));
        if (problem == null) {
            System.arraycopy(source, start, bytes, 0, end - start);
            from = 0;
            to = end - start;
        }
        return problem;
    }

    /** Puts bytes after those that are kept; returns the error that ends the connection, or null. */
    @Nullable String append(ByteBuf source, int count) {
        int kept = to - from;
        if (bytes.length - to < count) {
            byte[] old = bytes;
            int start = from;
            if (bytes.length - kept < count) {
                long wanted = Math.max((long) kept + count, Math.min(2L * bytes.length, LONGEST));
                String problem = reserve(wanted);
                if (problem != null) {
                    return problem;
                }
            }
            System.arraycopy(old, start, bytes, 0, kept);
            from = 0;
            to = kept;
        }
        source.readBytes(bytes, to, count);
        to += count;
        return null;
    }

    private @Nullable String reserve(long length) {
        long more = length - bytes.length;
        if (more <= 0 && bytes.length > 0) {
            return null;
        }
        if (length > LONGEST || !budget.take(more)) {
            statistics.closedForLimit();
            LOG.warn("closed a connection: requests and replies under way would exceed maxmemory-clients");
            return "ERR the limit of memory for requests under way is reached (maxmemory-clients)";
        }
        try {
            bytes = Arrays.copyOf(bytes, (int) length);
            return null;
        } catch (OutOfMemoryError e) {
            budget.giveBack(more);
            LOG.error("out of memory for a request", e);
            return "OOM the server is out of memory";
        }
    }

    /** Forgets what is kept. */
    void drop() {
        if (bytes.length > 0) {
            budget.giveBack(bytes.length);
            bytes = NONE;
        }
        from = 0;
        to = 0;
    }
}
