package dev.caskwright.it;

/** The engine over the B-tree index and mapped files. */
final class BTreeMmapTest extends MatrixContract {
    BTreeMmapTest() {
        super("btree", "mmap");
    }
}
