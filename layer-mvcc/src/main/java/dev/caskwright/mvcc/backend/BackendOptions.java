package dev.caskwright.mvcc.backend;

import java.time.Duration;

/**
 * When a {@link BatchedBackend} commits. Immutable.
 *
 * @param commitChanges after how many changes a commit begins, at least 1; 10,000 by default
 * @param commitBytes after how many bytes of keys and values a commit begins, at least 1; 64 MiB by default, or a sixteenth of the
 *     greatest heap if that is less, since three times as much may be gathered, and the events of watches besides
 * @param commitInterval after what time a commit begins at the latest; 100 ms by default
 */
public record BackendOptions(long commitChanges, long commitBytes, Duration commitInterval) {
    /** What etcd does by default. */
    public static final BackendOptions DEFAULT = new BackendOptions(
            10_000, Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 16), Duration.ofMillis(100));

    /** Checks what is given. */
    public BackendOptions {
        if (commitChanges < 1 || commitBytes < 1 || commitInterval.isNegative()) {
            throw new IllegalArgumentException(
                    "a commit begins after at least one change, one byte and no time: changes=" + commitChanges
                            + ", bytes=" + commitBytes + ", interval=" + commitInterval);
        }
    }
}
