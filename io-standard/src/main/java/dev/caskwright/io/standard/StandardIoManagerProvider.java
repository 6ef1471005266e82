package dev.caskwright.io.standard;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerProvider;
import java.io.IOException;
import java.nio.file.Path;

/** Makes {@link StandardIoManager} known by the name {@code standard}. */
public final class StandardIoManagerProvider implements IoManagerProvider {
    /** For {@link java.util.ServiceLoader}. */
    public StandardIoManagerProvider() {}

    @Override
    public String name() {
        return "standard";
    }

    @Override
    public IoManager open(Path directory, boolean create) throws IOException {
        return StandardIoManager.open(directory, create);
    }
}
