package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Blocks of direct memory, cut from slabs. A block that is given back is used for a later one of the same size; slabs are
 * freed by {@link #clear} only. So a reader that still looks at a block which was given back reads bytes that mean nothing
 * any more, but never unmapped memory; it must check afterwards that the block was still the right one.
 *
 * <p>An address is the slab's number and the block's offset in units of eight bytes. It does not depend on where the memory
 * lies.
 *
 * <p>Safe for any thread. {@link #slab} takes no lock.
 */
final class BlockMemory {
    static final int ADDRESS_BITS = 40;

    private static final int OFFSET_BITS = 20;
    private static final int UNIT = 8;
    private static final int SMALLEST_SLAB = 1 << 16;
    private static final int LARGEST_SLAB = UNIT << OFFSET_BITS;
    /** A new slab is this part of all memory, so that what is not used yet of it hardly counts. */
    private static final int SLABS_OF_EQUAL_SIZE = 128;

    private static final int MAX_SLABS = 1 << (ADDRESS_BITS - OFFSET_BITS);
    private static final long NO_ADDRESS = -1;

    /** Only the first {@code slabCount} are there. A new array takes the place of a full one. */
    private volatile ByteBuffer[] slabs = new ByteBuffer[0];

    private int slabCount;
    /** The slab that blocks are cut from now; slabs behind it are reserved. */
    private int currentSlab = -1;

    private int cut;
    private long bytes;
    private long unused;
    /** The first free block of each size in units; the first word of a free block is the address of the next. */
    private final long[] free;

    private final SlabSource source;

    BlockMemory(int largestBlock, SlabSource source) {
        this.source = source;
        free = new long[largestBlock / UNIT + 1];
        Arrays.fill(free, NO_ADDRESS);
    }

    /** Returns the slab of an address. */
    ByteBuffer slab(long address) {
        return slabs[(int) (address >>> OFFSET_BITS)];
    }

    /** Returns the place of the block in its slab, in bytes. */
    static int offset(long address) {
        return (int) (address & ((1 << OFFSET_BITS) - 1)) * UNIT;
    }

    /** Returns the address of a block of that many bytes, a multiple of eight. Its content is undefined. */
    synchronized long allocate(int length) throws IndexMemoryException {
        long address = free[length / UNIT];
        if (address != NO_ADDRESS) {
            free[length / UNIT] = slab(address).getLong(offset(address));
            return address;
        }
        while (currentSlab < 0 || slabs[currentSlab].capacity() - cut < length) {
            if (currentSlab + 1 == slabCount) {
                addSlab();
            }
            unused -= currentSlab < 0 ? 0 : slabs[currentSlab].capacity() - cut;
            currentSlab++;
            cut = 0;
        }
        address = ((long) currentSlab << OFFSET_BITS) | (cut / UNIT);
        cut += length;
        unused -= length;
        return address;
    }

    /** Gives back a block that no new reader can find. */
    synchronized void free(long address, int length) {
        slab(address).putLong(offset(address), free[length / UNIT]);
        free[length / UNIT] = address;
    }

    /** Makes sure that so many bytes can be had without asking the system. */
    synchronized void reserve(long length) throws IndexMemoryException {
        int before = slabCount;
        try {
            while (unused < length) {
                addSlab();
            }
        } catch (IndexMemoryException e) {
            // What is not enough is given back: no block of these slabs was ever handed out.
            while (slabCount > before) {
                ByteBuffer slab = slabs[--slabCount];
                bytes -= slab.capacity();
                unused -= slab.capacity();
                DirectMemory.free(slab);
            }
            throw e;
        }
    }

    synchronized long bytes() {
        return bytes;
    }

    /** Frees all memory, and is as new. */
    synchronized void clear() {
        ByteBuffer[] all = Arrays.copyOf(slabs, slabCount);
        slabs = new ByteBuffer[0];
        slabCount = 0;
        currentSlab = -1;
        cut = 0;
        bytes = 0;
        unused = 0;
        Arrays.fill(free, NO_ADDRESS);
        for (ByteBuffer slab : all) {
            DirectMemory.free(slab);
        }
    }

    private void addSlab() throws IndexMemoryException {
        if (slabCount == MAX_SLABS) {
            throw new IndexMemoryException("the key index is as large as it can be: held=" + bytes + " bytes", null);
        }
        long wanted = Math.max(SMALLEST_SLAB, Math.min(LARGEST_SLAB, bytes / SLABS_OF_EQUAL_SIZE));
        int length = (int) wanted / UNIT * UNIT;
        ByteBuffer slab = source.allocate(length, bytes);
        if (slabCount == slabs.length) {
            slabs = Arrays.copyOf(slabs, Math.max(16, slabCount * 2));
        }
        slabs[slabCount++] = slab;
        bytes += length;
        unused += length;
    }

    /** Where slabs come from. */
    @FunctionalInterface
    interface SlabSource {
        /** Returns so many bytes of direct memory; {@code held} is what the index has, for the message if it fails. */
        ByteBuffer allocate(int bytes, long held) throws IndexMemoryException;
    }
}
