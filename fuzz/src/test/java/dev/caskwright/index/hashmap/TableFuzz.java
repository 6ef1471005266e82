package dev.caskwright.index.hashmap;

import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.fuzz.Allocated;
import dev.caskwright.fuzz.FuzzedSource;
import dev.caskwright.fuzz.Sample;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;

/** One table of an image of the hash index. An image has 256 or more, which all are read alike. */
public final class TableFuzz {
    private static final byte[] BUFFER = new byte[1 << 16];
    private static final byte[] NEW_KEY = {1, 2, 3};
    private static final long NEW_LOCATOR = 0x1234;

    private static final int SPLIT_CAPACITY = 12;
    private static final KeyIndexContext NO_CONTEXT =
            new KeyIndexContext(0, 0, 0, (key, offset, length, locator) -> false);
    private static final byte[][] KEYS = keysOfFirstSegment();

    private TableFuzz() {}

    /** The input is the table. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        Allocated.requireLittle(() -> read(input));
    }

    private static void read(byte[] input) throws IOException {
        FuzzedSource source = new FuzzedSource(input, 0);
        Table table;
        try {
            table = Table.readFrom(source, BUFFER);
        } catch (EOFException e) {
            return;
        }
        if (table == null || table == Table.NONE) {
            return;
        }
        require(table.memoryBytes() < 2L * input.length + 256, "more memory than bytes", table.memoryBytes());
        checkKeys(table, table.live());
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        table.snapshot().writeTo(written::write, BUFFER);
        require(
                Arrays.equals(written.toByteArray(), 0, written.size(), input, 0, source.position()),
                "written other than it was read",
                written.size());
        use(table);
        if (Sample.has(input)) {
            useIndex(Arrays.copyOf(input, source.position()));
        }
    }

    /** Puts keys into an index whose first segment has the table, until that is split; most of its keys belong elsewhere. */
    private static void useIndex(byte[] table) throws IOException {
        byte[] image = image(table);
        try (HashKeyIndex index = new HashKeyIndex(NO_CONTEXT, SPLIT_CAPACITY)) {
            require(index.load(new FuzzedImage(image), (other, wanted, cause) -> {}), "a table refused", table.length);
            for (byte[] key : KEYS) {
                index.put(key, 0, key.length, NEW_LOCATOR);
                require(index.get(key, 0, key.length) == NEW_LOCATOR, "put and not found", index.size());
            }
        }
    }

    private static byte[] image(byte[] table) throws IOException {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        try (HashKeyIndex empty = new HashKeyIndex(NO_CONTEXT)) {
            empty.save(image::write);
        }
        byte[] other = image.toByteArray();
        int first =
                Long.BYTES + 2 * Integer.BYTES; // the seed, the count of segments, and that of the first one's tables
        int second = first + 2 * Integer.BYTES + 2 * Long.BYTES; // a table of one slot and no keys
        image.reset();
        image.write(other, 0, first);
        image.writeBytes(table);
        image.write(other, second, other.length - second);
        return image.toByteArray();
    }

    private static byte[][] keysOfFirstSegment() {
        KeyHash hash = new KeyHash(NO_CONTEXT.seed());
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> ByteBuffer.allocate(Integer.BYTES).putInt(i).array())
                .filter(key -> hash.hash(key, 0, key.length) >>> (Long.SIZE - Byte.SIZE) == 0)
                .limit(3 * SPLIT_CAPACITY)
                .toArray(byte[][]::new);
    }

    /** An image of these bytes. */
    private record FuzzedImage(byte[] bytes) implements PersistentKeyIndex.Image {
        @Override
        public long length() {
            return bytes.length;
        }

        @Override
        public PersistentKeyIndex.ImageSource source(long from, long length) {
            return new FuzzedSource(bytes, (int) from);
        }

        @Override
        public void close() {}
    }

    private static void checkKeys(Table table, int expected) {
        int[] keys = new int[1];
        table.visit((tag, bytes, offset, length, locator) -> {
            require(offset >= 0 && length >= 0 && offset + length <= table.keyBytesUsed(), "a key elsewhere", offset);
            require(locator != 0, "a key without a locator", tag);
            table.candidate(tag);
            table.touchKey(tag);
            table.get(tag, bytes, offset, length);
            keys[0]++;
        });
        require(keys[0] == expected, "other than so many keys", keys[0]);
    }

    /** Changes the table, as a writer does that finds it in an index. */
    private static void use(Table table) {
        int tag = table.capacity() * 0x9E3779B9;
        if (table.find(tag, NEW_KEY, 0, NEW_KEY.length) == Table.NOT_FOUND) {
            Table larger = table.copy(table.capacity() + 2, Table.encodedLength(NEW_KEY.length));
            checkKeys(larger, table.live());
            larger.ensureKeyBytes(NEW_KEY.length);
            larger.insert(tag, NEW_KEY, 0, NEW_KEY.length, NEW_LOCATOR);
            require(larger.get(tag, NEW_KEY, 0, NEW_KEY.length) == NEW_LOCATOR, "put and not found", tag);
            larger.remove(larger.find(tag, NEW_KEY, 0, NEW_KEY.length));
            checkKeys(larger, table.live());
        }
    }

    private static void require(boolean isSound, String what, long found) {
        if (!isSound) {
            throw new AssertionError(what + ": " + found);
        }
    }
}
