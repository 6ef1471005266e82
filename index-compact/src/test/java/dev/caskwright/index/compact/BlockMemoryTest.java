package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class BlockMemoryTest {
    private static final int SLAB = 1 << 16;
    private static final int LARGEST_SLAB = 8 << 20;
    private static final int LARGEST_BLOCK = 704;

    private final List<Integer> asked = new ArrayList<>();
    private int slabsLeft = 1_000;
    private final BlockMemory memory = new BlockMemory(LARGEST_BLOCK, (bytes, held) -> {
        if (slabsLeft-- == 0) {
            throw new IndexMemoryException("planned", null);
        }
        assertThat(held).isEqualTo(asked.stream().mapToLong(each -> each).sum());
        asked.add(bytes);
        return DirectMemory.allocate(bytes, held);
    });

    @AfterEach
    void free() {
        memory.clear();
    }

    @Test
    void aSlabIsZeroAndLittleEndian() throws Exception {
        long address = memory.allocate(8);
        assertThat(memory.slab(address).order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
        assertThat(memory.slab(address).capacity()).isEqualTo(SLAB);
        assertThat(memory.slab(address).getLong(BlockMemory.offset(address))).isZero();
    }

    @Test
    void blocksFollowEachOtherAndNeverOverlap() throws Exception {
        // 93 blocks of 704 bytes fill a slab but for 64 bytes.
        List<Long> addresses = new ArrayList<>();
        for (int i = 0; i < 20 * 93; i++) {
            long address = memory.allocate(704);
            assertThat(address).isEqualTo((long) (i / 93) << 20 | i % 93 * 704 / 8);
            assertThat(BlockMemory.offset(address)).isEqualTo(i % 93 * 704);
            memory.slab(address).putLong(BlockMemory.offset(address), i);
            addresses.add(address);
            assertThat(asked).hasSize(i / 93 + 1);
        }
        for (int i = 0; i < addresses.size(); i++) {
            long address = addresses.get(i);
            assertThat(memory.slab(address).getLong(BlockMemory.offset(address)))
                    .isEqualTo(i);
        }
        assertThat(asked).containsOnly(SLAB);
        assertThat(memory.bytes()).isEqualTo(20L * SLAB);
    }

    @Test
    void aSlabIsUsedToItsLastByte() throws Exception {
        for (int i = 0; i < SLAB / 64; i++) {
            memory.allocate(64);
        }
        assertThat(asked).hasSize(1);
        memory.allocate(8);
        assertThat(asked).hasSize(2);
    }

    @Test
    void whatIsGivenBackIsUsedForTheSameSizeOnly() throws Exception {
        long small = memory.allocate(48);
        long first = memory.allocate(88);
        long second = memory.allocate(88);
        long third = memory.allocate(88);
        long largest = memory.allocate(LARGEST_BLOCK);
        memory.free(first, 88);
        memory.free(second, 88);
        memory.free(third, 88);
        memory.free(largest, LARGEST_BLOCK);
        memory.free(small, 48);
        long fresh = memory.allocate(96);
        assertThat(fresh).isEqualTo(largest + LARGEST_BLOCK / 8);
        assertThat(memory.allocate(88)).isEqualTo(third);
        assertThat(memory.allocate(88)).isEqualTo(second);
        assertThat(memory.allocate(88)).isEqualTo(first);
        assertThat(memory.allocate(88)).isEqualTo(fresh + 96 / 8);
        assertThat(memory.allocate(48)).isEqualTo(small);
        assertThat(memory.allocate(LARGEST_BLOCK)).isEqualTo(largest);
    }

    @Test
    void reservedMemoryIsThereWithoutAsking() throws Exception {
        memory.reserve(SLAB);
        assertThat(asked).hasSize(1);
        memory.reserve(SLAB);
        assertThat(asked).as("it is there").hasSize(1);
        memory.reserve(SLAB + 1);
        assertThat(asked).hasSize(2);
        assertThat(memory.bytes()).isEqualTo(2L * SLAB);
        for (int i = 0; i < 2 * SLAB / 64; i++) {
            memory.allocate(64);
        }
        assertThat(asked).hasSize(2);
        memory.reserve(0);
        assertThat(asked).as("nothing is asked for").hasSize(2);
        memory.reserve(1);
        assertThat(asked).hasSize(3);
    }

    @Test
    void theRestOfASlabThatIsLeftIsNotReserved() throws Exception {
        for (int i = 0; i < 93; i++) {
            memory.allocate(704);
        }
        memory.reserve(64);
        assertThat(asked).hasSize(1);
        memory.allocate(72);
        assertThat(asked).hasSize(2);
        memory.reserve(SLAB - 72);
        assertThat(asked).hasSize(2);
        memory.reserve(SLAB - 72 + 1);
        assertThat(asked).hasSize(3);
    }

    @Test
    void whatCannotAllBeReservedIsGivenBack() throws Exception {
        long address = memory.allocate(704);
        long before = NumberedKeys.directBytes();
        slabsLeft = 4;
        assertThatThrownBy(() -> memory.reserve(10L * SLAB)).hasMessage("planned");
        assertThat(asked).hasSize(5);
        assertThat(memory.bytes()).isEqualTo(SLAB);
        assertThat(NumberedKeys.directBytes()).isLessThanOrEqualTo(before);
        assertThat(memory.slab(address).getLong(BlockMemory.offset(address)))
                .as("is still there")
                .isZero();
        asked.subList(1, 5).clear();
        slabsLeft = 1_000;
        memory.reserve(SLAB - 704);
        assertThat(asked).as("is there").hasSize(1);
        memory.reserve(SLAB - 704 + 1);
        assertThat(asked).as("more is not").hasSize(2);
        for (int i = 1; i <= 93; i++) {
            memory.allocate(704);
        }
        assertThat(asked).hasSize(2);
    }

    @Test
    void clearedMemoryIsGivenBackAndNewOneIsAsAtFirst() throws Exception {
        long before = NumberedKeys.directBytes();
        for (int i = 0; i < 200; i++) {
            memory.free(memory.allocate(704), 704);
            memory.allocate(704);
        }
        assertThat(NumberedKeys.directBytes()).isGreaterThanOrEqualTo(before + 3 * SLAB);
        memory.free(memory.allocate(704), 704);
        memory.clear();
        assertThat(NumberedKeys.directBytes()).isLessThanOrEqualTo(before);
        assertThat(memory.bytes()).isZero();
        asked.clear();
        assertThat(memory.allocate(704)).isZero();
        assertThat(memory.allocate(704)).isEqualTo(704 / 8);
        assertThat(asked).containsExactly(SLAB);
        memory.reserve(SLAB - 2 * 704);
        assertThat(asked).hasSize(1);
        memory.reserve(SLAB - 2 * 704 + 1);
        assertThat(asked).hasSize(2);
    }

    /** A memory whose slabs are never touched, so that it may be huge. */
    private static BlockMemory imagined(List<Integer> asked) {
        ByteBuffer none = ByteBuffer.allocate(0);
        return new BlockMemory(LARGEST_BLOCK, (bytes, held) -> {
            asked.add(bytes);
            return none;
        });
    }

    @Test
    void aSlabIsOneOf128PartsOfAllUpToEightMegabytes() throws Exception {
        List<Integer> sizes = new ArrayList<>();
        imagined(sizes).reserve(2L << 30);
        long held = 0;
        for (int size : sizes) {
            long part = held / 128;
            long expected = part <= SLAB ? SLAB : part >= LARGEST_SLAB ? LARGEST_SLAB : part / 8 * 8;
            assertThat(size).as("held=%s", held).isEqualTo((int) expected);
            held += size;
        }
        assertThat(sizes).startsWith(SLAB, SLAB).endsWith(LARGEST_SLAB, LARGEST_SLAB);
        assertThat(sizes.stream().filter(size -> size > SLAB && size < LARGEST_SLAB))
                .hasSizeGreaterThan(100);
    }

    @Test
    void thereAreAsManySlabsAsAnAddressCanName() throws Exception {
        List<Integer> sizes = new ArrayList<>();
        BlockMemory memory = imagined(sizes);
        while (sizes.size() < 1 << 20) {
            memory.reserve(memory.bytes() + 1);
        }
        long held = memory.bytes();
        assertThatThrownBy(() -> memory.reserve(held + 1))
                .isInstanceOf(IndexMemoryException.class)
                .hasMessage("the key index is as large as it can be: held=" + held + " bytes");
        memory.reserve(held);
    }
}
