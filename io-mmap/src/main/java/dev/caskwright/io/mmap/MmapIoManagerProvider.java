package dev.caskwright.io.mmap;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerProvider;
import java.io.IOException;
import java.nio.file.Path;

/** Makes {@link MmapIoManager} known by the name {@code mmap}. */
public final class MmapIoManagerProvider implements IoManagerProvider {
    /** For {@link java.util.ServiceLoader}. */
    public MmapIoManagerProvider() {}

    @Override
    public String name() {
        return "mmap";
    }

    @Override
    public IoManager open(Path directory, boolean create) throws IOException {
        return MmapIoManager.open(directory, create);
    }
}
