package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.ChronicleMapBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Chronicle Map persisted to a file, as its tutorial recommends: sized for the number of keys that will come, constant
 * key and value sizes, no previous values returned. The data lives in a shared mapping: a put survives kill -9 (the file
 * is then recovered at open, which reads it all; a mark of ours tells that it was closed), and nothing forces it to the disk; it has no SYNC.
 */
final class ChronicleMapStore implements KeyValueStore {
    private static final String FILE_NAME = "store.chronicle";
    private static final String CLOSED = "closed";

    private final ChronicleMap<byte[], byte[]> map;
    private final ThreadLocal<byte[]> reused;
    private final Path closedMark;

    private ChronicleMapStore(ChronicleMap<byte[], byte[]> map, int valueSize, Path closedMark) {
        this.closedMark = closedMark;
        this.map = map;
        this.reused = ThreadLocal.withInitial(() -> new byte[valueSize]);
    }

    static ChronicleMapStore open(Path directory, StoreOptions options) throws IOException {
        Files.createDirectories(directory);
        Path file = directory.resolve(FILE_NAME);
        Path closedMark = directory.resolve(CLOSED);
        ChronicleMapBuilder<byte[], byte[]> builder = ChronicleMapBuilder.of(byte[].class, byte[].class)
                .name("benchmark")
                .entries(options.expectedKeys())
                .constantKeySizeBySample(new byte[Dataset.KEY_SIZE])
                .constantValueSizeBySample(new byte[options.valueSize()])
                .putReturnsNull(true)
                .removeReturnsNull(true);
        boolean wasClosed = Files.deleteIfExists(closedMark);
        return new ChronicleMapStore(
                !wasClosed && Files.exists(file)
                        ? builder.recoverPersistedTo(file.toFile(), true)
                        : builder.createPersistedTo(file.toFile()),
                options.valueSize(),
                closedMark);
    }

    @Override
    public void put(byte[] key, byte[] value) {
        map.put(key, value);
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return map.get(key);
    }

    @Override
    public int getInto(byte[] key, ByteBuffer target) {
        byte[] value = map.getUsing(key, reused.get());
        if (value == null) {
            return ABSENT;
        }
        target.put(value);
        return value.length;
    }

    @Override
    public void delete(byte[] key) {
        map.remove(key);
    }

    @Override
    public ScanTotals scan() {
        ScanTotals totals = new ScanTotals();
        for (Map.Entry<byte[], byte[]> entry : map.entrySet()) {
            totals.add(entry.getValue());
        }
        return totals;
    }

    @Override
    public void sync() {
        throw new UnsupportedOperationException("Chronicle Map cannot force");
    }

    @Override
    public void close() throws IOException {
        map.close();
        Files.createFile(closedMark);
    }
}
