package dev.caskwright.moss;

import dev.caskwright.api.spi.IoManager;
import java.io.Closeable;
import java.io.IOException;

/** What a store with a directory holds besides its layers. */
record Resources(IoManager io, IoManager.Lock lock, FileStore files) implements Closeable {
    @Override
    public void close() throws IOException {
        files.close();
        try {
            lock.close();
        } finally {
            io.close();
        }
    }
}
