package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Blocks of direct memory, cut from slabs. A block that is given back is used for a later one of the same size. When most
 * is free, the owner moves all blocks that are in use to new slabs, and the old ones are dropped: the collector frees them
 * once no reader holds them. So a reader that still looks at a block which was given back reads bytes that mean nothing any
 * more, or gets an {@link IndexOutOfBoundsException}, but never meets unmapped memory; it must check afterwards that the
 * block was still the right one.
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
    private static final int NO_SLAB = -1;
    private static final long NO_ADDRESS = -1;

    /** In place of a slab that was dropped. Direct, as all are: lookups are fastest with one kind of buffer. */
    private static final ByteBuffer DROPPED = ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN);

    /** Memory of less than this is not worth moving. */
    private static final int MIN_BYTES_TO_MOVE = 1 << 20;
    /** Blocks are moved when they take less than this part of all memory. */
    private static final int SPARSE = 4;

    /** Only the first {@code slabCount} are there. A new array takes the place of a full one. */
    private volatile ByteBuffer[] slabs = new ByteBuffer[0];

    private int slabCount;
    /** The slab that blocks are cut from now. */
    private int currentSlab = NO_SLAB;

    /** Slabs that nothing was cut from yet, in the order in which they will be used. */
    private final ArrayDeque<Integer> reserved = new ArrayDeque<>();
    /** Numbers whose slabs were dropped. */
    private final ArrayDeque<Integer> droppedNumbers = new ArrayDeque<>();
    /** The slabs that blocks are moved out of now. */
    private BitSet old = new BitSet();

    private int cut;
    private long bytes;
    private long unused;
    private long freeBytes;
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
            freeBytes -= length;
            return address;
        }
        while (left() < length) {
            if (reserved.isEmpty()) {
                addSlab();
            }
            unused -= left();
            currentSlab = reserved.remove();
            cut = 0;
        }
        address = ((long) currentSlab << OFFSET_BITS) | (cut / UNIT);
        cut += length;
        unused -= length;
        return address;
    }

    /** Gives back a block that no new reader can find. */
    synchronized void free(long address, int length) {
        if (old.get((int) (address >>> OFFSET_BITS))) {
            return; // it goes with its slab
        }
        slab(address).putLong(offset(address), free[length / UNIT]);
        free[length / UNIT] = address;
        freeBytes += length;
    }

    /** Returns how many bytes can still be cut from the slab in use. */
    private int left() {
        return currentSlab == NO_SLAB ? 0 : slabs[currentSlab].capacity() - cut;
    }

    /**
     * Returns whether most memory is free, and from then on takes blocks from new slabs only: the caller moves all blocks
     * that it has, and then calls {@link #endMove}. Not while a move is on.
     */
    synchronized boolean beginMoveIfSparse() {
        long live = bytes - unused - freeBytes;
        if (bytes < MIN_BYTES_TO_MOVE || live > bytes / SPARSE) {
            return false;
        }
        for (int slab = 0; slab < slabCount; slab++) {
            if (slabs[slab].capacity() > 0) {
                old.set(slab);
            }
        }
        reserved.clear();
        currentSlab = NO_SLAB;
        cut = 0;
        unused = 0;
        freeBytes = 0;
        Arrays.fill(free, NO_ADDRESS);
        return true;
    }

    /** Drops the slabs from before the move. No block of theirs is in use, but readers may still look at some. */
    synchronized void endMove() {
        for (int slab = old.nextSetBit(0); slab >= 0; slab = old.nextSetBit(slab + 1)) {
            bytes -= slabs[slab].capacity();
            slabs[slab] = DROPPED;
            droppedNumbers.add(slab);
        }
        old = new BitSet();
    }

    /** Makes sure that so many bytes can be had without asking the system. */
    synchronized void reserve(long length) throws IndexMemoryException {
        int before = reserved.size();
        try {
            while (unused < length) {
                addSlab();
            }
        } catch (IndexMemoryException e) {
            // What is not enough is given back: no block of these slabs was ever handed out.
            while (reserved.size() > before) {
                int number = reserved.removeLast();
                ByteBuffer slab = slabs[number];
                slabs[number] = DROPPED;
                droppedNumbers.add(number);
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
        currentSlab = NO_SLAB;
        reserved.clear();
        droppedNumbers.clear();
        old = new BitSet();
        cut = 0;
        bytes = 0;
        unused = 0;
        freeBytes = 0;
        Arrays.fill(free, NO_ADDRESS);
        for (ByteBuffer slab : all) {
            if (slab.capacity() > 0) {
                DirectMemory.free(slab);
            }
        }
    }

    private void addSlab() throws IndexMemoryException {
        if (droppedNumbers.isEmpty() && slabCount == MAX_SLABS) {
            throw new IndexMemoryException("the key index is as large as it can be: held=" + bytes + " bytes", null);
        }
        long wanted = Math.max(SMALLEST_SLAB, Math.min(LARGEST_SLAB, bytes / SLABS_OF_EQUAL_SIZE));
        int length = (int) wanted / UNIT * UNIT;
        ByteBuffer slab = source.allocate(length, bytes);
        Integer number = droppedNumbers.poll();
        if (number == null) {
            if (slabCount == slabs.length) {
                slabs = Arrays.copyOf(slabs, Math.max(16, slabCount * 2));
            }
            number = slabCount++;
        }
        slabs[number] = slab;
        reserved.add(number);
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
