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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A file of bolt, bbolt or etcd, by our own engine. The part is a bucket, after those that it is in, with a slash between them.
 * The whole file is checked first, and what the check finds is told as damage.
 */
public final class BoltFormat implements ForeignFormat {
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
        try (BoltDatabase database = BoltDatabase.builder(source).readOnly(true).open()) {
            CheckReport report = database.check();
            for (String problem : report.problems()) {
                receiver.damage(source, Receiver.SOMEWHERE, problem);
            }
            database.view(transaction -> {
                try {
                    Map<String, Bucket> buckets = new LinkedHashMap<>();
                    collect(transaction.root(), "", buckets);
                    String chosen = Parts.choose(options, buckets.keySet(), "bucket");
                    tell(Objects.requireNonNull(buckets.get(chosen)), receiver);
                } catch (CorruptRecordException e) {
                    receiver.damage(source, Receiver.SOMEWHERE, "the rest is left out, " + e.getMessage());
                }
            });
        }
    }

    private static void collect(Bucket parent, String path, Map<String, Bucket> found) throws IOException {
        BoltCursor cursor = parent.cursor();
        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
            if (cursor.isBucket()) {
                Bucket bucket = parent.bucket(cursor.key());
                String name = path + new String(cursor.key(), StandardCharsets.UTF_8);
                if (bucket != null) {
                    found.put(name, bucket);
                    collect(bucket, name + "/", found);
                }
            }
        }
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
