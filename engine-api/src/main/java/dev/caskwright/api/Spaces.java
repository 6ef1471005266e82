package dev.caskwright.api;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Nested key spaces, each of which is a store within the store: a key of one has nothing to do with the same key of
 * another. A space is handed out as an engine, which may hold spaces itself. It shares durability, sync and health with
 * the store. Closing it gives back the handle only; closing the store closes all of its spaces.
 *
 * <p>Names are 1 to {@link StorageEngine#MAX_KEY_LENGTH} bytes. Whether a space and a key of its parent may have the same
 * name is for the engine to say.
 */
public interface Spaces extends Facet {
    /** Returns the space of that name, or empty if there is none. */
    Optional<StorageEngine> space(byte[] name) throws IOException;

    /** Returns the space of that name, and makes it if there is none, with the store's durability. */
    StorageEngine createSpace(byte[] name) throws IOException;

    /** Removes a space with all that is in it; returns whether it was there. Its open handles refuse all further calls. */
    boolean dropSpace(byte[] name) throws IOException;

    /** Returns the names of the spaces, in the order of unsigned bytes. */
    List<byte[]> spaceNames() throws IOException;
}
