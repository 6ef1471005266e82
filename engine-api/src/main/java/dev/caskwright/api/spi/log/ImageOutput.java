package dev.caskwright.api.spi.log;

import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/**
 * An image of the key index that is being written. It counts once it is committed. For one thread.
 *
 * <p>Writers may go on meanwhile, so the index's bytes may say of a key that changes what it was at any moment between the
 * making of this output and {@link #end}. The log notes both moments. Merges must not be committed in between, nor before
 * {@link #commit} returns.
 */
public interface ImageOutput extends PersistentKeyIndex.ImageSink, Closeable {
    /**
     * Notes how the log is now, after the last of the index's bytes was written: where it ends, and how much of each
     * segment is live. Called under the engine's write lock, after which the caller syncs the log up to there.
     *
     * @param segments the segments that the store consists of
     */
    void end(List<LogSegment> segments);

    /**
     * Makes the image durable and lets it take the place of the one before. The log is durable up to where the image
     * ends.
     *
     * @throws dev.caskwright.api.OutOfSpaceException if there is no space; the image before stays
     */
    void commit() throws IOException;

    /** Gives back what an image takes that was not committed. */
    @Override
    void close() throws IOException;
}
