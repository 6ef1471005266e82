package dev.caskwright.it;

import dev.caskwright.testkit.OrderedViewContract;

/** The engine over the sorted index and mapped files. */
final class SortedMmapTest extends MatrixContract implements OrderedViewContract {
    SortedMmapTest() {
        super("sorted", "mmap");
    }
}
