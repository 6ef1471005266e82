package dev.caskwright.bitcask;

import dev.caskwright.testkit.DeflateCodec;

/** A codec that is found by its name, {@code found}, in the tests of this module. */
public final class FoundCodec extends DeflateCodec {
    /** Whether values are too long for the heap, as it were. */
    static volatile boolean isGreedy;

    /** Called by {@link java.util.ServiceLoader}. */
    public FoundCodec() {}

    @Override
    public String name() {
        return "found";
    }

    @Override
    public int id() {
        return 201;
    }

    @Override
    public void decode(byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
        if (isGreedy) {
            throw new OutOfMemoryError("planted");
        }
        super.decode(source, offset, length, target, targetOffset, targetLength);
    }
}
