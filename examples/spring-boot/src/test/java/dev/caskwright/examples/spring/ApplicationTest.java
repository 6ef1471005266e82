package dev.caskwright.examples.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.StorageEngine;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

final class ApplicationTest {
    @TempDir
    private Path directory;

    private ConfigurableApplicationContext start() {
        return SpringApplication.run(
                Application.class,
                "--caskwright.directory=" + directory,
                "--caskwright.durability=sync",
                "--logging.level.root=off");
    }

    @Test
    void theStoreOutlivesTheApplication() throws Exception {
        StorageEngine store;
        try (ConfigurableApplicationContext first = start()) {
            store = first.getBean(StorageEngine.class);
            assertEquals(1, store.size()); // the start was counted
        }
        assertThrows(EngineClosedException.class, () -> store.get(new byte[] {1})); // with the application
        try (ConfigurableApplicationContext second = start()) {
            assertEquals(3, second.getBean(Starts.class).count());
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
