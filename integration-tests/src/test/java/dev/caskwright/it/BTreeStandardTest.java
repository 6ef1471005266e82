package dev.caskwright.it;

import dev.caskwright.testkit.OrderedViewContract;

/** The engine over the B-tree index and plain file IO. */
final class BTreeStandardTest extends MatrixContract implements OrderedViewContract {
    BTreeStandardTest() {
        super("btree", "standard");
    }
}
