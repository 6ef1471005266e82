package dev.caskwright.examples.embedding;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.bolt.BoltCursor;
import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.Bucket;
import java.io.IOException;
import java.nio.file.Path;

/** One file of buckets with transactions, which bbolt and etcd read and write as well. */
public final class WithBolt {
    private WithBolt() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException {
        byte[] casks = "casks".getBytes(UTF_8);
        try (BoltDatabase database = BoltDatabase.open(Path.of(arguments[0], "casks.db"))) {
            database.update(
                    transaction -> { // all of it or nothing; durable when it returns
                        Bucket bucket = transaction.createBucketIfNotExists(casks);
                        bucket.put("oak".getBytes(UTF_8), "1998".getBytes(UTF_8));
                        bucket.put("ash".getBytes(UTF_8), "2004".getBytes(UTF_8));
                    });
            database.view(
                    transaction -> { // one moment, whatever others write meanwhile
                        BoltCursor cursor = transaction.bucket(casks).cursor();
                        for (boolean isThere = cursor.first(); isThere; isThere = cursor.next()) {
                            System.out.println(
                                    new String(cursor.key(), UTF_8) + " " + new String(cursor.value(), UTF_8));
                        }
                    });
        }
    }
}
