package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Takes direct memory, and gives it back without waiting for the garbage collector. */
final class DirectMemory {
    private static final MethodHandle INVOKE_CLEANER = invokeCleaner();

    private DirectMemory() {}

    /** Returns zeroed memory. */
    static ByteBuffer allocate(int bytes, long held) throws IndexMemoryException {
        try {
            return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
        } catch (OutOfMemoryError e) {
            throw new IndexMemoryException(
                    "no direct memory for the key index to grow: held=" + held + " bytes, needed=" + bytes
                            + " more; raise -XX:MaxDirectMemorySize, which is as large as the heap unless set",
                    e);
        }
    }

    /** Frees the memory at once. Nobody may touch the buffer any more: that would crash the JVM. */
    static void free(ByteBuffer buffer) {
        try {
            INVOKE_CLEANER.invokeExact(buffer);
        } catch (Throwable e) {
            throw new LinkageError("direct memory cannot be freed", e);
        }
    }

    // Called through a handle: javac warns of every direct use of Unsafe. The method is not among those that newer JDKs
    // warn of or take away.
    private static MethodHandle invokeCleaner() {
        try {
            Class<?> type = Class.forName("sun.misc.Unsafe");
            Field instance = type.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            return MethodHandles.lookup()
                    .findVirtual(type, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
                    .bindTo(instance.get(null));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
