package dev.caskwright.it;

/** The engine over the B-tree index and plain file IO. */
final class BTreeStandardTest extends MatrixContract {
    BTreeStandardTest() {
        super("btree", "standard");
    }
}
