package dev.caskwright.it;

/** The engine over the on-heap hash index and plain file IO. */
final class HashMapStandardTest extends MatrixContract {
    HashMapStandardTest() {
        super("hashmap", "standard");
    }
}
