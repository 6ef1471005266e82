package dev.caskwright.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Repairs of damaged files. Each writes a new file, which must not exist, and leaves the damaged one as it is.
 */
public final class BoltSurgery {
    private static final int PIECE_LENGTH = 256 << 10;
    private static final int MAX_DEPTH = 64;
    private static final int PUTS_EACH_COMMIT = 10_000;

    private final IoManagerFactory io;

    /** @param io reaches the files */
    public BoltSurgery(IoManagerFactory io) {
        this.io = Objects.requireNonNull(io, "io");
    }

    /**
     * What {@link #salvage} found.
     *
     * @param keys keys with values that were copied
     * @param bytes bytes of these keys and values
     * @param buckets buckets that were made
     * @param problems what could not be read
     */
    public record SalvageResult(long keys, long bytes, long buckets, List<String> problems) {}

    /** Copies a file so that the state before the last commit is the current one. */
    public void revertMetaPage(Path source, Path target) throws IOException {
        try (BoltFile file = BoltFile.open(source, io)) {
            Meta older = file.older();
            if (older == null) {
                throw new UnsupportedFormatException(
                        "the other meta page is damaged, so there is nothing to go back to");
            }
            copy(file, target, older, older.withTransaction(file.newest().transaction()));
        }
    }

    /** Copies a file without its freelist; opening finds the free pages by reading all others. */
    public void abandonFreelist(Path source, Path target) throws IOException {
        try (BoltFile file = BoltFile.open(source, io)) {
            Meta newest = file.newest().withoutFreelist();
            Meta older = file.older();
            copy(file, target, older == null ? null : older.withoutFreelist(), newest);
        }
    }

    /** Copies a file, and gives it a freelist that is made from what its buckets do not use. */
    public void rebuildFreelist(Path source, Path target) throws IOException {
        abandonFreelist(source, target);
        try (BoltDatabase database = BoltDatabase.builder(target).io(io).open()) {
            database.writeFreelist();
        }
    }

    private void copy(BoltFile file, Path target, @Nullable Meta older, Meta newest) throws IOException {
        int pageSize = file.pageSize();
        NewFile.write(io, target, 0, copy -> {
            long length = file.length();
            byte[] piece = new byte[PIECE_LENGTH];
            for (long offset = 0; offset < length; ) {
                int count = (int) Math.min(piece.length, length - offset);
                file.store().copy(offset, piece, count);
                copy.write(offset, piece, 0, count);
                offset += count;
            }
            for (Meta meta : new Meta[] {older, newest}) {
                if (meta != null) {
                    byte[] page = new byte[pageSize];
                    meta.write(ByteBuffer.wrap(page).order(file.store().order()));
                    copy.write(meta.page() * pageSize, page, 0, pageSize);
                }
            }
        });
    }

    // ---------------------------------------------------------------- salvage

    private record Waiting(
            List<byte[]> path, long root, @Nullable Page inline) {}

    /**
     * Copies all buckets, keys and values that can be read into a new file. What lies after a damaged page is lost, and told; the
     * rest of its bucket is copied.
     */
    public SalvageResult salvage(Path source, Path target) throws IOException {
        try (BoltFile file = BoltFile.open(source, io)) {
            NewFile.write(io, target, 0, copy -> {}); // so that nothing that is there is written to
            try (BoltDatabase database =
                    BoltDatabase.builder(target).io(io).forcesCommits(false).open()) {
                Salvage salvage = new Salvage(file, database);
                salvage.run();
                database.sync();
                return new SalvageResult(salvage.keys, salvage.bytes, salvage.buckets, salvage.problems);
            }
        }
    }

    private static final class Salvage {
        private final BoltFile file;
        private final BoltDatabase database;
        private final List<String> problems = new ArrayList<>();
        private final Deque<Waiting> waiting = new ArrayDeque<>();
        private final Set<Long> seen = new HashSet<>();
        private BoltTransaction transaction;
        private int puts;
        private long keys;
        private long bytes;
        private long buckets;

        Salvage(BoltFile file, BoltDatabase database) throws IOException {
            this.file = file;
            this.database = database;
            this.transaction = database.beginWrite();
        }

        void run() throws IOException {
            try {
                waiting.add(new Waiting(List.of(), file.newest().root(), null));
                for (Waiting next; (next = waiting.poll()) != null; ) {
                    Page inline = next.inline;
                    if (inline != null) {
                        elements(next.path, inline, 0);
                    } else {
                        page(next.path, next.root, 0);
                    }
                }
                transaction.commit();
            } finally {
                transaction.close();
            }
        }

        private void page(List<byte[]> path, long id, int depth) throws IOException {
            Page page = new Page(file.store().name());
            if (depth == MAX_DEPTH || !seen.add(id)) {
                problems.add("page is led to twice: page=" + Long.toUnsignedString(id));
                return;
            }
            try {
                file.store().read(id, file.newest().highWater(), page);
            } catch (IOException e) {
                problems.add(String.valueOf(e.getMessage()));
                return;
            }
            elements(path, page, depth);
        }

        private void elements(List<byte[]> path, Page page, int depth) throws IOException {
            for (int i = 0; i < page.count(); i++) {
                byte[] key;
                byte[] value;
                boolean isBucket;
                try {
                    page.look(i);
                    isBucket = page.isBucket();
                    key = page.key();
                    value = page.value();
                } catch (CorruptRecordException e) {
                    problems.add(String.valueOf(e.getMessage()));
                    continue;
                }
                if (!page.isLeaf()) {
                    page(path, page.child(i), depth + 1);
                } else if (isBucket) {
                    nested(path, key, value);
                } else {
                    put(path, key, value);
                }
            }
        }

        private void nested(List<byte[]> path, byte[] name, byte[] value) throws IOException {
            List<byte[]> inner = new ArrayList<>(path);
            inner.add(name);
            if (value.length < PageFormat.BUCKET_LENGTH || name.length == 0) {
                problems.add("bucket is too short, or has no name");
                return;
            }
            ByteBuffer bytes = ByteBuffer.wrap(value).order(file.store().order());
            bucket(inner).setSequence(bytes.getLong(PageFormat.BUCKET_SEQUENCE_OFFSET));
            buckets++;
            long root = bytes.getLong(PageFormat.BUCKET_ROOT_OFFSET);
            Page inline = null;
            if (root == 0) {
                inline = new Page(file.store().name());
                try {
                    inline.point(bytes, PageFormat.BUCKET_LENGTH, value.length - PageFormat.BUCKET_LENGTH, 0, 0);
                } catch (CorruptRecordException e) {
                    problems.add(String.valueOf(e.getMessage()));
                    return;
                }
                if (!inline.isLeaf()) {
                    problems.add("inline bucket is no leaf");
                    return;
                }
            }
            waiting.add(new Waiting(inner, root, inline));
        }

        private Bucket bucket(List<byte[]> path) throws IOException {
            Bucket bucket = transaction.root();
            for (byte[] name : path) {
                bucket = bucket.createBucketIfNotExists(name);
            }
            return bucket;
        }

        private void put(List<byte[]> path, byte[] key, byte[] value) throws IOException {
            if (key.length == 0 || key.length > StorageEngine.MAX_KEY_LENGTH) {
                problems.add("key of an impossible length: length=" + key.length);
                return;
            }
            bucket(path).put(key, value, StorageEngine.MAX_KEY_LENGTH);
            keys++;
            bytes += key.length + (long) value.length;
            if (++puts == PUTS_EACH_COMMIT) {
                puts = 0;
                transaction.commit();
                transaction = database.beginWrite();
            }
        }
    }
}
