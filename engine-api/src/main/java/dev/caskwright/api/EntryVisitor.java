package dev.caskwright.api;

import java.io.IOException;

/** Receives the entries of a store one after another. */
@FunctionalInterface
public interface EntryVisitor {
    /** Takes one entry; returns whether it wants another. An exception ends the visit and reaches its caller. */
    boolean visit(Entry entry) throws IOException;
}
