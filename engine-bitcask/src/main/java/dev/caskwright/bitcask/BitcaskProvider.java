package dev.caskwright.bitcask;

import dev.caskwright.api.Facet;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.codec.KeyFile;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import dev.caskwright.api.spi.engine.EngineSettings;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.store.Store;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The Bitcask engine by its name, {@code bitcask}. */
public final class BitcaskProvider implements EngineProvider {
    static final String NAME = Store.ENGINE;

    private static final String INDEX = "index";
    private static final String IO = "io";
    private static final String STARTUP_IO = "startup-io";
    private static final String AUTO_MERGE = "auto-merge";
    private static final String CODEC = "codec";
    private static final String RECODE_ON_MERGE = "recode-on-merge";
    private static final String KEYS = "keys";
    private static final String KEY = "key";
    private static final String MAX_FILE_BYTES = "max-file-bytes";
    private static final Map<String, String> OPTIONS = Map.of(
            INDEX, "name of the key index; hashmap by default",
            IO, "name of the IO manager; standard by default",
            STARTUP_IO, "name of the IO manager while the store is opened; as io by default",
            AUTO_MERGE, "whether files are merged in the background, true or false; true by default",
            CODEC, "name of the codec that values are stored by; none by default",
            RECODE_ON_MERGE, "whether merges store values as if they were written now, true or false; false by default",
            KEYS, "file with the keys of an encrypted store, a line ID=HEX for each; none by default",
            KEY, "id of the key that writes are encrypted by, or none; the last one in the file of keys by default",
            MAX_FILE_BYTES, "length in bytes at which writers go on to a new file; 67108864 by default");

    /** Called by {@link java.util.ServiceLoader}. */
    public BitcaskProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public StorageEngine open(Path directory, EngineSettings settings) throws IOException {
        settings.refuseUnknown(NAME, OPTIONS);
        IoManagerFactory io = io(settings);
        KeyIndexFactory index = settings.parsed(INDEX, BitcaskProvider::index, HashKeyIndex::new);
        EngineSettings.Access access = settings.access();
        EngineBuilder builder = BitcaskEngine.builder(directory)
                .index(index)
                .io(io)
                .startupIo(settings.parsed(STARTUP_IO, BitcaskProvider::io, io))
                .recodeOnMerge(settings.parsed(RECODE_ON_MERGE, BitcaskProvider::trueOrFalse, false))
                .autoMerge(settings.parsed(AUTO_MERGE, BitcaskProvider::trueOrFalse, true))
                .readOnly(access == EngineSettings.Access.READ)
                .createIfMissing(access.creates())
                .createAmongOtherFiles(access == EngineSettings.Access.CREATE_AMONG_OTHER_FILES);
        settings.parsed(CODEC, name -> codec(builder, name), builder);
        Encryption encryption = encryption(settings);
        if (encryption != null) {
            builder.encryption(encryption);
        }
        settings.parsed(MAX_FILE_BYTES, bytes -> builder.maxFileBytes(Long.parseLong(bytes)), builder);
        if (settings.durability() != null) {
            builder.durability(settings.durability());
        }
        return builder.open();
    }

    @Override
    public StoreAtRest atRest(Path directory, EngineSettings settings) {
        settings.refuseUnknown(NAME, OPTIONS);
        return new BitcaskFiles(directory, io(settings), encryption(settings));
    }

    @Override
    public Optional<String> offers(Class<? extends Facet> facet) {
        if (facet == OrderedView.class) {
            String ordered = Backends.all(KeyIndexProvider.class, BitcaskProvider.class).stream()
                    .filter(KeyIndexProvider::isOrdered)
                    .map(KeyIndexProvider::name)
                    .collect(Collectors.joining(" or "));
            return Optional.of(
                    ordered.isEmpty() ? "with an ordered index, of which none was found" : "index=" + ordered);
        }
        return facet.isAssignableFrom(BitcaskEngine.class) || facet.isAssignableFrom(BitcaskFiles.class)
                ? Optional.of("")
                : Optional.empty();
    }

    @Override
    public Map<String, String> options() {
        return OPTIONS;
    }

    private static @Nullable Encryption encryption(EngineSettings settings) {
        Optional<KeyFile> keys =
                settings.parsed(KEYS, name -> Optional.of(KeyFile.read(Path.of(name))), Optional.empty());
        if (keys.isPresent()) {
            return settings.parsed(KEY, keys.get()::encryption, keys.get().encryption(null));
        }
        if (settings.options().containsKey(KEY)) {
            throw new IllegalArgumentException("a key is named, and no file of keys: option=" + KEY + "; set " + KEYS);
        }
        return null;
    }

    private static IoManagerFactory io(EngineSettings settings) {
        return settings.parsed(IO, BitcaskProvider::io, StandardIoManager::open);
    }

    private static KeyIndexFactory index(String name) {
        return Backends.keyIndex(name);
    }

    private static IoManagerFactory io(String name) {
        return Backends.ioManager(name);
    }

    private static EngineBuilder codec(EngineBuilder builder, String name) {
        return name.equals(ValueCodec.NONE) ? builder : builder.codec(Backends.codec(name));
    }

    private static boolean trueOrFalse(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("must be true or false");
        };
    }
}
