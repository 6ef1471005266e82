package dev.caskwright.bolt.tree;

import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageLookup;
import java.io.IOException;
import java.nio.ByteOrder;

/** What a tree sees of its transaction: pages to read, and for a writer pages to allocate, write and free. */
public interface Pages {
    /** Returns the length of a page in bytes. */
    int pageSize();

    /** Returns the first page that does not exist. */
    long highWater();

    /** Returns the byte order of the file. */
    ByteOrder order();

    /** Returns the name of the file, for errors. */
    String file();

    /** Points {@code into} at a page, and checks its header. */
    void read(long id, Page into) throws IOException;

    /** Returns what looks keys up in the pages of this state. */
    PageLookup newLookup();

    /** Reads ahead what a search of a page will need; returns a number that depends on it. */
    long fetch(long id);

    /** Takes a run of pages, and returns its first one. */
    long allocate(long pages) throws IOException;

    /** Gives a run back, for when no reader needs it any more. */
    void free(long id, long pages) throws IOException;

    /** Hands over a node that has its place, to be written when the transaction commits. */
    void write(Node node);

    /** Returns the memory for keys and values that the transaction puts. */
    Arena arena();
}
