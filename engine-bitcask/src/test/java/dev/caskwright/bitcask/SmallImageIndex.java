package dev.caskwright.bitcask;

import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** A plain index whose images are as short as its keys, and that lets something happen in the middle of a save. */
public class SmallImageIndex implements PersistentKeyIndex {
    /** What happens between two keys of an image. */
    @FunctionalInterface
    public interface Meanwhile {
        void happen() throws IOException;
    }

    private final ConcurrentSkipListMap<byte[], Long> locators = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
    private final Meanwhile meanwhile;

    /** Makes an empty index. */
    public SmallImageIndex(Meanwhile meanwhile) {
        this.meanwhile = meanwhile;
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        return locators.getOrDefault(slice(key, offset, length), ABSENT);
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) {
        return orAbsent(locators.put(slice(key, offset, length), locator));
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) {
        return orAbsent(locators.putIfAbsent(slice(key, offset, length), locator));
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        return locators.replace(slice(key, offset, length), expected, locator);
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) {
        return locators.remove(slice(key, offset, length), expected);
    }

    @Override
    public long size() {
        return locators.size();
    }

    @Override
    public long memoryBytes() {
        return 24L * locators.size();
    }

    @Override
    public String imageFormat() {
        return "small-1";
    }

    @Override
    public void save(ImageSink sink) throws IOException {
        for (Map.Entry<byte[], Long> entry : locators.entrySet()) {
            byte[] key = entry.getKey();
            ByteBuffer bytes = ByteBuffer.allocate(Short.BYTES + key.length + Long.BYTES);
            // The value is taken now, and what happens next may change it or the keys to come.
            bytes.putShort((short) key.length).put(key).putLong(locators.getOrDefault(key, entry.getValue()));
            sink.write(bytes.array(), 0, bytes.capacity());
            meanwhile.happen();
        }
    }

    @Override
    public boolean load(Image image, Refill refill) throws IOException {
        boolean isLoaded = false;
        try (image;
                ImageSource source = image.source(0, image.length())) {
            while (source.remaining() > 0) {
                int length = Short.toUnsignedInt(read(source, Short.BYTES).getShort());
                byte[] key = read(source, length).array();
                locators.put(key, read(source, Long.BYTES).getLong());
            }
            isLoaded = true;
            return true;
        } catch (EOFException e) {
            return false;
        } finally {
            if (!isLoaded) {
                locators.clear();
            }
        }
    }

    private static ByteBuffer read(ImageSource source, int length) throws IOException {
        byte[] bytes = new byte[length];
        source.read(bytes, 0, length);
        return ByteBuffer.wrap(bytes);
    }

    @Override
    public void close() throws IOException {
        locators.clear();
    }

    private static byte[] slice(byte[] key, int offset, int length) {
        return Arrays.copyOfRange(key, offset, offset + length);
    }

    private static long orAbsent(@Nullable Long locator) {
        return locator == null ? ABSENT : locator;
    }
}
