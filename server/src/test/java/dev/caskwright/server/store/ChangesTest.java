package dev.caskwright.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ChangesTest {
    /** Two databases change places. */
    private static final byte[] SWAP = {1, 0};

    @TempDir
    private Path directory;

    private StorageEngine engine;
    private Changes changes;

    @BeforeEach
    void open() throws IOException {
        engine = BitcaskEngine.open(directory);
        changes = Keyspace.replicated(engine, Clock.systemUTC(), 2).changes();
    }

    @AfterEach
    void close() throws IOException {
        engine.close();
    }

    private static Bytes key(int slot, char name) {
        return new Bytes(new byte[] {(byte) slot, (byte) name});
    }

    @Test
    void watchesThatCannotFollowTheirDatabaseCountAsChanged() {
        Watch one = changes.watch(key(0, 'a'), "client", false);
        Watch other = changes.watch(key(1, 'b'), "client", false);
        assertThatThrownBy(() -> changes.moved(SWAP, key -> {
                    throw new OutOfMemoryError("simulated");
                }))
                .isInstanceOf(OutOfMemoryError.class);
        assertThat(one.hasChanged()).isTrue();
        assertThat(other.hasChanged()).isTrue();
        changes.unwatch(one);
        changes.unwatch(other);
        assertThat(changes.watchedKeys()).isZero();
    }

    @Test
    void keysAreLookedUpOnlyIfThatTellsSomething() {
        Watch wasThere = changes.watch(key(0, 'a'), "client", true);
        Watch hasChanged = changes.watch(key(0, 'b'), "client", false);
        Watch absent = changes.watch(key(0, 'c'), "client", false);
        changes.changed(key(0, 'b').array());
        changes.moved(SWAP, key -> {
            assertThat(key).isEqualTo(key(1, 'c').array());
            return false;
        });
        assertThat(wasThere.hasChanged()).isTrue();
        assertThat(hasChanged.hasChanged()).isTrue();
        assertThat(absent.hasChanged()).isFalse();
        changes.changed(key(1, 'c').array());
        assertThat(absent.hasChanged()).isTrue();
    }
}
