package dev.caskwright.bitcask.log;

import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What a log is opened with.
 *
 * @param maxFileBytes at which length, in bytes, writers go on to a new file; a longer record gets a file of its own
 * @param readOnly whether nothing may be changed on disk
 * @param createIfMissing whether a directory without a store becomes one
 * @param newStoreId the random number for a store that is made new
 * @param maintenance runs sealing in the background
 * @param onSealed learns that a file was sealed
 * @param onFailure learns of a failure after which nothing may be written any more
 */
public record LogOptions(
        long maxFileBytes,
        boolean readOnly,
        boolean createIfMissing,
        Supplier<long[]> newStoreId,
        Executor maintenance,
        Runnable onSealed,
        Consumer<Throwable> onFailure) {}
