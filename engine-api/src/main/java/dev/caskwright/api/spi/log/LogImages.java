package dev.caskwright.api.spi.log;

import org.jspecify.annotations.Nullable;

/** The images of the key index that a log keeps, so that an opening need not read what they cover. */
public interface LogImages {
    /**
     * Starts an image. Called under the engine's write lock.
     *
     * @param format of the index's bytes, see {@link dev.caskwright.api.spi.index.PersistentKeyIndex#imageFormat}
     * @return null if the image that the log has is of this moment, or if there may be none now
     */
    @Nullable ImageOutput begin(String format);

    /** Returns how many bytes of the log an opening would have to replay now, because no image covers them. */
    long bytesWithout();
}
