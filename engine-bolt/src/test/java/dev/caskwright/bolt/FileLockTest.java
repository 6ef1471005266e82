package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One writer or many readers have a file, whether they are of this process or of another program. */
final class FileLockTest {
    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void makeTheFile() throws IOException {
        file = directory.resolve("locked.db");
        BoltDatabase.open(file).close();
    }

    @Test
    void aSecondWriterOfThisProcessIsRefused() throws IOException {
        try (BoltDatabase database = BoltDatabase.open(file)) {
            assertThatThrownBy(() -> BoltDatabase.open(file))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining("this process");
            assertThatThrownBy(() -> BoltDatabase.builder(file).readOnly(true).open())
                    .isInstanceOf(EngineLockedException.class);
            database.update(transaction -> transaction.createBucketIfNotExists("b".getBytes()));
        }
        BoltDatabase.open(file).close();
    }

    @Test
    void readersShareAndKeepWritersOut() throws IOException {
        BoltDatabase first = BoltDatabase.builder(file).readOnly(true).open();
        try (BoltDatabase second = BoltDatabase.builder(file).readOnly(true).open()) {
            assertThat(first.stats().pages()).isEqualTo(second.stats().pages());
            first.close();
            assertThatThrownBy(() -> BoltDatabase.open(file)).isInstanceOf(EngineLockedException.class);
        }
        BoltDatabase.open(file).close();
    }

    @Test
    void bboltCannotHaveAFileThatIsOpenHere() throws Exception {
        BboltPeer peer = BboltPeer.build();
        try (BoltDatabase database = BoltDatabase.open(file)) {
            assertThat(peer.canOpen(file)).isFalse();
            database.update(transaction -> transaction.createBucketIfNotExists("b".getBytes()));
        }
        assertThat(peer.canOpen(file)).isTrue();
    }

    @Test
    void aFileThatBboltHasIsRefusedUntilItIsDone() throws Exception {
        BboltPeer peer = BboltPeer.build();
        Process holder = peer.hold(file);
        try {
            assertThatThrownBy(() -> BoltDatabase.open(file))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining("another process");
            assertThatThrownBy(() -> BoltDatabase.builder(file).readOnly(true).open())
                    .isInstanceOf(EngineLockedException.class);
        } finally {
            holder.getOutputStream().close();
            holder.waitFor();
        }
        BoltDatabase.open(file).close();
    }
}
