package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Hands out the store to a member that is too far behind: a checkpoint, which shares its files with the store where there are hard
 * links, in chunks. One that nobody has asked about for a minute is deleted, and so are all when the member is opened.
 */
final class SnapshotServer {
    /** The most bytes of a chunk. */
    static final int CHUNK_BYTES = 1 << 20;

    private static final long LEASE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int MOST_CHECKPOINTS = 4;

    /** Makes a checkpoint of the store. */
    @FunctionalInterface
    interface Checkpointing {
        void checkpoint(Path target) throws IOException;
    }

    private static final class Checkpoint {
        final Path directory;
        final List<Path> files;
        long askedNanos = System.nanoTime();

        Checkpoint(Path directory, List<Path> files) {
            this.directory = directory;
            this.files = files;
        }
    }

    private final Path outgoing;
    private final Checkpointing source;
    private final Map<Long, Checkpoint> checkpoints = new HashMap<>();
    private long lastId;

    SnapshotServer(Path outgoing, Checkpointing source) throws IOException {
        this.outgoing = outgoing;
        this.source = source;
        SideFiles.deleteTree(outgoing);
    }

    /**
     * Makes a checkpoint. Answers with it:
     *
     * <pre>
     * | id (8) | files (4) | length of a file (8) | length of its name (4) | name, UTF-8 ... | ...
     * </pre>
     */
    synchronized ByteBuffer checkpoint() throws IOException {
        expire();
        if (checkpoints.size() >= MOST_CHECKPOINTS) {
            throw new IOException(
                    "too many members copy this store: count=" + checkpoints.size() + "; ask again later");
        }
        long id = ++lastId;
        Path directory = outgoing.resolve(Long.toString(id));
        Files.createDirectories(outgoing);
        List<Path> files;
        try {
            source.checkpoint(directory);
            try (Stream<Path> all = Files.list(directory)) {
                files = all.filter(Files::isRegularFile).sorted().toList();
            }
        } catch (IOException | RuntimeException e) {
            SideFiles.deleteTree(directory);
            throw e;
        }
        checkpoints.put(id, new Checkpoint(directory, files));
        int length = Long.BYTES + Integer.BYTES;
        for (Path file : files) {
            length += Long.BYTES + Integer.BYTES + name(file).length;
        }
        ByteBuffer answer = ByteBuffer.allocate(length).putLong(id).putInt(files.size());
        for (Path file : files) {
            byte[] name = name(file);
            answer.putLong(Files.size(file)).putInt(name.length).put(name);
        }
        return answer.flip();
    }

    private static byte[] name(Path file) {
        return String.valueOf(file.getFileName()).getBytes(UTF_8);
    }

    /** Reads a chunk: id (8), number of the file (4), offset (8). Answers with its CRC-32C (4) and its bytes. */
    ByteBuffer chunk(ByteBuffer question) throws IOException {
        long id = question.getLong();
        int number = question.getInt();
        long offset = question.getLong();
        Path file;
        synchronized (this) {
            Checkpoint checkpoint = checkpoints.get(id);
            if (checkpoint == null || number < 0 || number >= checkpoint.files.size()) {
                throw new IOException("there is no such checkpoint any more: id=" + id + ", file=" + number);
            }
            checkpoint.askedNanos = System.nanoTime();
            file = checkpoint.files.get(number);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            int length = (int) Math.min(CHUNK_BYTES, channel.size() - offset);
            if (offset < 0 || length < 0) {
                throw new EOFException("the file ends before that: file=" + file + ", offset=" + offset);
            }
            ByteBuffer answer = ByteBuffer.allocate(Integer.BYTES + length).position(Integer.BYTES);
            while (answer.hasRemaining()) {
                if (channel.read(answer, offset + answer.position() - Integer.BYTES) < 0) {
                    throw new EOFException("the file has become shorter: file=" + file + ", offset=" + offset);
                }
            }
            return answer.putInt(0, crc(answer.position(Integer.BYTES))).rewind();
        }
    }

    /** Deletes a checkpoint: id (8). */
    synchronized ByteBuffer release(ByteBuffer question) throws IOException {
        Checkpoint checkpoint = checkpoints.remove(question.getLong());
        if (checkpoint != null) {
            SideFiles.deleteTree(checkpoint.directory);
        }
        return ByteBuffer.allocate(0);
    }

    /** Deletes checkpoints that nobody asks about. */
    synchronized void expire() throws IOException {
        for (Iterator<Checkpoint> all = checkpoints.values().iterator(); all.hasNext(); ) {
            Checkpoint checkpoint = all.next();
            if (System.nanoTime() - checkpoint.askedNanos >= LEASE_NANOS) {
                all.remove();
                SideFiles.deleteTree(checkpoint.directory);
            }
        }
    }

    /** Returns the CRC-32C of what remains, and reads none of it. */
    static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate());
        return (int) crc.getValue();
    }
}
