package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.io.standard.StandardIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Verifying a store on a disk that does not give back some of its blocks. */
final class UnreadableBlocksTest {
    private static final int KEYS = 200;
    private static final int BAD_BYTES = 512;

    @TempDir
    private Path temporary;

    private Path store;

    @BeforeEach
    void write() throws IOException {
        store = temporary.resolve("store");
        try (BitcaskEngine engine = BitcaskEngine.builder(store)
                .maxFileBytes(4096)
                .executor(TestTasks.executor())
                .imageEveryBytes(4096)
                .open()) {
            for (int i = 0; i < KEYS; i++) {
                engine.put(KeyValues.key(i), new byte[100], WriteOptions.WRITE);
            }
        }
    }

    /** Refuses the first bytes of one file. */
    private static IoManagerFactory refusing(String bad) {
        return (directory, create) -> new ForwardingIoManager(StandardIoManager.open(directory, create)) {
            @Override
            public ReadableFile open(String name) throws IOException {
                ReadableFile file = super.open(name);
                return name.equals(bad) ? new BadFile(file) : file;
            }
        };
    }

    private static final class BadFile extends ForwardingReadableFile {
        BadFile(ReadableFile file) {
            super(file);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            if (offset < BAD_BYTES && length > 0) {
                throw new IOException("Input/output error");
            }
            return super.read(offset, target, targetOffset, length);
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(store)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.matches("\\d+\\..*"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void eachIsToldAndTheRestIsVerified() throws IOException {
        VerifyReport sound = BitcaskEngine.verify(store, StandardIoManager::open);
        assertThat(sound.damages()).isEmpty();
        assertThat(names()).anyMatch(name -> name.endsWith(".data")).anyMatch(name -> name.endsWith(".image"));
        for (String bad : names()) {
            VerifyReport report = BitcaskEngine.verify(store, refusing(bad));
            assertThat(report.damages())
                    .as(bad)
                    .isNotEmpty()
                    .allSatisfy(damage -> assertThat(damage.file()).isEqualTo(bad));
            if (bad.endsWith(".data")) {
                assertThat(report.damages())
                        .anySatisfy(
                                damage -> assertThat(damage.what()).contains("cannot be read", "Input/output error"));
                assertThat(report.records()).as(bad).isBetween(1L, sound.records() - 1);
            } else {
                assertThat(report.records()).as(bad).isEqualTo(sound.records());
            }
        }
    }

    /** A want of permission, or of descriptors, says nothing about the file. */
    @Test
    void whatCannotBeOpenedIsNotCalledDamaged() throws IOException {
        for (String closed : names()) {
            IoManagerFactory refusing =
                    (directory, create) -> new ForwardingIoManager(StandardIoManager.open(directory, create)) {
                        @Override
                        public ReadableFile open(String name) throws IOException {
                            if (name.equals(closed)) {
                                throw new AccessDeniedException(name);
                            }
                            return super.open(name);
                        }
                    };
            assertThatThrownBy(() -> BitcaskEngine.verify(store, refusing))
                    .as(closed)
                    .isInstanceOf(AccessDeniedException.class);
        }
    }
}
