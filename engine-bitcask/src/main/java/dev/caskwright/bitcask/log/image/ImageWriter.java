package dev.caskwright.bitcask.log.image;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.ImageOutput;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.BlockSums;
import dev.caskwright.bitcask.log.keys.FileKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes an image of the key index. It has a number of its own, and counts once the manifest names it; a crash before that
 * leaves a file that the next opening removes.
 */
final class ImageWriter implements ImageOutput {
    private static final long LONG = 1L << 30;

    private final IndexImages images;
    private final IndexImages.Appended appended;
    private final IoManager io;
    private final Manifest manifest;
    private final Manifest.Image image;
    private final long from;
    private final String format;
    private final @Nullable FileKey key;
    private final BlockSums sums = new BlockSums();
    private final byte[] block = new byte[Block.HEADER_LENGTH + ImageFile.BLOCK_LENGTH];
    private int filled;
    private long written;
    private long offset = ImageFile.HEADER_LENGTH;
    private long writtenToLog;
    private ImageFile.@Nullable Table table;
    private @Nullable WritableFile file;
    private boolean isOnDisk;
    private boolean isCommitted;

    /**
     * Under the write lock. Touches no file yet.
     *
     * @param key encrypts the image; null if it is not to be encrypted
     */
    ImageWriter(
            IndexImages images,
            IoManager io,
            Manifest manifest,
            IndexImages.Appended appended,
            Manifest.Image image,
            String format,
            @Nullable FileKey key) {
        this.images = images;
        this.appended = appended;
        this.io = io;
        this.manifest = manifest;
        this.image = image;
        this.from = appended.position();
        this.format = format;
        this.key = key;
    }

    @Override
    public void write(byte[] source, int sourceOffset, int length) throws IOException {
        for (int done = 0; done < length; ) {
            int count = Math.min(length - done, ImageFile.BLOCK_LENGTH - filled);
            System.arraycopy(source, sourceOffset + done, block, Block.HEADER_LENGTH + filled, count);
            done += count;
            filled += count;
            if (filled == ImageFile.BLOCK_LENGTH) {
                flush();
            }
        }
    }

    private void flush() throws IOException {
        if (filled > 0) {
            writeBlockOfIndex();
            written += filled;
            filled = 0;
        }
    }

    private void writeBlockOfIndex() throws IOException {
        FileKey encrypting = key;
        if (encrypting == null) {
            writeBlock(block, filled);
            return;
        }
        byte[] encrypted = new byte[Block.HEADER_LENGTH + filled + FileKey.BLOCK_OVERHEAD];
        byte[] context = ImageFile.context(image, offset);
        encrypting.encryptBlock(block, Block.HEADER_LENGTH, filled, encrypted, Block.HEADER_LENGTH, context);
        writeBlock(encrypted, encrypted.length - Block.HEADER_LENGTH);
    }

    private void writeBlock(byte[] bytes, int length) throws IOException {
        WritableFile target = file();
        Block.seal(bytes, length, ImageFile.mask(manifest.store(), image, offset));
        target.write(offset, bytes, 0, Block.HEADER_LENGTH + length);
        sums.add(Block.checksum(bytes));
        offset += Block.HEADER_LENGTH + length;
    }

    /** Makes the file, whose header is no header before everything else is there. */
    private WritableFile file() throws IOException {
        WritableFile target = file;
        if (target == null) {
            // Whether it will be long is known when the first block is full.
            target = io.createSequential(
                    image.name(), filled == ImageFile.BLOCK_LENGTH ? LONG : ImageFile.HEADER_LENGTH + filled);
            isOnDisk = true;
            file = target;
            target.write(0, new byte[ImageFile.HEADER_LENGTH], 0, ImageFile.HEADER_LENGTH);
        }
        return target;
    }

    @Override
    public void end(List<LogSegment> segments) {
        List<ImageFile.Known> files = new ArrayList<>();
        for (LogSegment each : segments) {
            // One without records may be missing after a crash, and no locator names it.
            if (each.length() > ((DataFile) each).start()) {
                files.add(new ImageFile.Known(each.id(), each.slot(), each.length(), each.liveBytes()));
            }
        }
        writtenToLog = appended.writtenBytes();
        table = new ImageFile.Table(from, appended.position(), written + filled, files, format);
    }

    @Override
    public void commit() throws IOException {
        ImageFile.Table ended = table;
        if (ended == null) {
            throw new IllegalStateException("the image has not ended");
        }
        flush();
        long tableAt = offset;
        byte[] last = ImageFile.encodeTable(ended, sums.toArray());
        if (key != null) {
            last = ImageFile.withKey(last, image, tableAt, key);
        }
        int length = last.length - Block.HEADER_LENGTH;
        writeBlock(last, length);
        byte[] header = ImageFile.encodeHeader(manifest.store(), image, tableAt, length, key != null);
        try (WritableFile target = file()) {
            target.write(0, header, 0, header.length);
            // So that the image is still there after a power loss. Nothing relies on it: bytes that were lost do not
            // pass
            // for sound, and without an image the hint files are read.
            target.force();
        } finally {
            file = null;
        }
        images.publish(image.withSum(BlockSums.sum(header, last)), writtenToLog);
        isCommitted = true;
        images.removeOld(image.name());
    }

    @Override
    public void close() throws IOException {
        if (isCommitted) {
            return;
        }
        WritableFile target = file;
        file = null;
        if (target != null) {
            target.close();
        }
        if (isOnDisk) {
            isOnDisk = false;
            io.delete(image.name());
        }
    }
}
