package dev.caskwright.importer;

import java.io.IOException;
import java.nio.file.Path;

/** Who is told what a foreign store holds. Called by one thread, that of {@link ForeignFormat#read}. */
public interface Receiver {
    /** {@code expiresAtMillis} of an entry that never expires. */
    long NEVER = Long.MAX_VALUE;

    /** {@code offset} of damage that a library tells without saying where. */
    long SOMEWHERE = -1;

    /**
     * An entry that the store would show: each key once, unless damage has made two of them alike. The arrays are the receiver's to keep.
     *
     * @param expiresAtMillis when it expires, in milliseconds since 1970, or {@link #NEVER}; entries that have expired are told, too
     */
    void entry(byte[] key, byte[] value, long expiresAtMillis) throws IOException;

    /**
     * Something that cannot be read, and is left out.
     *
     * @param offset where it begins, in bytes from the start of {@code file}, or {@link #SOMEWHERE} in it
     * @param what the rule that it breaks
     */
    void damage(Path file, long offset, String what) throws IOException;

    /** Something sound that is no entry of this kind of store, and is left out: {@code count} more of {@code what}, in the plural. */
    void skipped(String what, long count) throws IOException;
}
