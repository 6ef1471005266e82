package dev.caskwright.api;

import java.nio.ByteBuffer;

/** Parts of arrays and buffers. */
final class Slices {
    private Slices() {}

    /** Returns a copy of the bytes between position and limit, which stay as they are. */
    static byte[] copy(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(buffer.position(), bytes);
        return bytes;
    }
}
