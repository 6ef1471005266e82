package dev.caskwright.it;

/** The engine over the index without keys and mapped files. */
final class CompactMmapTest extends MatrixContract {
    CompactMmapTest() {
        super("compact", "mmap");
    }
}
