package dev.caskwright.index.offheap;

import net.openhft.chronicle.algo.hashing.LongHashFunction;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.hash.serialization.SizedReader;
import org.jspecify.annotations.Nullable;

/** Copies a key out of a map. */
final class KeyReader implements SizedReader<KeySlice> {
    private final LongHashFunction hashFunction;

    KeyReader(LongHashFunction hashFunction) {
        this.hashFunction = hashFunction;
    }

    @Override
    public KeySlice read(Bytes<?> in, long size, @Nullable KeySlice using) {
        byte[] array = new byte[Math.toIntExact(size)];
        in.read(array);
        return new KeySlice(array, 0, array.length, hashFunction.hashBytes(array));
    }
}
