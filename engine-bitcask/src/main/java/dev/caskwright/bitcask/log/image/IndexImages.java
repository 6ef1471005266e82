package dev.caskwright.bitcask.log.image;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.ImageOutput;
import dev.caskwright.api.spi.log.LogImages;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.FileNumbers;
import dev.caskwright.bitcask.log.file.FileSlots;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.file.Unneeded;
import dev.caskwright.bitcask.log.keys.FileKey;
import dev.caskwright.bitcask.log.keys.KeyRing;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images of the key index that a log has: which one counts, how much it covers, and whether there may be a new one. */
public final class IndexImages implements LogImages {
    /** How far the log has come. Under the write lock. */
    public interface Appended {
        long position();

        /** Returns the bytes written since the log was opened. */
        long writtenBytes();
    }

    private final IoManager io;
    private final RecordLogOptions options;
    private final KeyRing keys;
    private final Manifest manifest;
    private final FileSlots slots;
    private final FileNumbers numbers;
    private final Unneeded unneeded;
    private final Appended appended;

    /** How much of the written bytes the image covers. Negative if it does not even cover what was there before. */
    private volatile long coveredBytes;

    private volatile boolean areCachesDistrusted;
    private @Nullable String name; // of the last image, be it still current or not; of one thread at a time

    public IndexImages(
            IoManager io,
            RecordLogOptions options,
            KeyRing keys,
            Manifest manifest,
            FileSlots slots,
            FileNumbers numbers,
            Unneeded unneeded,
            Appended appended) {
        this.io = io;
        this.options = options;
        this.keys = keys;
        this.manifest = manifest;
        this.slots = slots;
        this.numbers = numbers;
        this.unneeded = unneeded;
        this.appended = appended;
    }

    /** Takes up the image that the index was filled from. */
    public void start(String imageName, long bytesAfterIt) {
        name = imageName;
        coveredBytes = -bytesAfterIt;
    }

    @Override
    public @Nullable ImageOutput begin(String format) {
        if (areCachesDistrusted || (manifest.image() != null && coveredBytes == appended.writtenBytes())) {
            return null;
        }
        FileKey key;
        try {
            key = keys.own();
        } catch (IOException e) {
            logger().warn("no image of the key index is saved: {}", e.getMessage());
            return null;
        }
        if (key == null && slots.inOrder().stream().anyMatch(file -> file.key() != null)) {
            return null; // it would tell, without encryption, the keys of records that have it
        }
        long number;
        try {
            number = numbers.take(1);
        } catch (OutOfSpaceException e) {
            logger().warn("no image of the key index is saved: {}", e.getMessage());
            return null;
        }
        Manifest.Image image = new Manifest.Image(number, options.random().getAsLong(), 0);
        return new ImageWriter(this, io, manifest, appended, image, format, key);
    }

    /** Lets an image count from now on. */
    void publish(Manifest.Image image, long newCoveredBytes) throws IOException {
        try {
            manifest.publish(image);
        } catch (OutOfSpaceException e) {
            throw e;
        } catch (IOException e) {
            // Nothing more can be listed in the manifest now.
            options.onFailure().accept(e);
            throw e;
        }
        coveredBytes = newCoveredBytes;
    }

    /** Removes the image before this one, which the manifest does not name any more. */
    void removeOld(String current) {
        String old = name;
        name = current;
        if (old != null) {
            unneeded.delete(old);
        }
    }

    /** Deletes the image, and saves none from here on. */
    public void distrust() {
        areCachesDistrusted = true;
        Manifest.Image image = manifest.image();
        if (image != null) {
            unneeded.delete(image.name());
        }
    }

    /** Deletes the image to make room: the index was loaded from it before anything was written. Returns whether it did. */
    public boolean giveUp() throws IOException {
        Manifest.Image image = manifest.image();
        if (image == null || !io.list().contains(image.name()) || !Unneeded.isDeleted(io, image.name())) {
            return false;
        }
        coveredBytes = -bytesOfFiles(); // as if it covered nothing, so that another one is saved when there is room
        return true;
    }

    @Override
    public long bytesWithout() {
        return manifest.image() == null ? bytesOfFiles() : appended.writtenBytes() - coveredBytes;
    }

    private long bytesOfFiles() {
        long bytes = 0;
        for (DataFile file : slots.inOrder()) {
            bytes += file.length();
        }
        return bytes;
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(IndexImages.class);
    }
}
