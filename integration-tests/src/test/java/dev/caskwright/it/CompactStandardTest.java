package dev.caskwright.it;

/** The engine over the index without keys and plain file IO. */
final class CompactStandardTest extends MatrixContract {
    CompactStandardTest() {
        super("compact", "standard");
    }
}
