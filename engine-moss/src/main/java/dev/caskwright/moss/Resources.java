package dev.caskwright.moss;

import dev.caskwright.api.spi.io.IoManager;
import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What a store with a directory holds besides its layers.
 *
 * @param files null if another engine is below
 */
record Resources(
        IoManager io, IoManager.Lock lock, @Nullable FileStore files) implements Closeable {
    @Override
    public void close() throws IOException {
        try {
            if (files != null) {
                files.close();
            }
        } finally {
            try {
                lock.close();
            } finally {
                io.close();
            }
        }
    }
}
