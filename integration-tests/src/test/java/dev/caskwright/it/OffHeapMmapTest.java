package dev.caskwright.it;

/** The engine over the off-heap index and mapped files. */
final class OffHeapMmapTest extends MatrixContract {
    OffHeapMmapTest() {
        super("offheap", "mmap");
    }
}
