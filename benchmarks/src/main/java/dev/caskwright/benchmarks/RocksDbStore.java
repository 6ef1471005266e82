package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.DataBlockIndexType;
import org.rocksdb.FlushOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteOptions;

/**
 * RocksDB as its wiki ("Setup Options and Basic Tuning" and what {@code OptimizeForPointLookup} sets) recommends for
 * random lookups: a block cache of {@link StoreOptions#CACHE_BYTES}, which holds all data here, Bloom filters of 10 bits a
 * key, a hash index within data blocks, index and filter blocks in the cache and pinned at level 0, dynamic level sizes,
 * {@code bytes_per_sync} of 1 MiB, as many background jobs as processors. Compression is off, as nothing else
 * compresses either and the values are random. The log is on: a put survives the death of the process; SYNC sets {@code
 * WriteOptions.sync}.
 */
final class RocksDbStore implements KeyValueStore {
    private static final int BLOOM_BITS = 10;
    private static final double BLOCK_HASH_RATIO = 0.75;
    private static final long BYTES_PER_SYNC = 1 << 20;

    private final Cache cache;
    private final BloomFilter filter;
    private final Options options;
    private final WriteOptions writeOptions;
    private final ReadOptions readOptions;
    private final RocksDB database;

    private RocksDbStore(Path directory, StoreOptions storeOptions) throws IOException {
        RocksDB.loadLibrary();
        Files.createDirectories(directory);
        cache = new LRUCache(StoreOptions.CACHE_BYTES);
        filter = new BloomFilter(BLOOM_BITS, false);
        options = options(cache, filter);
        writeOptions = new WriteOptions().setSync(storeOptions.isSync());
        readOptions = new ReadOptions();
        database = call(() -> RocksDB.open(options, directory.toString()));
    }

    static RocksDbStore open(Path directory, StoreOptions options) throws IOException {
        return new RocksDbStore(directory, options);
    }

    private static Options options(Cache cache, BloomFilter filter) {
        BlockBasedTableConfig table = new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setFilterPolicy(filter)
                .setWholeKeyFiltering(true)
                .setDataBlockIndexType(DataBlockIndexType.kDataBlockBinaryAndHash)
                .setDataBlockHashTableUtilRatio(BLOCK_HASH_RATIO)
                .setCacheIndexAndFilterBlocks(true)
                .setPinL0FilterAndIndexBlocksInCache(true);
        return new Options()
                .setCreateIfMissing(true)
                .setTableFormatConfig(table)
                .setCompressionType(CompressionType.NO_COMPRESSION)
                .setLevelCompactionDynamicLevelBytes(true)
                .setBytesPerSync(BYTES_PER_SYNC)
                .setMaxBackgroundJobs(Math.max(2, Runtime.getRuntime().availableProcessors()));
    }

    @Override
    public void put(byte[] key, byte[] value) throws IOException {
        try {
            database.put(writeOptions, key, value);
        } catch (RocksDBException e) {
            throw new IOException(e);
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        try {
            return database.get(readOptions, key);
        } catch (RocksDBException e) {
            throw new IOException(e);
        }
    }

    @Override
    public int getInto(byte[] key, ByteBuffer target) throws IOException {
        try {
            int length = target.hasArray()
                    ? database.get(
                            readOptions,
                            key,
                            0,
                            key.length,
                            target.array(),
                            target.arrayOffset() + target.position(),
                            target.remaining())
                    : database.get(readOptions, ByteBuffer.wrap(key), target);
            if (length == RocksDB.NOT_FOUND) {
                return ABSENT;
            }
            target.position(target.position() + length);
            return length;
        } catch (RocksDBException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void delete(byte[] key) throws IOException {
        try {
            database.delete(writeOptions, key);
        } catch (RocksDBException e) {
            throw new IOException(e);
        }
    }

    @Override
    public ScanTotals scan() throws IOException {
        try (RocksIterator iterator = database.newIterator(readOptions)) {
            iterator.seekToFirst();
            return read(iterator, Long.MAX_VALUE);
        }
    }

    @Override
    public ScanTotals range(byte[] from, int limit) throws IOException {
        try (RocksIterator iterator = database.newIterator(readOptions)) {
            iterator.seek(from);
            return read(iterator, limit);
        }
    }

    private static ScanTotals read(RocksIterator iterator, long limit) throws IOException {
        ScanTotals totals = new ScanTotals();
        for (; iterator.isValid() && totals.count() < limit; iterator.next()) {
            totals.add(iterator.value());
        }
        try {
            iterator.status();
        } catch (RocksDBException e) {
            throw new IOException(e);
        }
        return totals;
    }

    @Override
    public boolean isOrdered() {
        return true;
    }

    @Override
    public void sync() throws IOException {
        call(() -> {
            database.flushWal(true);
            return database;
        });
    }

    /** Flushes the memory table and compacts everything, which is the best state for reads. */
    @Override
    public void settle() throws IOException {
        merge();
    }

    @Override
    public void merge() throws IOException {
        call(() -> {
            try (FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
                database.flush(flush);
            }
            database.compactRange();
            return database;
        });
    }

    @Override
    public boolean canMerge() {
        return true;
    }

    @Override
    public void close() throws IOException {
        try {
            database.closeE();
        } catch (RocksDBException e) {
            throw new IOException(e);
        } finally {
            readOptions.close();
            writeOptions.close();
            options.close();
            filter.close();
            cache.close();
        }
    }

    private interface Call<T> {
        T run() throws RocksDBException;
    }

    private static <T> T call(Call<T> call) throws IOException {
        try {
            return call.run();
        } catch (RocksDBException e) {
            throw new IOException(e);
        }
    }
}
