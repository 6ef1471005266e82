package dev.caskwright.it;

/** The engine over the on-heap hash index and mapped files. */
final class HashMapMmapTest extends MatrixContract {
    HashMapMmapTest() {
        super("hashmap", "mmap");
    }
}
