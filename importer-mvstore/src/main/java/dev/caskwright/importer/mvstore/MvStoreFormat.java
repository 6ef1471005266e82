package dev.caskwright.importer.mvstore;

import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.Parts;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.ReadOptions.Elements;
import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.h2.mvstore.type.ByteArrayDataType;
import org.h2.mvstore.type.DataType;
import org.h2.mvstore.type.StringDataType;
import org.jspecify.annotations.Nullable;

/**
 * A file of MVStore. The part is a map. What a map's keys and values are is not in the file, so it must be told; read as something else
 * they would be nonsense. Strings become UTF-8. Nothing is deserialised by Java: of a map of objects, entries that are neither strings
 * nor arrays of bytes are counted and left out.
 */
public final class MvStoreFormat implements ForeignFormat {
    /** Called by {@link java.util.ServiceLoader}. */
    public MvStoreFormat() {}

    @Override
    public String name() {
        return "mvstore";
    }

    @Override
    public String description() {
        return "a file of MVStore";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        if (!Files.isRegularFile(source)) {
            throw new NoSuchFileException(source.toString(), null, "no file of MVStore");
        }
        Elements elements = options.elements();
        if (elements == null) {
            throw new IOException("a file of MVStore does not say what keys and values are, so it must be told (on the"
                    + " command line --elements): bytes, strings, or objects if the map was opened without types");
        }
        try (MVStore store = new MVStore.Builder()
                .fileName(source.toAbsolutePath().toString())
                .readOnly()
                .open()) {
            String part = Parts.choose(options, store.getMapNames(), "map");
            tell(source, open(store, part, elements), receiver);
        } catch (MVStoreException e) {
            throw new IOException("the file cannot be read: " + e.getMessage() + ": " + source, e);
        }
    }

    private static MVMap<?, ?> open(MVStore store, String name, Elements elements) {
        return switch (elements) {
            case BYTES -> open(store, name, ByteArrayDataType.INSTANCE);
            case STRINGS -> open(store, name, StringDataType.INSTANCE);
            case OBJECTS -> open(store, name, new PlainObjects());
        };
    }

    private static <T> MVMap<T, T> open(MVStore store, String name, DataType<T> type) {
        return store.openMap(name, new MVMap.Builder<T, T>().keyType(type).valueType(type));
    }

    private static void tell(Path source, MVMap<?, ?> map, Receiver receiver) throws IOException {
        long others = 0;
        Cursor<?, ?> entries = map.cursor(null);
        while (true) {
            byte[] key;
            byte[] value;
            try {
                if (!entries.hasNext()) {
                    break;
                }
                key = bytes(entries.next());
                value = bytes(entries.getValue());
            } catch (RuntimeException e) {
                // MVStore's own, or what its types do with bytes that are not of them.
                receiver.damage(
                        source, Receiver.SOMEWHERE, "the rest is left out, it is damaged or of another kind: " + e);
                break;
            }
            if (key == null || value == null) {
                others++;
            } else {
                receiver.entry(key, value, Receiver.NEVER);
            }
        }
        if (others > 0) {
            receiver.skipped("entries that are neither strings nor arrays of bytes", others);
        }
    }

    private static byte @Nullable [] bytes(Object element) {
        if (element instanceof byte[] bytes) {
            return bytes;
        }
        return element instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : null;
    }
}
