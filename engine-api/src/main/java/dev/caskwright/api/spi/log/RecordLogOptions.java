package dev.caskwright.api.spi.log;

import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.codec.ValueCodec;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a log is opened with.
 *
 * @param maxSegmentBytes at which length, in bytes, writers go on to a new segment; a longer record or batch gets a segment
 *     of its own
 * @param readOnly whether nothing may be changed on disk
 * @param createIfMissing whether a directory without a store becomes one
 * @param random where the random id of a new store comes from
 * @param maintenance runs sealing in the background
 * @param awaitReaders returns when every reader that entered before has left; called before a file is closed
 * @param onSealed learns that segments were sealed
 * @param onFailure learns of a failure after which nothing may be written any more
 * @param codec what values are stored by that are written without naming a codec; null if they are stored as they are
 * @param recodesOnMerge whether a merge stores the values that it copies as if they were written now
 * @param encryption the keys that data is encrypted by; null if none is
 */
public record RecordLogOptions(
        long maxSegmentBytes,
        boolean readOnly,
        boolean createIfMissing,
        LongSupplier random,
        Executor maintenance,
        Runnable awaitReaders,
        Runnable onSealed,
        Consumer<Throwable> onFailure,
        @Nullable ValueCodec codec,
        boolean recodesOnMerge,
        @Nullable Encryption encryption) {
    /** Makes options without a codec and without encryption. */
    public RecordLogOptions(
            long maxSegmentBytes,
            boolean readOnly,
            boolean createIfMissing,
            LongSupplier random,
            Executor maintenance,
            Runnable awaitReaders,
            Runnable onSealed,
            Consumer<Throwable> onFailure) {
        this(
                maxSegmentBytes,
                readOnly,
                createIfMissing,
                random,
                maintenance,
                awaitReaders,
                onSealed,
                onFailure,
                null,
                false,
                null);
    }
}
