package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.BlockSums;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.image.ImageFile;
import dev.caskwright.bitcask.log.keys.KeyRing;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * An image of a key index, of those that have images, whose header, blocks and table have right checksums over what the
 * fuzzer wants. An image has a thousand segments, so the fuzzer says what to change in one that the index wrote.
 */
public final class ImageFuzz {
    private static final List<Original> ORIGINALS = List.of(new Original("hashmap"), new Original("compact"));
    private static final int BYTES_NEAR = 24;
    private static final long NEW_LOCATOR = 0x1234;
    private static final PersistentKeyIndex.Refill NO_REFILL = (index, wanted, cause) -> {};

    private ImageFuzz() {}

    /** An image as its index wrote it, in its parts. */
    private static final class Original {
        final String index;
        final FuzzedStore store;
        final Manifest.Image image;
        final byte[] header;
        final byte[] content;
        final byte[] table;
        final int[] telling;

        Original(String index) {
            this.index = index;
            store = new FuzzedStore(
                    builder -> builder.index(Backends.keyIndex(index)).imageEveryBytes(1));
            image = Objects.requireNonNull(store.manifest().image(), "the store has no image");
            byte[] file = store.file(image.name());
            int tableAt = (int) (long) RecordFormat.LONG.get(file, 48);
            header = Arrays.copyOf(file, ImageFile.HEADER_LENGTH);
            content = Arrays.copyOfRange(file, ImageFile.HEADER_LENGTH + Block.HEADER_LENGTH, tableAt);
            // Without the checksum of its one block, which is made again.
            table = Arrays.copyOfRange(file, tableAt + Block.HEADER_LENGTH, file.length - Integer.BYTES);
            telling = IntStream.range(0, content.length).filter(this::isTelling).toArray();
        }

        /** Opens an empty index, which is told that only a new locator is the one of its key. */
        PersistentKeyIndex open() throws IOException {
            return (PersistentKeyIndex) Backends.keyIndex(index)
                    .open(new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> locator == NEW_LOCATOR));
        }

        /** Whether a place is near something else than an empty segment. */
        private boolean isTelling(int at) {
            return IntStream.range(Math.max(0, at - BYTES_NEAR), Math.min(content.length, at + BYTES_NEAR))
                    .anyMatch(near -> content[near] < 0 || content[near] > 1);
        }
    }

    /** The first byte chooses the index; then come changes: a byte that says what kind, where, and the bytes to put there. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
        Original original = ORIGINALS.get(in.hasRemaining() ? in.get() & 1 : 0);
        byte[] header = original.header.clone();
        byte[] content = original.content.clone();
        byte[] table = original.table.clone();
        boolean isTableChanged = false;
        while (in.remaining() > Byte.BYTES + Short.BYTES) {
            int kind = Byte.toUnsignedInt(in.get());
            int place = Short.toUnsignedInt(in.getShort());
            byte[] bytes = new byte[Math.min(in.remaining(), 1 + (kind >> 3 & 15))];
            in.get(bytes);
            switch (kind & 7) {
                case 0 -> content = cut(content, place, bytes.length);
                case 1 -> content = insert(content, place, bytes);
                case 2 -> change(header, place, bytes);
                case 3 -> {
                    change(table, place, bytes);
                    isTableChanged = true;
                }
                case 4 -> change(content, place, bytes);
                default -> change(content, original.telling[place % original.telling.length], bytes);
            }
        }
        if (!isTableChanged) {
            // Where the content ends is told by the table, which would give a cut away at once.
            RecordFormat.LONG.set(table, 16, (long) content.length);
        }
        byte[] file = file(original, header, content, table);
        FuzzedStore.read(() -> read(original, file));
        original.store.use(original.image.name(), file);
    }

    private static void read(Original original, byte[] file) throws IOException {
        CrashableIoManager directory = original.store.directoryWith(original.image.name(), file);
        ImageFile image = ImageFile.read(
                directory,
                original.store.store(),
                original.image.withSum(FuzzedStore.imageSum(file)),
                directory.list().size(),
                new KeyRing(null));
        if (image == null) {
            return;
        }
        FuzzedStore.require(image.table().files().size() < file.length, "more files than bytes", file.length);
        try (PersistentKeyIndex index = original.open()) {
            boolean isLoaded;
            try {
                isLoaded = image.load(directory, index, NO_REFILL);
            } catch (EOFException | ImageFile.DamagedImageException e) {
                isLoaded = false; // the log is all that is needed to fill it
            }
            FuzzedStore.require(isLoaded || index.size() == 0, "keys of an image that was refused", index.size());
            while (index.loadMore()) {
                // Each call loads a part.
            }
            FuzzedStore.require(index.size() >= 0 && index.size() <= file.length, "more keys than bytes", index.size());
            for (int i = 0; i < FuzzedStore.KEYS; i++) {
                byte[] key = KeyValues.key(i);
                index.get(key, 0, key.length);
                long before = index.put(key, 0, key.length, NEW_LOCATOR);
                FuzzedStore.require(index.get(key, 0, key.length) == NEW_LOCATOR, "put and not found after", before);
            }
        }
    }

    private static byte[] file(Original original, byte[] header, byte[] content, byte[] table) {
        StoreId store = original.store.store();
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(header);
        BlockSums sums = new BlockSums();
        for (int from = 0; from < content.length; from += ImageFile.BLOCK_LENGTH) {
            int length = Math.min(ImageFile.BLOCK_LENGTH, content.length - from);
            byte[] block = block(store, original.image, file.size(), content, from, length);
            sums.add(Block.checksum(block));
            file.writeBytes(block);
        }
        int tableAt = file.size();
        byte[] checksums = sums.encode();
        byte[] whole = Arrays.copyOf(table, table.length + checksums.length - Block.HEADER_LENGTH);
        System.arraycopy(checksums, Block.HEADER_LENGTH, whole, table.length, whole.length - table.length);
        file.writeBytes(block(store, original.image, tableAt, whole, 0, whole.length));
        byte[] bytes = file.toByteArray();
        if (Arrays.equals(header, 48, 60, original.header, 48, 60)) {
            RecordFormat.LONG.set(bytes, 48, (long) tableAt);
            RecordFormat.INT.set(bytes, 56, whole.length);
        }
        RecordFormat.INT.set(bytes, 60, FuzzedStore.checksum(bytes, 0, 60, 0));
        return bytes;
    }

    private static byte[] block(StoreId store, Manifest.Image image, long offset, byte[] source, int from, int length) {
        byte[] block = new byte[Block.HEADER_LENGTH + length];
        System.arraycopy(source, from, block, Block.HEADER_LENGTH, length);
        Block.seal(block, length, ImageFile.mask(store, image, offset));
        return block;
    }

    private static void change(byte[] target, int place, byte[] bytes) {
        for (int i = 0; i < bytes.length && target.length > 0; i++) {
            target[(place + i) % target.length] = bytes[i];
        }
    }

    private static byte[] cut(byte[] source, int place, int length) {
        int from = place % (source.length + 1);
        int to = Math.min(source.length, from + length);
        byte[] rest = Arrays.copyOf(source, source.length - (to - from));
        System.arraycopy(source, to, rest, from, source.length - to);
        return rest;
    }

    private static byte[] insert(byte[] source, int place, byte[] bytes) {
        int at = place % (source.length + 1);
        byte[] longer = Arrays.copyOf(source, source.length + bytes.length);
        System.arraycopy(source, at, longer, at + bytes.length, source.length - at);
        System.arraycopy(bytes, 0, longer, at, bytes.length);
        return longer;
    }
}
