package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies the store of the leader beside this member's own: file by file and chunk by chunk, each checked, into {@link
 * NodeFiles#incoming}; then all of it is verified as a store, forced, and marked as complete. Until that mark, a crash or an error
 * leaves nothing but a directory that the next copy deletes.
 */
final class SnapshotFetch {
    /** Asks the leader. */
    @FunctionalInterface
    interface Leader {
        ByteBuffer ask(byte what, ByteBuffer body) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotFetch.class);

    private record RemoteFile(String name, long length) {}

    private final UUID group;
    private final NodeFiles files;
    private final Consumer<String> steps;
    private final BooleanSupplier isCancelled;

    SnapshotFetch(UUID group, NodeFiles files, Consumer<String> steps, BooleanSupplier isCancelled) {
        this.group = group;
        this.files = files;
        this.steps = steps;
        this.isCancelled = isCancelled;
    }

    /**
     * Copies the store of the leader.
     *
     * @param index the index that this member's own store has; a copy that is not ahead of it is refused
     * @return what the copy has applied
     */
    Applied fetch(Leader leader, long index) throws IOException {
        Path target = files.incoming();
        files.dropIncoming();
        Files.createDirectories(target);
        ByteBuffer answer = leader.ask(Peers.CHECKPOINT, ByteBuffer.allocate(0));
        long id = answer.getLong();
        List<RemoteFile> remote;
        try {
            remote = list(answer);
            for (int i = 0; i < remote.size(); i++) {
                steps.accept("copy " + i);
                copy(leader, id, i, remote.get(i), target);
            }
        } catch (IOException | RuntimeException e) {
            release(leader, id, e);
            throw e;
        }
        release(leader, id, null);
        steps.accept("verify");
        Applied found = verify(target);
        if (found.index() <= index) {
            throw new IOException("the copy of the leader's store is not ahead of this one: its index=" + found.index()
                    + ", own=" + index);
        }
        steps.accept("force");
        for (RemoteFile file : remote) {
            SideFiles.force(target.resolve(file.name()));
        }
        SideFiles.force(target);
        checkCancelled(); // another node may have the directory by now
        files.markComplete();
        return found;
    }

    /** Tells the leader that its checkpoint is not needed any more; after a minute it knows by itself. */
    private static void release(Leader leader, long id, @Nullable Exception failure) {
        try {
            leader.ask(
                    Peers.RELEASE, ByteBuffer.allocate(Long.BYTES).putLong(id).flip());
        } catch (IOException | RuntimeException e) {
            if (failure == null) {
                LOG.info("the leader keeps a checkpoint for a while: {}", e.toString());
            } else {
                failure.addSuppressed(e);
            }
        }
    }

    private void checkCancelled() {
        if (isCancelled.getAsBoolean()) {
            throw new CancellationException("the node is being closed");
        }
    }

    private static List<RemoteFile> list(ByteBuffer answer) throws IOException {
        int count = answer.getInt();
        List<RemoteFile> remote = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            long length = answer.getLong();
            byte[] name = new byte[answer.getInt()];
            answer.get(name);
            RemoteFile file = new RemoteFile(new String(name, UTF_8), length);
            // What comes over the network names no place outside the directory.
            if (!file.name().matches("[A-Za-z0-9][A-Za-z0-9._-]*") || !names.add(file.name()) || length < 0) {
                throw new UnsupportedFormatException("the leader names a file that cannot be one of a store: " + file);
            }
            remote.add(file);
        }
        return remote;
    }

    private void copy(Leader leader, long id, int number, RemoteFile file, Path target) throws IOException {
        try (FileChannel out = FileChannel.open(
                target.resolve(file.name()), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long offset = 0;
            while (offset < file.length()) {
                checkCancelled();
                ByteBuffer question = ByteBuffer.allocate(2 * Long.BYTES + Integer.BYTES)
                        .putLong(id)
                        .putInt(number)
                        .putLong(offset)
                        .flip();
                ByteBuffer chunk = leader.ask(Peers.CHUNK, question);
                int expected = chunk.getInt();
                int found = SnapshotServer.crc(chunk);
                if (found != expected || chunk.remaining() > file.length() - offset || !chunk.hasRemaining()) {
                    throw new CorruptRecordException(
                            "a chunk was damaged on its way",
                            file.name(),
                            offset,
                            "length=" + chunk.remaining() + ", expected crc=" + Integer.toHexString(expected)
                                    + ", found=" + Integer.toHexString(found));
                }
                while (chunk.hasRemaining()) {
                    offset += out.write(chunk);
                }
            }
        }
    }

    private Applied verify(Path target) throws IOException {
        VerifyReport report = BitcaskEngine.verify(target, StandardIoManager::open);
        if (!report.isSound()) {
            VerifyReport.Damage first = report.damages().get(0);
            throw new CorruptRecordException(
                    "the copy of the leader's store is damaged", first.file(), first.offset(), first.what());
        }
        try (BitcaskEngine copy = BitcaskEngine.builder(target)
                .createIfMissing(false)
                .readOnly(true)
                .forgetToldExpiries(true)
                .open()) {
            Applied found = Applied.read(copy);
            if (found == null || !found.group().equals(group)) {
                throw new UnsupportedFormatException("the copy is not of a store of this group: group=" + group
                        + ", found=" + (found == null ? "none" : found.group()));
            }
            return found;
        }
    }

    /** Unwraps what a future ended with. */
    static IOException asIo(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof IOException io ? io : new IOException(cause.toString(), cause);
    }
}
