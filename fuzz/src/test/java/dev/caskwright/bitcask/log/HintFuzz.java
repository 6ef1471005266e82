package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.BloomFilter;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintFile;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** A hint file whose header and blocks have right checksums over what the fuzzer wants. */
public final class HintFuzz {
    private static final long ID = 1;
    private static final String NAME = FileNames.hint(ID);
    private static final long DATA_LENGTH = FuzzedStore.PLAIN.file(FileNames.data(ID)).length;

    private HintFuzz() {}

    /** The first four bytes are the length of the filter and the count of entries; then come blocks of up to 255 bytes. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        byte[] header = Arrays.copyOf(FuzzedStore.PLAIN.file(NAME), HintFile.HEADER_LENGTH);
        byte[] start = Arrays.copyOf(input, Math.max(4, input.length));
        RecordFormat.INT.set(header, 12, (int) (short) RecordFormat.SHORT.get(start, 0));
        RecordFormat.INT.set(header, 48, (int) (short) RecordFormat.SHORT.get(start, 2));
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(header);
        ByteArrayOutputStream sums = new ByteArrayOutputStream();
        int blocks = 0;
        for (int at = 4; at < start.length; blocks++) {
            int length = Math.min(Byte.toUnsignedInt(start[at]), start.length - at - 1);
            sums.write(append(file, Arrays.copyOfRange(start, at + 1, at + 1 + length)), 0, Integer.BYTES);
            at += 1 + length;
        }
        for (; blocks < 2; blocks++) {
            sums.writeBytes(new byte[Integer.BYTES]); // of expiries and filter, which are not there
        }
        append(file, sums.toByteArray());
        byte[] content = file.toByteArray();
        RecordFormat.INT.set(content, 44, blocks - 2);
        RecordFormat.INT.set(content, 60, FuzzedStore.checksum(content, 0, 60, 0));
        FuzzedStore.read(() -> read(content));
        FuzzedStore.PLAIN.use(NAME, content);
    }

    /** Appends a block with a right checksum, and returns it. */
    private static byte[] append(ByteArrayOutputStream file, byte[] content) {
        byte[] block = new byte[8 + content.length];
        System.arraycopy(content, 0, block, 8, content.length);
        RecordFormat.INT.set(block, 4, content.length);
        int mask = RecordFormat.mask(
                RecordFormat.fileSeed(~FuzzedStore.PLAIN.store().seed(), 1), file.size());
        RecordFormat.INT.set(block, 0, FuzzedStore.checksum(block, 4, 4 + content.length, mask));
        file.writeBytes(block);
        return block;
    }

    private static void read(byte[] file) throws IOException {
        CrashableIoManager directory = FuzzedStore.PLAIN.directoryWith(NAME, file);
        StoreId store = FuzzedStore.PLAIN.store();
        try (ReadableFile handle = directory.open(NAME)) { // nothing is read from the data file but its length
            DataFile data = new DataFile(ID, 0, false, store.seed(), handle, DATA_LENGTH);
            data.setHistory((long) RecordFormat.LONG.get(file, 52));
            data.setHintSum(FuzzedStore.hintSum(file));
            long[] visited = new long[1];
            boolean isWhole = HintFile.visit(directory, store, data, (kind, place, source, offset, length) -> {
                visited[0]++;
                FuzzedStore.require(kind == RecordFormat.PUT || kind == RecordFormat.DELETE, "unknown kind", kind);
                FuzzedStore.require(length > 0 && offset >= 0 && offset + length <= source.length, "no key", length);
                FuzzedStore.require(
                        Locator.slot(place) == 0
                                && Locator.offset(place) >= DataFile.HEADER_LENGTH
                                && Locator.offset(place) + Locator.size(place) * 511 / 512 <= DATA_LENGTH,
                        "an entry of no record",
                        place);
            });
            long entries = Integer.toUnsignedLong((int) RecordFormat.INT.get(file, 48));
            FuzzedStore.require(!isWhole || visited[0] == entries, "other than so many entries", visited[0]);
            BloomFilter filter = HintFile.filter(directory, store, data);
            if (filter != null) {
                FuzzedStore.require(filter.size() <= file.length, "a filter longer than its file", filter.size());
                filter.mayContain(file, 0, HintFile.HEADER_LENGTH);
            }
        }
    }
}
