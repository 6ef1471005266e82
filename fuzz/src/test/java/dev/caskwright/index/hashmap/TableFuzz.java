package dev.caskwright.index.hashmap;

import dev.caskwright.fuzz.Allocated;
import dev.caskwright.fuzz.FuzzedSource;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;

/** One table of an image of the hash index. An image has 256 or more, which all are read alike. */
public final class TableFuzz {
    private static final byte[] BUFFER = new byte[1 << 16];
    private static final byte[] NEW_KEY = {1, 2, 3};
    private static final long NEW_LOCATOR = 0x1234;

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
