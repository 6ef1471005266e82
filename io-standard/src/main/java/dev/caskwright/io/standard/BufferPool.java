package dev.caskwright.io.standard;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Direct buffers that carry bytes between arrays and channels, shared by all files of the JVM.
 *
 * <p>A read or write borrows one for the time of a call. There is a fixed number of places, so the memory that lies idle
 * is bounded however many threads come and go, virtual ones included; that is why this is no thread local. A thread
 * begins looking at a place of its own, so that busy threads do not meet, and the places lie far enough apart not to
 * share a cache line. When all buffers are out, a new one is made, and on return the surplus is left to the collector.
 *
 * <p>There is one long buffer besides, made when it is first wanted: the kernel keeps a file in pieces as long as the
 * writes that made them, and reads a file of long pieces faster.
 */
final class BufferPool {
    /** Bytes of a buffer, and so the most that one read carries. */
    static final int BUFFER_LENGTH = 256 << 10;
    /** Bytes of the long buffer, and so the most that one write carries: a large page of most processors. */
    static final int LONG_LENGTH = 2 << 20;

    private static final int PLACES =
            Integer.highestOneBit(2 * Math.max(2, Runtime.getRuntime().availableProcessors()) - 1) << 1;
    private static final int STRIDE = 32; // two cache lines of compressed references
    private static final AtomicReferenceArray<@Nullable ByteBuffer> BUFFERS =
            new AtomicReferenceArray<>(PLACES * STRIDE);

    private BufferPool() {}

    /** Returns a buffer of {@link #BUFFER_LENGTH} bytes, with whatever content and position its last user left. */
    static ByteBuffer take() {
        int home = home();
        for (int i = 0; i < PLACES; i++) {
            int place = ((home + i) & (PLACES - 1)) * STRIDE;
            if (BUFFERS.getPlain(place) != null) {
                ByteBuffer buffer = BUFFERS.getAndSet(place, null);
                if (buffer != null) {
                    return buffer;
                }
            }
        }
        return ByteBuffer.allocateDirect(BUFFER_LENGTH);
    }

    /** Returns the long buffer if so many bytes fill it and nobody has it, or another one. */
    static ByteBuffer take(int length) {
        ByteBuffer buffer = length >= LONG_LENGTH ? LongBuffer.PLACE.getAndSet(null) : null;
        return buffer == null ? take() : buffer;
    }

    /** Gives back a buffer from {@link #take}; the caller must not use it any more. */
    static void give(ByteBuffer buffer) {
        if (buffer.capacity() == LONG_LENGTH) {
            LongBuffer.PLACE.set(buffer);
            return;
        }
        int home = home();
        for (int i = 0; i < PLACES; i++) {
            int place = ((home + i) & (PLACES - 1)) * STRIDE;
            if (BUFFERS.getPlain(place) == null && BUFFERS.compareAndSet(place, null, buffer)) {
                return;
            }
        }
    }

    /** Made with its class. */
    private static final class LongBuffer {
        static final AtomicReference<@Nullable ByteBuffer> PLACE =
                new AtomicReference<>(ByteBuffer.allocateDirect(LONG_LENGTH));
    }

    private static int home() {
        return (int) Thread.currentThread().getId();
    }
}
