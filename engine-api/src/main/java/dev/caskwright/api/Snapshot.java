package dev.caskwright.api;

/**
 * The store as it was at one moment, whatever is written, deleted, expired or merged since. Opening one costs the same
 * whatever the size of the store; while it is open, memory grows with the number of keys changed since, and files that
 * it may need stay on disk ({@link SpaceStats#pinnedBytes()}).
 *
 * <p>Safe for any number of threads. The caller closes it; closing it twice is fine. Closing the engine closes it.
 * One that was dropped and never closed is closed, with a warning in the log, once the garbage collector has found it: by the
 * next snapshot, statistics, merge or sealed file.
 */
public interface Snapshot extends ReadView, AutoCloseable {
    /** Returns the version of the last write that the snapshot shows. */
    long version();

    @Override
    void close();
}
