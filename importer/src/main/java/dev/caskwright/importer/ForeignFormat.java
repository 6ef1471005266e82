package dev.caskwright.importer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;

/**
 * How another store keeps its entries in files. Reading changes nothing. Files are to stand still: a store that is written to
 * meanwhile may be told as damaged. Instances have no state, and may be shared by threads.
 *
 * <p>Formats that are read without a library are always there. Others are modules of their own, which bring the usual library, and
 * are found by {@link ServiceLoader}.
 */
public interface ForeignFormat {
    /** Returns the name that the command line knows it by. */
    String name();

    /** Returns what it is, for a list of formats. */
    String description();

    /**
     * Reads all of a store. What is damaged is told and left out, and never guessed; all that is sound after it is still told where
     * the format lets one find it.
     *
     * @param source the directory of the store, or the file, as {@link #description} says
     * @throws IOException if the source is no such store, or cannot be read
     */
    void read(Path source, ReadOptions options, Receiver receiver) throws IOException;

    /**
     * Returns all formats that are there.
     *
     * @throws ServiceConfigurationError if a format is there that cannot be loaded, as without the library that it needs
     */
    static List<ForeignFormat> all() {
        List<ForeignFormat> all = new ArrayList<>(OwnFormats.ALL);
        ServiceLoader.load(ForeignFormat.class, ForeignFormat.class.getClassLoader())
                .forEach(all::add);
        return all;
    }

    /**
     * Returns the format of a name, if it is there. Others that cannot be loaded do not matter.
     *
     * @throws ServiceConfigurationError if none of that name can be loaded, and one that may be it cannot
     */
    static Optional<ForeignFormat> named(String name) {
        for (ForeignFormat own : OwnFormats.ALL) {
            if (own.name().equals(name)) {
                return Optional.of(own);
            }
        }
        ServiceConfigurationError failure = null;
        Iterator<ForeignFormat> others = ServiceLoader.load(ForeignFormat.class, ForeignFormat.class.getClassLoader())
                .iterator();
        while (true) {
            try {
                if (!others.hasNext()) {
                    break;
                }
                ForeignFormat other = others.next();
                if (other.name().equals(name)) {
                    return Optional.of(other);
                }
            } catch (ServiceConfigurationError e) {
                failure = e; // the loader goes on after it
            }
        }
        if (failure != null) {
            throw failure;
        }
        return Optional.empty();
    }

    /** Returns our formats that may not be there: the artifacts of {@code dev.caskwright} that bring them, by name of format. */
    static Map<String, String> optional() {
        Map<String, String> artifacts = new TreeMap<>();
        for (String name : List.of("bolt", "lmdb", "mapdb", "mvstore", "rocksdb")) {
            artifacts.put(name, "caskwright-importer-" + name);
        }
        return artifacts;
    }
}
