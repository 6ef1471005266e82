package dev.caskwright.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

    private static void outOfMemory() {
        throw new OutOfMemoryError("simulated");
    }

    @Test
    void aChangeThatCannotBeToldCountsForAllWhoWatch() {
        Watch before = changes.watch(key(0, 'a'), "client", true);
        Watch other = changes.watch(key(0, 'b'), "client", true);
        changes.listener(new Changes.Listener() {
            @Override
            public void changed(byte[] key) {
                outOfMemory();
            }

            @Override
            public void changedAll() {
                outOfMemory();
            }
        });
        byte[] changed = key(0, 'a').array();
        assertThatThrownBy(() -> changes.changed(changed)).isInstanceOf(OutOfMemoryError.class);
        assertThat(before.hasChanged()).isTrue();
        assertThat(other.hasChanged()).isTrue(); // the caller may have had more to tell
        Watch after = changes.watch(key(0, 'a'), "another", true);
        assertThat(after.hasChanged()).isFalse();
        assertThatThrownBy(() -> changes.moved(SWAP, key -> false)).isInstanceOf(OutOfMemoryError.class);
        assertThat(after.hasChanged()).isTrue();
    }

    @Test
    void aWatchThatCannotBeginLeavesNothing() {
        Object client = new Object() {
            private int looks;

            @Override
            public int hashCode() {
                if (looks++ == 0) {
                    outOfMemory();
                }
                return 1;
            }
        };
        assertThatThrownBy(() -> changes.watch(key(0, 'a'), client, true)).isInstanceOf(OutOfMemoryError.class);
        assertThat(changes.watchedKeys()).isZero();
    }

    @Test
    void whoeverCannotBeToldOfAForceIsToldLater() throws Exception {
        int[] calls = {0};
        CountDownLatch told = new CountDownLatch(2);
        Keyspace keyspace = new Keyspace(engine, Clock.systemUTC(), 2, AppendFsync.ALWAYS);
        try (Gate gate = keyspace.gate()) {
            gate.onForce(() -> {
                told.countDown();
                if (calls[0]++ == 0) {
                    outOfMemory();
                }
            });
            gate.ask();
            assertThat(told.await(20, TimeUnit.SECONDS)).isTrue();
            CountDownLatch next = new CountDownLatch(1);
            gate.onForce(next::countDown);
            gate.ask();
            assertThat(next.await(20, TimeUnit.SECONDS)).isTrue();
        }
    }
}
