package dev.caskwright.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo is of use only if it notices a store that lies. */
final class DemoTest {
    private static final int FILES = 60;

    @TempDir
    private Path temporary;

    private final List<Path> files = new ArrayList<>();

    @BeforeEach
    void writeFiles() throws IOException {
        Random random = new Random(7);
        for (int i = 0; i < FILES; i++) {
            byte[] bytes = new byte[i * 10]; // the first is empty
            random.nextBytes(bytes);
            files.add(Files.write(temporary.resolve("file" + i), bytes));
        }
    }

    @Test
    void aTrueStorePasses() throws IOException {
        MemoryEngine engine = new MemoryEngine();
        Demo.Result result = run(engine);
        assertThat(result.mismatches()).isZero();
        assertThat(result.entries()).isEqualTo(FILES);
        assertThat(result.bytes()).isEqualTo(FILES * (FILES - 1) / 2 * 10L);
        assertThat(result.putsPerSecond()).isPositive();
        assertThat(result.getsPerSecond()).isPositive();
        assertThat(engine.entries).hasSize(FILES - FILES / 10);
        assertThat(engine.merges).isEqualTo(1);
        assertThat(engine.changes).hasSize(FILES + FILES / 3 + FILES / 10);
    }

    @Test
    void aWrongByteIsNoticed() throws IOException {
        assertThat(run(new MemoryEngine() {
                            @Override
                            public void merge() {
                                entries.get(key(7)).value()[3] ^= 1;
                            }
                        })
                        .mismatches())
                .isEqualTo(2); // after the merge and after the reopen
    }

    @Test
    void aLostKeyIsNoticed() throws IOException {
        assertThat(run(new MemoryEngine() {
                            @Override
                            public void close() {
                                entries.remove(key(7));
                            }
                        })
                        .mismatches())
                .isEqualTo(2); // the key and the number of entries
    }

    @Test
    void aDeletedKeyThatIsBackIsNoticed() throws IOException {
        assertThat(run(new MemoryEngine() {
                            @Override
                            public void close() {
                                entries.put(key(10), new dev.caskwright.api.Entry(key(10), new byte[1], 1, 0));
                            }
                        })
                        .mismatches())
                .isEqualTo(2);
    }

    @Test
    void anOldValueThatIsBackIsNoticed() throws IOException {
        assertThat(run(new MemoryEngine() {
                            @Override
                            public void close() throws IOException {
                                byte[] old = Files.readAllBytes(files.get(3));
                                entries.put(key(3), new dev.caskwright.api.Entry(key(3), old, 1, 0));
                            }
                        })
                        .mismatches())
                .isEqualTo(1);
    }

    @Test
    void aKeyThatNobodyStoredIsNoticed() throws IOException {
        assertThat(run(new MemoryEngine() {
                            @Override
                            public void close() {
                                entries.put(new byte[1], new dev.caskwright.api.Entry(new byte[1], new byte[1], 1, 0));
                            }
                        })
                        .mismatches())
                .isEqualTo(1);
    }

    @Test
    void theRuntimeImageHasItsFiles() throws IOException {
        List<Path> image = RuntimeImage.files();
        assertThat(image).hasSizeGreaterThan(5_000).isSorted();
        assertThat(image.stream().map(Path::toString)).contains("/modules/java.base/java/lang/Object.class");
    }

    @Test
    void theDirectoryMustBeFree() {
        Cli.Result result = new Cli().run("demo", "--dir", temporary.toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
    }

    private Demo.Result run(StorageEngine engine) throws IOException {
        Cli cli = new Cli();
        Shell shell =
                new Shell(System.in, new java.io.ByteArrayOutputStream(), System.err, false, false, cli, millis -> {});
        return new Demo(() -> engine, files, shell).run();
    }

    private byte[] key(int file) {
        return files.get(file).toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
