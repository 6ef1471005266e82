package dev.caskwright.cli;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Stores a value under a key. */
@Command(
        name = "put",
        description = "Store a value under a key, replacing any that is there. Makes the store if there is none.")
final class PutCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private CreateOption create = new CreateOption();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Option(
            names = "--ttl",
            paramLabel = "TIME",
            converter = TimeToLive.class,
            description = "Let the entry expire after this time, such as 30s or 7d.")
    private @Nullable Duration timeToLive;

    @Option(names = "--if-absent", description = "Only if the key does not exist; exit code 1 if it does.")
    private boolean ifAbsent;

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "Take the value from a file, byte for byte; - is standard input.")
    private @Nullable String file;

    @Parameters(index = "0", paramLabel = "KEY", description = "The key.")
    private String key = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "VALUE", description = "The value, unless --file is given.")
    private @Nullable String value;

    PutCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        byte[] keyBytes = text.encoding().keyArgument(key);
        byte[] valueBytes = value();
        WriteOptions options = timeToLive == null ? WriteOptions.DEFAULT : WriteOptions.DEFAULT.timeToLive(timeToLive);
        try (StorageEngine store = place.open(shell, create.access())) {
            if (!ifAbsent) {
                store.put(keyBytes, valueBytes, options);
            } else if (!store.require(ConditionalWrites.class).putIfAbsent(keyBytes, valueBytes, options)) {
                shell.complain("the key already exists");
                return ExitCode.NOT_FOUND_OR_DAMAGE;
            }
            return ExitCode.OK;
        }
    }

    /** Returns the value, read before the store is opened, so that a store is not locked while a pipe is slow. */
    private byte[] value() throws IOException {
        if ((value == null) == (file == null)) {
            throw new UsageException("give either VALUE or --file FILE");
        }
        if (value != null) {
            return text.encoding().argument("the value", value);
        }
        try (InputStream in = Input.open(shell, String.valueOf(file))) {
            byte[] bytes = in.readNBytes(StorageEngine.MAX_VALUE_LENGTH);
            if (in.read() >= 0) {
                throw new UsageException("the value is longer than " + StorageEngine.MAX_VALUE_LENGTH + " bytes");
            }
            return bytes;
        }
    }
}
