package dev.caskwright.io.mmap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whether a window is zeroed page by page follows from how its writers forced the one before. */
final class ForcedWindowsTest {
    private static final int WINDOW = 2 << 20;
    private static final byte[] WRITTEN = new byte[WINDOW / 8];

    private final WindowsAhead ahead = new WindowsAhead();

    @TempDir
    private Path directory;

    private IoManager io;

    @BeforeEach
    void open() throws IOException {
        io = StandardIoManager.open(directory, false);
    }

    @AfterEach
    void close() throws IOException {
        ahead.close();
        io.close();
    }

    private WritableFile newFile(String name) throws IOException {
        return new MappedWritableFile(io.create(name, 16 * WINDOW), 16 * WINDOW, ahead);
    }

    /** Writes a window and the first bytes of the next, with forces spread over it. */
    private static void writeWindow(WritableFile file, int forces) throws IOException {
        for (int i = 0; i < 8; i++) {
            if (i < forces) {
                file.force();
            }
            file.write(file.length(), WRITTEN, 0, WRITTEN.length);
        }
        file.write(file.length(), WRITTEN, 0, 1);
    }

    @Test
    void writersForceUntilAWindowShowsOtherwise() throws IOException {
        try (WritableFile file = newFile("a")) {
            file.write(0, WRITTEN, 0, WRITTEN.length);
            assertThat(ahead.areWritesForced()).isTrue();
            writeWindow(file, 0);
            assertThat(ahead.areWritesForced()).isFalse();
        }
        try (WritableFile next = newFile("b")) {
            next.write(0, WRITTEN, 0, 1);
            assertThat(ahead.areWritesForced()).as("from one file to the next").isFalse();
        }
    }

    @Test
    void twoForcesOfAWindowAreThoseOfWriters() throws IOException {
        try (WritableFile file = newFile("a")) {
            writeWindow(file, 0);
            writeWindow(file, 1);
            assertThat(ahead.areWritesForced()).as("one, as of a timer").isFalse();
            writeWindow(file, 1);
            assertThat(ahead.areWritesForced()).as("one of each").isFalse();
            writeWindow(file, 2);
            assertThat(ahead.areWritesForced()).isTrue();
            writeWindow(file, 8);
            assertThat(ahead.areWritesForced()).isTrue();
            writeWindow(file, 0);
            assertThat(ahead.areWritesForced()).isFalse();
            assertThat(file.length()).isEqualTo(6L * (WINDOW + 1));
        }
    }
}
