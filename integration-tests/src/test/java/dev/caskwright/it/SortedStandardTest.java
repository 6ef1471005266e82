package dev.caskwright.it;

import dev.caskwright.testkit.OrderedViewContract;

/** The engine over the sorted index and plain file IO. */
final class SortedStandardTest extends MatrixContract implements OrderedViewContract {
    SortedStandardTest() {
        super("sorted", "standard");
    }
}
