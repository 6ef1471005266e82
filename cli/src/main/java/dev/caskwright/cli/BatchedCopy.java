package dev.caskwright.cli;

import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.Instant;

/** Writes entries to a new store in batches of bounded size, and sums them up. For one thread. */
final class BatchedCopy {
    private static final int BATCH_ENTRIES = 1_000;
    private static final int BATCH_BYTES = 4 << 20;

    private final StorageEngine target;
    private final Progress progress;
    private final EntryDigest digest = new EntryDigest();
    private final WriteBatch batch = new WriteBatch();
    private long bytes;

    BatchedCopy(StorageEngine target, Progress progress) {
        this.target = target;
        this.progress = progress;
    }

    void put(byte[] key, byte[] value, long expiresAtMillis) throws IOException {
        WriteOptions options = expiresAtMillis == Entry.NEVER
                ? WriteOptions.DEFAULT
                : WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(expiresAtMillis));
        batch.put(key, value, options);
        digest.add(key, value, expiresAtMillis);
        bytes += key.length + (long) value.length;
        progress.step();
        if (batch.size() == BATCH_ENTRIES || bytes > BATCH_BYTES) {
            target.write(batch);
            batch.clear();
            bytes = 0;
        }
    }

    /** Writes and forces what is left, and returns the digest of all that was put. */
    EntryDigest finish() throws IOException {
        target.write(batch);
        target.sync();
        progress.finish();
        return digest;
    }
}
