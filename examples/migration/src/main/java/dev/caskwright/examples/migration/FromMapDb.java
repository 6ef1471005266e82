package dev.caskwright.examples.migration;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.TypedStore;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.mapdb.DB;
import org.mapdb.DBMaker;
import org.mapdb.Serializer;

/**
 * Copies a map of MapDB into a new store. {@code caskwright import} does it for strings and bytes; a program like this one
 * does it for whatever serializers the map has.
 *
 * <pre>
 * java ... FromMapDb casks.mapdb casks /var/lib/casks
 * </pre>
 */
public final class FromMapDb {
    private FromMapDb() {}

    /** Copies. Arguments: file, name of the map, directory of the new store. */
    public static void main(String[] arguments) throws IOException {
        long copied = copy(Path.of(arguments[0]), arguments[1], Path.of(arguments[2]));
        System.out.println(copied + " entries copied");
    }

    static long copy(Path file, String name, Path directory) throws IOException {
        try (DB source = DBMaker.fileDB(file.toFile()).readOnly().make();
                StorageEngine store = BitcaskEngine.open(directory)) {
            Map<Long, String> map =
                    source.treeMap(name, Serializer.LONG, Serializer.STRING).open();
            TypedStore<Long, String> copy = store.as(Codecs.LONG, Codecs.STRING);
            for (Map.Entry<Long, String> entry : map.entrySet()) {
                copy.put(entry.getKey(), entry.getValue());
            }
            store.sync(); // one force for all: until here a power loss may take the copy, and one begins anew
            for (Map.Entry<Long, String> entry : map.entrySet()) {
                if (!entry.getValue().equals(copy.get(entry.getKey()))) {
                    throw new IOException("the copy differs: key=" + entry.getKey());
                }
            }
            return store.size();
        }
    }
}
