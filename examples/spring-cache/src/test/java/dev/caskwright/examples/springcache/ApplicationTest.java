package dev.caskwright.examples.springcache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caskwright.api.EngineLockedException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

final class ApplicationTest {
    private static final int NOTES = 100;

    @TempDir
    private Path directory;

    private String[] settings() {
        return new String[] {
            // Of a hundred notes, most are read from the store.
            "--caches.directory=" + directory, "--caches.entries-in-memory=10", "--logging.level.root=off"
        };
    }

    private ConfigurableApplicationContext start() {
        return SpringApplication.run(Application.class, settings());
    }

    @Test
    void theCacheOutlivesTheApplication() {
        try (ConfigurableApplicationContext first = start()) {
            Notes notes = first.getBean(Notes.class);
            for (int i = 1; i <= NOTES; i++) {
                notes.about("cask:" + i);
                assertEquals("cask:" + i, notes.about("cask:" + i).cask());
            }
            assertEquals(NOTES, notes.written());
            notes.forget("cask:2");
        }
        try (ConfigurableApplicationContext second = start()) {
            Notes notes = second.getBean(Notes.class);
            for (int i = 1; i <= NOTES; i++) {
                assertEquals("cask:" + i, notes.about("cask:" + i).cask());
            }
            assertEquals(1, notes.written(), "what was forgotten stays forgotten, the rest is there");
        }
    }

    @Test
    void theCacheOutlivesAKill() throws Exception {
        String[] settings = settings();
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-classpath",
                        System.getProperty("java.class.path"),
                        KilledApplication.class.getName(),
                        settings[0],
                        settings[1],
                        settings[2])
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals(
                "oak, tasted for an hour; written: 1", process.inputReader().readLine());
        process.destroyForcibly().waitFor();
        try (ConfigurableApplicationContext second = start()) {
            assertEquals(0, second.getBean(Notes.class).written());
        }
    }

    @Test
    void lifespansEndWhileTheApplicationIsDown() {
        String[] settings = settings();
        settings[1] = "--caches.lifespan=1ms";
        SpringApplication.run(Application.class, settings).close();
        try (ConfigurableApplicationContext second = start()) {
            assertEquals(1, second.getBean(Notes.class).written());
        }
    }

    @Test
    void aSecondApplicationOnTheDirectoryDoesNotStart() {
        try (ConfigurableApplicationContext first = start()) {
            assertTrue(first.isActive());
            BeanCreationException refused = assertThrows(BeanCreationException.class, this::start);
            assertEquals(
                    EngineLockedException.class, refused.getMostSpecificCause().getClass());
        }
    }
}
