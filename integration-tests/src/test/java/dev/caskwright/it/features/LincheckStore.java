package dev.caskwright.it.features;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.Durability;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Opens stores as Lincheck wants them: thousands a second, each alike, with no thread of their own. */
final class LincheckStore {
    private LincheckStore() {}

    static BitcaskEngine open() {
        try {
            return BitcaskEngine.builder(Path.of("store"))
                    .io(new CrashableIoManager().logging(false).factory())
                    .executor(Runnable::run)
                    .autoMerge(false)
                    .durability(Durability.NONE)
                    .replayThreads(1)
                    .random(() -> 42)
                    .maxFileBytes(256)
                    .open();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] bytes(int number) {
        return Integer.toString(number).getBytes(UTF_8);
    }

    static @Nullable Integer number(byte @Nullable [] bytes) {
        return bytes == null ? null : Integer.valueOf(new String(bytes, UTF_8));
    }
}
