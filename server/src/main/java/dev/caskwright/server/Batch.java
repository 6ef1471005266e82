package dev.caskwright.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Replies that are sent together, once the change that they depend on is durable. Where each reply ends is noted if some depend
 * on a change, so that these can be replaced if the force fails. For one thread.
 */
final class Batch {
    private static final byte[] FAILED = ("-IOERR the force of this change failed; whether it survives a power loss is"
                    + " unknown\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    private static final int FIRST_MARKS = 16;

    private List<ByteBuf> chunks = new ArrayList<>(2);
    private long bytes;
    private long change;

    /** For each reply where it ends, times two, plus one if it depends on a change. */
    private long[] marks = {};

    private int markCount;

    List<ByteBuf> chunks() {
        return chunks;
    }

    /** Notes a reply that ends after {@code end} bytes of the batch. */
    void mark(long end, boolean isDependent) {
        if (markCount == marks.length) {
            marks = Arrays.copyOf(marks, Math.max(FIRST_MARKS, markCount * 2));
        }
        marks[markCount++] = end << 1 | (isDependent ? 1 : 0);
    }

    /** Makes the batch complete: it may go once {@code number} is durable; 0 is nothing. */
    void complete(long number) {
        change = number;
        bytes = 0;
        for (ByteBuf chunk : chunks) {
            bytes += chunk.readableBytes();
        }
    }

    boolean isEmpty() {
        return chunks.isEmpty();
    }

    long bytes() {
        return bytes;
    }

    long change() {
        return change;
    }

    /** Replaces each reply that depends on a change by an error. */
    void fail(ByteBufAllocator allocator) {
        ByteBuf all = allocator.directBuffer((int) Math.min(bytes, Integer.MAX_VALUE));
        long position = 0;
        for (int i = 0; i < markCount; i++) {
            long end = marks[i] >>> 1;
            boolean isDependent = (marks[i] & 1) != 0;
            if (isDependent && end > position) {
                skip(end - position);
                all.writeBytes(FAILED);
            } else {
                copy(end - position, all);
            }
            position = end;
        }
        copy(bytes - position, all);
        release();
        chunks = new ArrayList<>(List.of(all));
        complete(0);
    }

    private void skip(long count) {
        long left = count;
        for (ByteBuf chunk : chunks) {
            int part = (int) Math.min(left, chunk.readableBytes());
            chunk.skipBytes(part);
            left -= part;
        }
    }

    private void copy(long count, ByteBuf target) {
        long left = count;
        for (ByteBuf chunk : chunks) {
            int part = (int) Math.min(left, chunk.readableBytes());
            target.writeBytes(chunk, part);
            left -= part;
        }
    }

    void release() {
        chunks.forEach(ByteBuf::release);
        chunks = new ArrayList<>();
    }
}
