package dev.caskwright.index.offheap;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import net.openhft.chronicle.algo.hashing.LongHashFunction;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.bytes.RandomDataInput;
import net.openhft.chronicle.bytes.RandomDataOutput;
import net.openhft.chronicle.hash.AbstractData;
import net.openhft.chronicle.hash.Data;
import net.openhft.chronicle.hash.serialization.DataAccess;
import org.jspecify.annotations.Nullable;

/**
 * Shows a slice to Chronicle Map without a copy and without an object: the library's own way for a {@code byte[]} wraps
 * each key. It also brings our seeded hash in: the library's has no seed.
 *
 * <p>Each thread has one of its own for each map. It compares eight bytes at a time with what the map stores, which lies
 * there in the order of the machine's bytes.
 */
final class KeyAccess extends AbstractData<KeySlice> implements DataAccess<KeySlice> {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private @Nullable KeySlice key;

    @Override
    public Data<KeySlice> getData(KeySlice instance) {
        key = instance;
        return this;
    }

    @Override
    public void uninit() {
        key = null;
    }

    @Override
    public DataAccess<KeySlice> copy() {
        return new KeyAccess();
    }

    @Override
    public KeySlice get() {
        return Objects.requireNonNull(key);
    }

    @Override
    public KeySlice getUsing(@Nullable KeySlice using) {
        return get();
    }

    @Override
    public long size() {
        return get().length();
    }

    @Override
    public long hash(LongHashFunction function) {
        return get().hash();
    }

    @Override
    public boolean equivalent(RandomDataInput source, long sourceOffset) {
        KeySlice slice = get();
        byte[] array = slice.array();
        int position = slice.offset();
        int end = position + slice.length();
        long other = sourceOffset;
        for (; position <= end - Long.BYTES; position += Long.BYTES, other += Long.BYTES) {
            if ((long) LONG.get(array, position) != source.readLong(other)) {
                return false;
            }
        }
        for (; position < end; position++, other++) {
            if (array[position] != source.readByte(other)) {
                return false;
            }
        }
        return true;
    }

    @Override
    @SuppressWarnings("rawtypes")
    public void writeTo(RandomDataOutput target, long targetOffset) {
        KeySlice slice = get();
        target.write(targetOffset, slice.array(), slice.offset(), slice.length());
    }

    /** Makes a copy: for messages of the library, no operation on the map comes here. */
    @Override
    public RandomDataInput bytes() {
        KeySlice slice = get();
        return BytesStore.wrap(Arrays.copyOfRange(slice.array(), slice.offset(), slice.offset() + slice.length()));
    }

    @Override
    public long offset() {
        return 0;
    }
}
