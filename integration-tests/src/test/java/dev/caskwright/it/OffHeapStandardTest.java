package dev.caskwright.it;

/** The engine over the off-heap index and plain file IO. */
final class OffHeapStandardTest extends MatrixContract {
    OffHeapStandardTest() {
        super("offheap", "standard");
    }
}
