package dev.caskwright.importer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How another store keeps its entries in files. Reading changes nothing. Files are to stand still: a store that is written to
 * meanwhile may be told as damaged. Instances have no state, and may be shared by threads.
 */
public interface ForeignFormat {
    /** Returns the name that the command line knows it by. */
    String name();

    /** Returns what it is, for a list of formats. */
    String description();

    /**
     * Reads all of a store. What is damaged is told and left out, and never guessed; all that is sound behind it is still told where
     * the format lets one find it.
     *
     * @param source the directory of the store, or the file, as {@link #description} says
     * @throws IOException if the source is no such store, or cannot be read
     */
    void read(Path source, ReadOptions options, Receiver receiver) throws IOException;

    /** Returns all formats. */
    static List<ForeignFormat> all() {
        return List.of(new RiakBitcask(), new GoBitcask(), new RedisDump());
    }

    /** Returns the format of a name, if there is one. */
    static Optional<ForeignFormat> named(String name) {
        return all().stream().filter(format -> format.name().equals(name)).findFirst();
    }
}
