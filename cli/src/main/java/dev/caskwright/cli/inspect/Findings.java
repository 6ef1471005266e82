package dev.caskwright.cli.inspect;

import java.io.IOException;

/** Receives what is found in a file, in the order of the file. */
public interface Findings {
    /**
     * Takes something that is sound.
     *
     * @param offset where it starts, in bytes
     * @param kind what it is, in a word or two
     * @param fields names and values by turns; a value is a number, a flag, a text or a byte array
     */
    void found(long offset, String kind, Object... fields) throws IOException;

    /** Takes damage, or the end of what was written. */
    void damaged(long offset, String what) throws IOException;

    /** Returns how many bytes of keys and values are wanted. */
    int mostBytes();
}
