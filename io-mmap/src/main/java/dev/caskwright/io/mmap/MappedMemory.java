package dev.caskwright.io.mmap;

import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The mappings of one file: made one by one, unmapped all at once and without waiting for the collector. And the one
 * place where mapped memory is touched and faults become errors.
 *
 * <p><b>Unmapping.</b> From JDK 22 on, mappings belong to a shared arena. Closing that unmaps, and whoever comes too late
 * gets an {@link IllegalStateException}. Before, there is {@code Unsafe.invokeCleaner}, and whoever comes too late
 * crashes the JVM; a file therefore forgets its buffers before it unmaps them, and its owner promises that no read is
 * under way then. Both are called by reflection, as we compile for 17.
 *
 * <p><b>Faults.</b> A page past the end of its file (somebody has cut it) cannot be touched. The JDK's copy then stops
 * where it is and raises an {@link InternalError}; but in compiled code the copy is no place where an exception can be
 * raised, so it comes with some later call or loop of the thread, in whatever code that is. To know at once, the last
 * byte of the target is set to a mark before the copy. Copies go upwards in addresses, so a copy that did not come to its
 * end left the mark in place. Where the mark is there afterwards, as one time in 256 it is by rights, the copy is done
 * again with another mark; if that is left as well, the copy failed, and the error is made to come up here.
 *
 * <p>Fewer than {@link #SHORTEST_COPY} bytes are no copy to the JDK but single loads and stores, and a load that faults
 * gives whatever its register held. So what is loaded is a copy of at least so many bytes around those that are wanted,
 * and where something is stored, such a copy tries the page.
 */
abstract class MappedMemory {
    /** Bytes of the shortest copy that stops at a fault; the JDK takes up to 6 one by one. A mapping has as many. */
    static final int SHORTEST_COPY = 8;

    private static final int PAGE = 4 << 10; // or a part of one
    private static final byte MARK = (byte) 0xA7;
    private static final int MAX_ALLOCATIONS = 3; // one is enough on the JDKs tried

    private static volatile int dimension = 1; // not a constant to the compiler

    @SuppressWarnings("UnusedVariable") // keeps the compiler from leaving the allocation out
    private static volatile byte[][] allocated = {};

    /** Returns memory without mappings. */
    static MappedMemory allocate() {
        return Runtime.version().feature() >= 22 ? new Shared() : new Cleaned();
    }

    /** Maps a part of a file, which must be there if it is to be written. */
    abstract ByteBuffer map(FileChannel channel, MapMode mode, long offset, long length) throws IOException;

    /** Unmaps everything. No buffer of this memory may be used afterwards. */
    abstract void unmap() throws IOException;

    /** Copies from a mapping; the name of {@code file} and {@code fileOffset} of its first byte are for the message. */
    static void load(
            ByteBuffer mapping,
            int position,
            byte[] target,
            int targetOffset,
            int length,
            ReadableFile file,
            long fileOffset)
            throws IOException {
        if (length == 0) {
            return;
        }
        if (length < SHORTEST_COPY) {
            loadFew(mapping, position, target, targetOffset, length, file, fileOffset);
            return;
        }
        int last = targetOffset + length - 1;
        try {
            target[last] = MARK;
            mapping.get(position, target, targetOffset, length);
            if (target[last] == MARK) {
                copyAgain(mapping, position, target, targetOffset, length, file, fileOffset);
            }
        } catch (InternalError e) {
            throw new IOException(fault("read", file, fileOffset, length), e);
        } catch (IllegalStateException e) {
            throw new IOException("file is closed: file=" + file.name(), e);
        }
    }

    /** After a copy that left the mark: does it again with another one. */
    private static void copyAgain(
            ByteBuffer mapping,
            int position,
            byte[] target,
            int targetOffset,
            int length,
            ReadableFile file,
            long fileOffset)
            throws IOException {
        if (!copy(mapping, position, target, targetOffset, length)) {
            letErrorsComeUp();
            throw new IOException(fault("read", file, fileOffset, length));
        }
    }

    private static void loadFew(
            ByteBuffer mapping,
            int position,
            byte[] target,
            int targetOffset,
            int length,
            ReadableFile file,
            long fileOffset)
            throws IOException {
        byte[] around = new byte[2 * SHORTEST_COPY];
        int from = startAround(mapping, position, length);
        load(mapping, from, around, 0, endAround(mapping, position, length) - from, file, fileOffset);
        System.arraycopy(around, position - from, target, targetOffset, length);
    }

    /** Returns whether the byte at a position can be read. */
    static boolean isThere(ByteBuffer mapping, int position) {
        try {
            boolean isThere = canLoad(mapping, position, new byte[2 * SHORTEST_COPY]);
            if (!isThere) {
                letErrorsComeUp();
            }
            return isThere;
        } catch (InternalError e) {
            return false;
        }
    }

    /**
     * Returns where the copy of a few bytes begins: with the aligned word that has the first of them, so that no page is
     * touched without need, and earlier at the end of a mapping that ends within a word.
     */
    private static int startAround(ByteBuffer mapping, int position, int length) {
        return Math.min(position & -SHORTEST_COPY, endAround(mapping, position, length) - SHORTEST_COPY);
    }

    private static int endAround(ByteBuffer mapping, int position, int length) {
        return Math.min(position + length + SHORTEST_COPY - 1 & -SHORTEST_COPY, mapping.capacity());
    }

    /** Copies {@link #SHORTEST_COPY} bytes or more; returns whether it came to the end. */
    private static boolean copy(ByteBuffer mapping, int position, byte[] target, int targetOffset, int length) {
        int last = targetOffset + length - 1;
        target[last] = MARK;
        mapping.get(position, target, targetOffset, length);
        if (target[last] == MARK) {
            target[last] = ~MARK;
            mapping.get(position, target, targetOffset, length);
            return target[last] != ~MARK;
        }
        return true;
    }

    /**
     * Copies into a mapping. The page of the first byte is tried by a load before the copy: that word is in a cache already,
     * from the store before, while a load of what was just stored waits until it has left the processor's store buffer.
     * Where the copy goes on to other pages, its last bytes are read back.
     *
     * @param scratch twice {@link #SHORTEST_COPY} bytes of the caller's thread
     */
    static void store(
            ByteBuffer mapping,
            int position,
            byte[] source,
            int sourceOffset,
            int length,
            byte[] scratch,
            ReadableFile file,
            long fileOffset)
            throws IOException {
        if (length == 0) {
            return;
        }
        boolean isStored;
        try {
            int last = position + length - 1;
            isStored = canLoad(mapping, position, scratch);
            if (isStored) {
                mapping.put(position, source, sourceOffset, length);
                if ((position ^ last) >= PAGE) {
                    isStored = canLoad(mapping, last, scratch)
                            && scratch[last - startAround(mapping, last, 1)] == source[sourceOffset + length - 1];
                }
            }
            if (!isStored) {
                letErrorsComeUp();
            }
        } catch (InternalError e) {
            throw new IOException(fault("write", file, fileOffset, length), e);
        } catch (IllegalStateException e) {
            throw new IOException("file is closed: file=" + file.name(), e);
        }
        if (!isStored) {
            throw new IOException(fault("write", file, fileOffset, length));
        }
    }

    /** Loads the word around a byte; returns whether it is there. */
    private static boolean canLoad(ByteBuffer mapping, int position, byte[] scratch) {
        int from = startAround(mapping, position, 1);
        return copy(mapping, from, scratch, 0, endAround(mapping, position, 1) - from);
    }

    private static void letErrorsComeUp() {
        // Compiled or not, on 17 to 25, making an array of arrays of unknown lengths always asks the runtime, which
        // raises
        // the error on return. Few things do: neither native calls nor collections, on 17.
        for (int i = 0; i < MAX_ALLOCATIONS; i++) {
            allocated = new byte[dimension][dimension];
        }
    }

    private static String fault(String operation, ReadableFile file, long offset, int length) {
        return operation + " failed, file has become shorter: file=" + file.name() + ", offset=" + offset + ", length="
                + length;
    }

    /** Mappings of a shared arena. */
    private static final class Shared extends MappedMemory {
        private static final MethodHandle NEW_ARENA;
        private static final MethodHandle CLOSE;
        private static final MethodHandle MAP;

        static {
            try {
                MethodHandles.Lookup lookup = MethodHandles.publicLookup();
                Class<?> arena = Class.forName("java.lang.foreign.Arena");
                Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
                NEW_ARENA = lookup.findStatic(arena, "ofShared", MethodType.methodType(arena))
                        .asType(MethodType.methodType(Object.class));
                CLOSE = lookup.findVirtual(arena, "close", MethodType.methodType(void.class))
                        .asType(MethodType.methodType(void.class, Object.class));
                MethodHandle map = lookup.findVirtual(
                        FileChannel.class,
                        "map",
                        MethodType.methodType(segment, MapMode.class, long.class, long.class, arena));
                MethodHandle asBuffer =
                        lookup.findVirtual(segment, "asByteBuffer", MethodType.methodType(ByteBuffer.class));
                MAP = MethodHandles.filterReturnValue(map, asBuffer)
                        .asType(MethodType.methodType(
                                ByteBuffer.class,
                                FileChannel.class,
                                MapMode.class,
                                long.class,
                                long.class,
                                Object.class));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final Object arena;
        private boolean unmapped;

        Shared() {
            try {
                arena = (Object) NEW_ARENA.invokeExact();
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }

        @Override
        ByteBuffer map(FileChannel channel, MapMode mode, long offset, long length) throws IOException {
            try {
                return (ByteBuffer) MAP.invokeExact(channel, mode, offset, length, arena);
            } catch (IOException e) {
                throw e;
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }

        @Override
        synchronized void unmap() throws IOException {
            if (unmapped) {
                return;
            }
            try {
                CLOSE.invokeExact(arena);
                unmapped = true;
            } catch (IllegalStateException e) {
                throw new IOException("closed while it was read", e);
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }
    }

    /** Mappings that are unmapped one by one. */
    private static final class Cleaned extends MappedMemory {
        private static final MethodHandle INVOKE_CLEANER;

        static {
            try {
                Class<?> type = Class.forName("sun.misc.Unsafe");
                Field field = type.getDeclaredField("theUnsafe");
                field.setAccessible(true);
                INVOKE_CLEANER = MethodHandles.lookup()
                        .findVirtual(type, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
                        .bindTo(field.get(null));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final List<ByteBuffer> mappings = new ArrayList<>();

        @Override
        synchronized ByteBuffer map(FileChannel channel, MapMode mode, long offset, long length) throws IOException {
            MappedByteBuffer mapping = channel.map(mode, offset, length);
            mappings.add(mapping);
            return mapping;
        }

        @Override
        synchronized void unmap() {
            for (ByteBuffer mapping : mappings) {
                try {
                    INVOKE_CLEANER.invokeExact(mapping);
                } catch (Throwable e) {
                    throw unexpected(e);
                }
            }
            mappings.clear();
        }
    }

    private static RuntimeException unexpected(@Nullable Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException exception ? exception : new IllegalStateException(e);
    }
}
