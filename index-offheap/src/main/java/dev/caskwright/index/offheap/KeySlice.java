package dev.caskwright.index.offheap;

/** The bytes of a key within an array, with their hash. */
final class KeySlice {
    private final byte[] array;
    private final int offset;
    private final int length;
    private final long hash;

    KeySlice(byte[] array, int offset, int length, long hash) {
        this.array = array;
        this.offset = offset;
        this.length = length;
        this.hash = hash;
    }

    byte[] array() {
        return array;
    }

    int offset() {
        return offset;
    }

    int length() {
        return length;
    }

    long hash() {
        return hash;
    }
}
