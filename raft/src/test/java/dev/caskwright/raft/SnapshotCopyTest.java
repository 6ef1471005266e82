package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The copy of a leader's store, without a group around it: whole and checked, or not there. */
final class SnapshotCopyTest {
    private static final UUID GROUP = UUID.nameUUIDFromBytes(new byte[] {1});
    private static final Applied APPLIED = new Applied(GROUP, 3, 77, 1_000, 0);

    @TempDir
    Path directory;

    private BitcaskEngine store;
    private SnapshotServer server;
    private NodeFiles files;

    @BeforeEach
    void open() throws IOException {
        store = BitcaskEngine.builder(directory.resolve("leader"))
                .maxFileBytes(4 << 10)
                .open();
        for (int i = 0; i < 100; i++) {
            store.put(("key" + i).getBytes(UTF_8), new byte[500]);
        }
        store.put("long".getBytes(UTF_8), new byte[3 * SnapshotServer.CHUNK_BYTES / 2]);
        store.put(Applied.key(), APPLIED.toBytes());
        server = new SnapshotServer(directory.resolve("outgoing"), store::checkpoint);
        Files.createDirectories(directory.resolve("follower"));
        files = new NodeFiles(directory.resolve("follower"), step -> {});
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    @Test
    void aCopyIsTheStoreAndLeavesNothingAtTheLeader() throws IOException {
        assertThat(fetch().fetch(this::answer, 76)).isEqualTo(APPLIED);
        assertThat(files.isComplete()).isTrue();
        files.finishSwap();
        try (BitcaskEngine copy = BitcaskEngine.open(files.store())) {
            assertThat(copy.size()).isEqualTo(store.size());
            assertThat(copy.get("long".getBytes(UTF_8))).isEqualTo(store.get("long".getBytes(UTF_8)));
            assertThat(Applied.read(copy)).isEqualTo(APPLIED);
        }
        assertThat(directory.resolve("outgoing")).isEmptyDirectory();
    }

    @Test
    void aByteThatChangesOnItsWayIsFound() {
        SnapshotFetch.Leader damaging = (what, body) -> {
            ByteBuffer answer = answer(what, body);
            if (what == Peers.CHUNK) {
                ByteBuffer copy =
                        ByteBuffer.allocate(answer.remaining()).put(answer).flip();
                int last = copy.limit() - 1;
                return copy.put(last, (byte) (copy.get(last) ^ 1));
            }
            return answer;
        };
        assertThatThrownBy(() -> fetch().fetch(damaging, 0))
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("a chunk was damaged on its way");
        assertThat(files.isComplete()).isFalse();
    }

    @Test
    void aCopyOfADamagedStoreIsNotTaken() throws IOException {
        SnapshotServer damaged = new SnapshotServer(directory.resolve("outgoing"), target -> {
            store.backup(target);
            Path file = Files.list(target)
                    .filter(each -> each.getFileName().toString().endsWith(".data"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
        });
        server = damaged;
        assertThatThrownBy(() -> fetch().fetch(this::answer, 0)).isInstanceOf(IOException.class);
        assertThat(files.isComplete()).isFalse();
    }

    @Test
    void aCopyThatIsNotAheadOrOfAnotherGroupIsNotTaken() {
        assertThatThrownBy(() -> fetch().fetch(this::answer, 77))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not ahead");
        UUID other = UUID.nameUUIDFromBytes(new byte[] {2});
        assertThatThrownBy(() -> new SnapshotFetch(other, files, step -> {}, () -> false).fetch(this::answer, 0))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("not of a store of this group");
        assertThat(files.isComplete()).isFalse();
    }

    @Test
    void aNameThatLeadsOutOfTheDirectoryIsRefused() {
        byte[] name = "../store".getBytes(UTF_8);
        ByteBuffer list = ByteBuffer.allocate(100)
                .putLong(1)
                .putInt(1)
                .putLong(5)
                .putInt(name.length)
                .put(name)
                .flip();
        assertThatThrownBy(() -> fetch().fetch((what, body) -> list.duplicate(), 0))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("../store");
    }

    @Test
    void aCopyThatBreaksOffLeavesNoMarkOfOneBeforeItAndNothingAtTheLeader() throws IOException {
        fetch().fetch(this::answer, 0);
        assertThat(files.isComplete()).isTrue();
        SnapshotFetch.Leader breaking = (what, body) -> {
            if (what == Peers.CHUNK) {
                throw new IOException("the leader is gone");
            }
            return answer(what, body);
        };
        assertThatThrownBy(() -> fetch().fetch(breaking, 0)).hasMessage("the leader is gone");
        assertThat(files.finishSwap())
                .as("a part of a copy takes the place of the store")
                .isFalse();
        assertThat(directory.resolve("outgoing")).isEmptyDirectory();
    }

    @Test
    void aCopyIsNotMarkedOnceItsNodeIsClosed() {
        AtomicBoolean isClosed = new AtomicBoolean();
        SnapshotFetch closed =
                new SnapshotFetch(GROUP, files, step -> isClosed.set(step.equals("force")), isClosed::get);
        assertThatThrownBy(() -> closed.fetch(this::answer, 0)).isInstanceOf(CancellationException.class);
        assertThat(files.isComplete()).isFalse();
    }

    @Test
    void aCopyEndsWhenItsNodeIsClosed() {
        SnapshotFetch closed = new SnapshotFetch(GROUP, files, step -> {}, () -> true);
        assertThatThrownBy(() -> closed.fetch(this::answer, 0)).isInstanceOf(CancellationException.class);
        assertThat(files.isComplete()).isFalse();
    }

    private SnapshotFetch fetch() {
        return new SnapshotFetch(GROUP, files, step -> {}, () -> false);
    }

    private ByteBuffer answer(byte what, ByteBuffer body) throws IOException {
        return switch (what) {
            case Peers.CHECKPOINT -> server.checkpoint();
            case Peers.CHUNK -> server.chunk(body);
            default -> server.release(body);
        };
    }
}
