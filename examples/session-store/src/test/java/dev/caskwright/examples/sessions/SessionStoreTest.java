package dev.caskwright.examples.sessions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caskwright.api.Merging;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SessionStoreTest {
    private static final Duration IDLE = Duration.ofMinutes(30);

    @TempDir
    private Path directory;

    private Instant now = Instant.parse("2026-11-30T12:00:00Z");

    private StorageEngine open() throws IOException {
        return BitcaskEngine.builder(directory).clock(() -> now).open();
    }

    @Test
    void aSessionLivesAsLongAsItIsSeen() throws IOException {
        try (StorageEngine store = open()) {
            SessionStore sessions = new SessionStore(store, IDLE);
            String session = sessions.begin("ann");
            now = now.plus(IDLE).minusSeconds(1);
            assertEquals(Optional.of("ann"), sessions.seen(session));
            now = now.plus(IDLE).minusSeconds(1);
            assertEquals(Optional.of("ann"), sessions.seen(session));
            now = now.plus(IDLE);
            assertEquals(Optional.empty(), sessions.seen(session));
            store.require(Merging.class).merge(); // gives the space of ended sessions back
            assertEquals(0, store.size());
        }
    }

    @Test
    void aSessionSurvivesARestartUntilItsUserLogsOut() throws IOException {
        String session;
        try (StorageEngine store = open()) {
            session = new SessionStore(store, IDLE).begin("ann");
        }
        try (StorageEngine store = open()) {
            SessionStore sessions = new SessionStore(store, IDLE);
            assertEquals(Optional.of("ann"), sessions.seen(session));
            assertTrue(sessions.end(session));
            assertEquals(Optional.empty(), sessions.seen(session));
            assertFalse(sessions.end(session));
        }
    }
}
