package dev.caskwright.moss;

import dev.caskwright.api.Integrity;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.moss.file.Verification;
import java.io.IOException;
import java.nio.file.Path;

/** A store with its own files that is not open. */
final class MossFiles implements StoreAtRest, Integrity {
    private final Path directory;
    private final IoManagerFactory io;

    MossFiles(Path directory, IoManagerFactory io) {
        this.directory = directory;
        this.io = io;
    }

    @Override
    public VerifyReport verify() throws IOException {
        try (IoManager manager = io.open(directory, false)) {
            IoManager.Lock lock = manager.lock(false);
            try {
                return Verification.of(manager);
            } finally {
                lock.close();
            }
        }
    }

    @Override
    public String describe() {
        return "store=" + directory + ", engine=moss";
    }
}
