package dev.caskwright.index.offheap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.openhft.chronicle.algo.hashing.LongHashFunction;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.BytesStore;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class KeyAccessTest {
    private static final LongHashFunction HASH = LongHashFunction.xx_r39(5);

    private final KeyAccess access = new KeyAccess();

    @BeforeAll
    static void prepare() {
        Requirements.check();
    }

    /** Bytes 1, 2, ... from 2 on in a longer array. */
    private static KeySlice slice(int length) {
        byte[] array = new byte[length + 5];
        for (int i = 0; i < length; i++) {
            array[2 + i] = (byte) (i + 1);
        }
        return new KeySlice(array, 2, length, 1_000 + length);
    }

    private static byte[] stored(int length) {
        byte[] array = new byte[length + 3];
        System.arraycopy(slice(length).array(), 2, array, 3, length);
        return array;
    }

    @Test
    void aKeyOfAnyLengthEqualsItsBytesAndNoOthers() {
        for (int length = 0; length <= 33; length++) {
            access.getData(slice(length));
            assertThat(access.equivalent(BytesStore.wrap(stored(length)), 3)).isTrue();
            for (int changed = 0; changed < length; changed++) {
                byte[] other = stored(length);
                other[3 + changed] ^= (byte) 0x80;
                assertThat(access.equivalent(BytesStore.wrap(other), 3))
                        .as("length=%d, changed=%d", length, changed)
                        .isFalse();
            }
        }
    }

    @Test
    void onlyTheSliceIsWritten() {
        byte[] target = new byte[20];
        access.getData(slice(7));
        access.writeTo(BytesStore.wrap(target), 4);
        byte[] expected = new byte[20];
        System.arraycopy(slice(7).array(), 2, expected, 4, 7);
        assertThat(target).isEqualTo(expected);
    }

    @Test
    void itShowsTheSliceThatItWasGiven() {
        KeySlice slice = slice(7);
        assertThat(access.getData(slice)).isSameAs(access);
        assertThat(access.get()).isSameAs(slice);
        assertThat(access.getUsing(null)).isSameAs(slice);
        assertThat(access.size()).isEqualTo(7);
        assertThat(access.hash(HASH)).isEqualTo(1_007);
        assertThat(access.offset()).isZero();
        assertThat(access.bytes().readRemaining()).isEqualTo(7);
        for (int i = 0; i < 7; i++) {
            assertThat(access.bytes().readByte(i)).isEqualTo((byte) (i + 1));
        }
    }

    @Test
    void itForgetsTheSliceWhenItIsDone() {
        access.getData(slice(7));
        access.uninit();
        assertThatThrownBy(access::get).isInstanceOf(NullPointerException.class);
    }

    @Test
    void aCopyHasASliceOfItsOwn() {
        access.getData(slice(7));
        KeyAccess copy = (KeyAccess) access.copy();
        copy.getData(slice(8));
        assertThat(access.size()).isEqualTo(7);
        assertThat(copy.size()).isEqualTo(8);
    }

    @Test
    void aKeyIsReadWithItsHash() {
        byte[] array = {1, 2, 3, 4, 5};
        Bytes<byte[]> in = Bytes.wrapForRead(array);
        KeySlice key = new KeyReader(HASH).read(in, 4, null);
        assertThat(key.array()).containsExactly(1, 2, 3, 4);
        assertThat(key.offset()).isZero();
        assertThat(key.length()).isEqualTo(4);
        assertThat(key.hash()).isEqualTo(HASH.hashBytes(new byte[] {1, 2, 3, 4}));
    }
}
