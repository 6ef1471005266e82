package dev.caskwright.api;

/**
 * The memory that an open store keeps between calls, part by part. What a call takes while it runs, and gives back, is not in
 * it.
 *
 * @param indexBytes what the key index holds, on heap and off
 * @param snapshotBytes what was saved of keys that changed under open snapshots
 * @param bufferBytes buffers of readers, writers and batches that lie idle
 * @param logBytes what the log holds of its files, hints not yet written above all
 */
public record MemoryStats(long indexBytes, long snapshotBytes, long bufferBytes, long logBytes) {
    static final MemoryStats NONE = new MemoryStats(0, 0, 0, 0);

    /** Returns the sum of the parts. */
    public long totalBytes() {
        return indexBytes + snapshotBytes + bufferBytes + logBytes;
    }
}
