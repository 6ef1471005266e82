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
        try (MVStore store = open(source)) {
            tell(source, open(source, store, options, elements), receiver);
        }
    }

    private static MVStore open(Path source) throws IOException {
        try {
            return new MVStore.Builder()
                    .fileName(source.toAbsolutePath().toString())
                    .readOnly()
                    .open();
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
            throw unreadable(source, e);
        }
    }

    private static MVMap<?, ?> open(Path source, MVStore store, ReadOptions options, Elements elements)
            throws IOException {
        try {
            String part = Parts.choose(options, store.getMapNames(), "map");
            return open(store, part, elements);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
            throw unreadable(source, e);
        }
    }

    /** MVStore throws its own exceptions for damage that it looks for, and for other damage those of whatever it does with the bytes, such as taking memory for any length. */
    private static IOException unreadable(Path source, Throwable e) {
        String what = e instanceof MVStoreException ? e.getMessage() : e.toString();
        return new IOException("the file cannot be read: " + what + ": " + source, e);
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

    private static <K> void tell(Path source, MVMap<K, ?> map, Receiver receiver) throws IOException {
        long others = 0;
        Cursor<K, ?> entries = null;
        K last = null;
        while (true) {
            byte[] key;
            byte[] value;
            try {
                if (entries == null) {
                    entries = map.cursor(null);
                }
                if (!entries.hasNext()) {
                    break;
                }
                K next = entries.next();
                key = bytes(next);
                if (key != null) {
                    if (last != null && map.getKeyType().compare(last, next) >= 0) {
                        throw new IllegalStateException("the keys are not in order"); // as where pages lead in a circle
                    }
                    last = next;
                }
                value = bytes(entries.getValue());
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
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
