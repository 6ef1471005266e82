package dev.caskwright.bolt;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Writes all buckets of a state into an empty database, in the order of their keys, into full pages. */
final class CompactCopy {
    private static final double FULL = 1.0;
    private static final int BYTES_EACH_COMMIT = 8 << 20;
    private static final int PAGES_EACH_COMMIT = 1_000;

    private final BoltTransaction source;
    private final BoltDatabase target;
    private BoltTransaction transaction;
    private long pending;

    private CompactCopy(BoltTransaction source, BoltDatabase target) throws IOException {
        this.source = source;
        this.target = target;
        this.transaction = target.beginWrite();
    }

    static void copy(BoltTransaction source, BoltDatabase target) throws IOException {
        CompactCopy copy = new CompactCopy(source, target);
        try {
            copy.run();
        } finally {
            copy.transaction.close();
        }
        target.compact(PAGES_EACH_COMMIT); // what the commits in between left
    }

    private void run() throws IOException {
        Deque<List<byte[]>> waiting = new ArrayDeque<>(); // not a recursion: buckets may be nested to any depth
        waiting.add(List.of());
        for (List<byte[]> path; (path = waiting.poll()) != null; ) {
            copyBucket(path, waiting);
        }
        transaction.commit();
    }

    private void copyBucket(List<byte[]> path, Deque<List<byte[]>> waiting) throws IOException {
        Bucket from = source.root();
        for (byte[] name : path) {
            Bucket inner = from.bucket(name);
            if (inner == null) {
                throw new IllegalStateException("a bucket of the state is gone");
            }
            from = inner;
        }
        Bucket to = targetBucket(path);
        if (from.sequence() != 0) {
            to.setSequence(from.sequence());
        }
        BoltCursor cursor = from.cursor();
        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
            byte[] key = cursor.key();
            byte[] value = cursor.value();
            if (value == null) {
                List<byte[]> inner = new ArrayList<>(path);
                inner.add(key);
                waiting.add(inner);
                to.createBucket(key);
            } else {
                to.put(key, value, Integer.MAX_VALUE);
            }
            pending += key.length + (value == null ? 0 : value.length);
            if (pending > BYTES_EACH_COMMIT) {
                transaction.commit();
                transaction = target.beginWrite();
                pending = 0;
                to = targetBucket(path);
            }
        }
    }

    private Bucket targetBucket(List<byte[]> path) throws IOException {
        Bucket bucket = transaction.root();
        for (byte[] name : path) {
            bucket = bucket.createBucketIfNotExists(name);
        }
        bucket.setFillPercent(FULL);
        return bucket;
    }
}
