package dev.caskwright.importer.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bolt.BoltCursor;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.Bucket;
import dev.caskwright.bolt.CheckReport;
import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.Parts;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A file of bolt, bbolt or etcd, by our own engine. The part is a bucket, after those that it is in, with a slash between them.
 * The whole file is checked first, and what the check finds is told as damage.
 */
public final class BoltFormat implements ForeignFormat {
    /** What a bucket takes in the page that names it: the place of its key, a key of one byte, where it begins and its sequence. */
    private static final int LEAST_BUCKET_BYTES = 16 + 1 + 16;

    /** Called by {@link java.util.ServiceLoader}. */
    public BoltFormat() {}

    @Override
    public String name() {
        return "bolt";
    }

    @Override
    public String description() {
        return "a file of bolt or bbolt";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        if (!Files.exists(source)) {
            throw new NoSuchFileException(source.toString());
        }
        if (!Files.isRegularFile(source)) {
            throw new IOException("not a regular file: " + source);
        }
        try (BoltDatabase database = BoltDatabase.builder(source).readOnly(true).open()) {
            CheckReport report = database.check();
            for (String problem : report.problems()) {
                receiver.damage(source, Receiver.SOMEWHERE, problem);
            }
            database.view(transaction -> {
                try {
                    Map<String, Bucket> buckets = buckets(source, transaction.root(), receiver);
                    String chosen = Parts.choose(options, buckets.keySet(), "bucket");
                    tell(Objects.requireNonNull(buckets.get(chosen)), receiver);
                } catch (CorruptRecordException e) {
                    receiver.damage(source, Receiver.SOMEWHERE, "the rest is left out, " + e.getMessage());
                }
            });
        }
    }

    /**
     * Returns the buckets that there are, by their paths. In a damaged file buckets may lead to each other, or many to one: no more are
     * listed than a file of that length can hold, and that is told.
     */
    private static Map<String, Bucket> buckets(Path source, Bucket root, Receiver receiver) throws IOException {
        Map<String, Bucket> found = new TreeMap<>();
        Deque<Map.Entry<String, Bucket>> waiting = new ArrayDeque<>(); // no recursion: they may be nested to any depth
        waiting.add(Map.entry("", root));
        long most = Files.size(source) / LEAST_BUCKET_BYTES;
        for (Map.Entry<String, Bucket> parent; (parent = waiting.poll()) != null; ) {
            BoltCursor cursor = parent.getValue().cursor();
            for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                Bucket bucket = cursor.isBucket() ? parent.getValue().bucket(cursor.key()) : null;
                if (bucket == null) {
                    continue;
                }
                if (found.size() >= most) {
                    receiver.damage(
                            source, Receiver.SOMEWHERE, "buckets are within each other, the rest is not listed");
                    return found;
                }
                // A slash within a name is written as other bytes that are no text are.
                String path = parent.getKey() + Parts.name(cursor.key()).replace("/", "\\x2f");
                found.put(path, bucket);
                waiting.add(Map.entry(path + "/", bucket));
            }
        }
        return found;
    }

    private static void tell(Bucket bucket, Receiver receiver) throws IOException {
        long buckets = 0;
        BoltCursor cursor = bucket.cursor();
        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
            byte[] value = cursor.value();
            if (value == null) {
                buckets++;
            } else {
                receiver.entry(cursor.key(), value, Receiver.NEVER);
            }
        }
        if (buckets > 0) {
            receiver.skipped("buckets within the bucket", buckets);
        }
    }
}
