package dev.caskwright.it;

import dev.caskwright.testkit.OrderedViewContract;

/** The engine over the B-tree index and mapped files. */
final class BTreeMmapTest extends MatrixContract implements OrderedViewContract {
    BTreeMmapTest() {
        super("btree", "mmap");
    }
}
