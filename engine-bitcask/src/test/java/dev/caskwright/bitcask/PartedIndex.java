package dev.caskwright.bitcask;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A plain index that loads its image in parts, each when it is needed first. A part can be made to be damaged. */
final class PartedIndex implements PersistentKeyIndex {
    static final int PARTS = 4;

    /** What the next loading of a part meets, once. */
    final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /** What happens when a part is loaded, before it is. */
    Runnable loading = () -> {};

    private final SmallImageIndex[] parts = new SmallImageIndex[PARTS];
    private final boolean[] isLeft = new boolean[PARTS];
    /** What happens between two keys of an image that is saved. */
    SmallImageIndex.Meanwhile meanwhile = () -> {};

    private final int damaged;
    private @Nullable Refill refill;
    private @Nullable Completion completion;

    PartedIndex() {
        this(-1);
    }

    /** Makes an index that finds this part of its image damaged. */
    PartedIndex(int damaged) {
        this.damaged = damaged;
        for (int i = 0; i < PARTS; i++) {
            parts[i] = new SmallImageIndex(() -> meanwhile.happen());
        }
    }

    /** Returns whether the part of a key is loaded. */
    synchronized boolean isLoaded(byte[] key) {
        return !isLeft[partOf(key, 0, key.length)];
    }

    private synchronized SmallImageIndex part(byte[] key, int offset, int length) throws IOException {
        return loaded(partOf(key, offset, length));
    }

    private synchronized SmallImageIndex loaded(int part) throws IOException {
        if (isLeft[part]) {
            loading.run();
            Throwable planted = failure.getAndSet(null);
            if (planted instanceof IOException e) {
                throw e;
            } else if (planted instanceof RuntimeException e) {
                throw e;
            }
            Refill source = refill;
            if (part == damaged && source != null) {
                source.into(parts[part], (key, at, size) -> partOf(key, at, size) == part, new IOException("damaged"));
            }
            if (completion != null) {
                completion.complete(part, parts[part]);
            }
            isLeft[part] = false;
        }
        return parts[part];
    }

    @Override
    public boolean load(Image image, Refill source) throws IOException {
        try (image;
                ImageSource bytes = image.source(0, image.length())) {
            while (bytes.remaining() > 0) {
                byte[] key = read(bytes, read(bytes, Short.BYTES).getShort()).array();
                long locator = read(bytes, Long.BYTES).getLong();
                int part = partOf(key, 0, key.length);
                if (part != damaged) {
                    parts[part].put(key, 0, key.length, locator);
                }
            }
        }
        refill = source;
        Arrays.fill(isLeft, true);
        return true;
    }

    private static ByteBuffer read(ImageSource source, int length) throws IOException {
        byte[] bytes = new byte[length];
        source.read(bytes, 0, length);
        return ByteBuffer.wrap(bytes);
    }

    @Override
    public void save(ImageSink sink) throws IOException {
        for (int i = 0; i < PARTS; i++) {
            loaded(i).save(sink);
        }
    }

    @Override
    public String imageFormat() {
        return "parted-1";
    }

    @Override
    public boolean loadMore() throws IOException {
        for (int i = 0; i < PARTS; i++) {
            if (isLeft[i]) {
                loaded(i);
                return true;
            }
        }
        return false;
    }

    @Override
    public void ensureRoom(int keys) throws IOException {
        while (loadMore()) {
            // Each call loads a part.
        }
    }

    @Override
    public synchronized int partsLeft() {
        for (boolean each : isLeft) {
            if (each) {
                return PARTS;
            }
        }
        return 0;
    }

    @Override
    public int partOf(byte[] key, int offset, int length) {
        return (key[offset + length - 1] & 0xFF) % PARTS;
    }

    @Override
    public void completeParts(Completion with) {
        completion = with;
    }

    @Override
    public long get(byte[] key, int offset, int length) throws IOException {
        return part(key, offset, length).get(key, offset, length);
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) throws IOException {
        return part(key, offset, length).put(key, offset, length, locator);
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) throws IOException {
        return part(key, offset, length).putIfAbsent(key, offset, length, locator);
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) throws IOException {
        return part(key, offset, length).replace(key, offset, length, expected, locator);
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) throws IOException {
        return part(key, offset, length).remove(key, offset, length, expected);
    }

    @Override
    public long size() {
        long size = 0;
        for (KeyIndex part : parts) {
            size += part.size();
        }
        return size;
    }

    @Override
    public long memoryBytes() {
        return 24 * size();
    }

    @Override
    public void close() throws IOException {
        for (KeyIndex part : parts) {
            part.close();
        }
    }
}
