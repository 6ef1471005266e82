package dev.caskwright.importer.mapdb;

import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.Parts;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.mapdb.BTreeMap;
import org.mapdb.DB;
import org.mapdb.DBMaker;
import org.mapdb.HTreeMap;
import org.mapdb.Serializer;

/**
 * A file of MapDB 3. The part is a map, hashed or sorted. Its catalogue says by which serializers it was written: those of strings and
 * of arrays of bytes are read, strings as UTF-8; a map of others is an error, so that no class is loaded that a file names.
 */
public final class MapDbFormat implements ForeignFormat {
    private static final String TYPE = "#type";
    private static final Pattern PLAIN = Pattern.compile("org\\.mapdb\\.Serializer#(BYTE_ARRAY|STRING)(_\\w+)?");

    /** Called by {@link java.util.ServiceLoader}. */
    public MapDbFormat() {}

    @Override
    public String name() {
        return "mapdb";
    }

    @Override
    public String description() {
        return "a file of MapDB 3";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        if (!Files.isRegularFile(source)) {
            throw new NoSuchFileException(source.toString(), null, "no file of MapDB");
        }
        if (Files.exists(source.resolveSibling(source.getFileName() + ".wal.0"))) {
            throw new IOException(
                    "there are changes beside the file, in .wal.0: open and close it with MapDB first, which"
                            + " brings them in: " + source);
        }
        try (DB database = open(source)) {
            read(source, database, options, receiver);
        }
    }

    private static void read(Path source, DB database, ReadOptions options, Receiver receiver) throws IOException {
        Map<?, ?> map;
        ExpiringMap expiring = null;
        try {
            SortedMap<String, String> catalogue = database.nameCatalogLoad();
            Set<String> names = new TreeSet<>();
            catalogue.forEach((key, value) -> {
                if (key.endsWith(TYPE) && (value.equals("HashMap") || value.equals("TreeMap"))) {
                    names.add(key.substring(0, key.length() - TYPE.length()));
                }
            });
            String part = Parts.choose(options, names, "map");
            checkPlain(catalogue, part);
            map = open(database, part, "TreeMap".equals(catalogue.get(part + TYPE)));
            if (expires(catalogue, part) && map instanceof HTreeMap<?, ?> hashed) {
                expiring = new ExpiringMap(hashed);
            }
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
            // As below: damage to the catalogue ends in all kinds of exceptions.
            throw new IOException("the map cannot be opened, its file is damaged: " + e + ": " + source, e);
        }
        if (expiring != null) {
            tellExpiring(source, expiring, receiver);
        } else if (map instanceof BTreeMap<?, ?> sorted) {
            tell(source, sorted, sorted.comparator(), receiver);
        } else {
            tell(source, map, null, receiver);
        }
    }

    private static DB open(Path source) throws IOException {
        try {
            return DBMaker.fileDB(source.toFile()).readOnly().make();
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
            // As below: damage to the catalogue ends in all kinds of exceptions.
            throw new IOException("no file of MapDB 3, or a damaged one, or not closed: " + e + ": " + source, e);
        }
    }

    private static void checkPlain(SortedMap<String, String> catalogue, String name) throws IOException {
        for (String role : new String[] {"#keySerializer", "#valueSerializer"}) {
            String serializer = catalogue.getOrDefault(name + role, "none");
            if (!PLAIN.matcher(serializer).matches()) {
                throw new IOException("the map is neither of strings nor of arrays of bytes: map=" + name + ", "
                        + role.substring(1) + "=" + serializer);
            }
        }
    }

    private static boolean expires(SortedMap<String, String> catalogue, String name) {
        return Stream.of("#expireCreateTTL", "#expireUpdateTTL", "#expireGetTTL")
                .anyMatch(role -> Long.parseLong(catalogue.getOrDefault(name + role, "0")) > 0);
    }

    /** The serializers are taken from the catalogue; these say no more than that there are some. */
    private static Map<?, ?> open(DB database, String name, boolean isSorted) {
        return isSorted
                ? database.treeMap(name, Serializer.BYTE_ARRAY, Serializer.BYTE_ARRAY)
                        .open()
                : database.hashMap(name, Serializer.BYTE_ARRAY, Serializer.BYTE_ARRAY)
                        .open();
    }

    /** Tells entries, whose keys must ascend by the order if there is one: then leaves that lead in a circle come to an end. */
    @SuppressWarnings("unchecked") // an order of the keys that the map itself has
    private static void tell(Path source, Map<?, ?> map, @Nullable Comparator<?> order, Receiver receiver)
            throws IOException {
        Iterator<? extends Map.Entry<?, ?>> entries = null;
        Object last = null;
        while (true) {
            byte[] key;
            byte[] value;
            try {
                if (entries == null) {
                    entries = map.entrySet().iterator();
                }
                if (!entries.hasNext()) {
                    return;
                }
                Map.Entry<?, ?> entry = entries.next();
                if (last != null && order != null && ((Comparator<Object>) order).compare(last, entry.getKey()) >= 0) {
                    throw new IllegalStateException("the keys are not in order");
                }
                last = entry.getKey();
                key = bytes(entry.getKey());
                value = bytes(entry.getValue());
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
                // What MapDB throws for bytes that it did not write: its own exceptions, and those of whatever it reads
                // them as. It takes memory for whatever length it finds.
                receiver.damage(source, Receiver.SOMEWHERE, "the rest is left out, " + e);
                return;
            }
            receiver.entry(key, value, Receiver.NEVER);
        }
    }

    private static void tellExpiring(Path source, ExpiringMap map, Receiver receiver) throws IOException {
        for (int segment = 0; segment < map.segments(); segment++) {
            long[] leaves = {};
            try {
                leaves = map.leaves(segment);
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
                receiver.damage(source, Receiver.SOMEWHERE, "a segment of the map is left out, " + e);
            }
            for (long leaf : leaves) {
                List<ExpiringMap.Expiring> entries = List.of();
                try {
                    entries = map.entries(segment, leaf);
                } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
                    receiver.damage(source, Receiver.SOMEWHERE, "a leaf of the map is left out, " + e);
                }
                for (ExpiringMap.Expiring entry : entries) {
                    receiver.entry(bytes(entry.key()), bytes(entry.value()), entry.expiresAtMillis());
                }
            }
        }
    }

    static byte[] bytes(Object element) {
        return element instanceof byte[] bytes ? bytes : ((String) element).getBytes(StandardCharsets.UTF_8);
    }
}
