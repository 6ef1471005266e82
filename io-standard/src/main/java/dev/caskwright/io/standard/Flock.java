package dev.caskwright.io.standard;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The lock that {@code flock(2)} takes, which programs in C and Go use. It is another one than that of {@code FileChannel.lock}:
 * on Linux neither sees the other. It belongs to an open file, and so closing other descriptors of the file, as recovering from
 * an interrupt does, leaves it alone.
 *
 * <p>From JDK 22 on the system is called directly, if this module may call native code; otherwise a child process, {@code
 * flock(1)} of util-linux, holds the lock for as long as its standard input is open, which ends with this process, however that
 * dies.
 */
abstract class Flock implements Closeable {
    private static final int LOCK_SHARED = 1;
    private static final int LOCK_EXCLUSIVE = 2;
    private static final int LOCK_NOT_BLOCKING = 4;
    private static final int OPEN_READ_ONLY = 0;
    private static final int OPEN_CLOSE_ON_EXEC = 0x80000; // of Linux
    private static final int OPEN_NOT_BLOCKING = 0x800;
    private static final int OPEN_NO_FOLLOW = 0x20000;

    private static final @Nullable Calls CALLS = Calls.find();

    /** The lock could not be asked for: it says nothing about who holds it. */
    static final class Unavailable extends IOException {
        private static final long serialVersionUID = 1L;

        Unavailable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Takes the lock of a file.
     *
     * @return null if somebody else has it
     * @throws Unavailable if this system has no such lock that could be reached
     */
    static @Nullable Flock take(Path file, boolean exclusive) throws IOException {
        Calls calls = CALLS;
        return calls != null ? calls.take(file, exclusive) : Child.take(file, exclusive);
    }

    @Override
    public abstract void close() throws IOException;

    // ---------------------------------------------------------------- by a child process

    private static final class Child extends Flock {
        private static final String SAYS_HELD = "held\n";
        private static final int DESCRIPTORS =
                12; // four pipes, a file to discard errors to, and some for others meanwhile
        private static final int EXIT_HELD_BY_OTHER = 75; // chosen here, so that it is not another failure's

        private final Process process;

        private Child(Process process) {
            this.process = process;
        }

        static @Nullable Flock take(Path file, boolean exclusive) throws IOException {
            Process process;
            try {
                checkDescriptors(file);
                process = new ProcessBuilder(
                                "flock",
                                "--nonblock",
                                "--conflict-exit-code",
                                String.valueOf(EXIT_HELD_BY_OTHER),
                                exclusive ? "--exclusive" : "--shared",
                                file.toString(),
                                "sh",
                                "-c",
                                "echo held; exec cat > /dev/null")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
            } catch (IOException e) {
                throw new Unavailable("the program flock could not be started: " + e.getMessage(), e);
            }
            byte[] answer = new byte[SAYS_HELD.length()];
            int length = readAnswer(process, answer);
            if (new String(answer, 0, length, StandardCharsets.US_ASCII).equals(SAYS_HELD)) {
                return new Child(process);
            }
            int exit = awaitEnd(process);
            if (exit == EXIT_HELD_BY_OTHER) {
                return null;
            }
            throw new Unavailable("the program flock failed: exit=" + exit + ", file=" + file, null);
        }

        /**
         * Refuses to start a process without the descriptors that this takes. JDK 17, seen with 17.0.15, closes one by a number that
         * means nothing when it gets no pipe: it may be that of a file of ours, and the next file that is opened then has it.
         */
        private static void checkDescriptors(Path file) throws IOException {
            List<FileChannel> opened = new ArrayList<>();
            try {
                while (opened.size() < DESCRIPTORS) {
                    opened.add(FileChannel.open(file, StandardOpenOption.READ));
                }
            } finally {
                for (FileChannel each : opened) {
                    each.close();
                }
            }
        }

        private static int readAnswer(Process process, byte[] answer) throws IOException {
            try (InputStream output = process.getInputStream()) {
                return output.readNBytes(answer, 0, answer.length);
            }
        }

        /** Returns the exit code of a process that is about to end. */
        private static int awaitEnd(Process process) {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return process.waitFor();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public void close() throws IOException {
            process.getOutputStream().close();
            awaitEnd(process);
        }
    }

    // ---------------------------------------------------------------- by calling the system

    /** The system's calls, by the foreign function interface of JDK 22, which Java 17 can name only by reflection. */
    private record Calls(
            MethodHandle open, MethodHandle flock, MethodHandle close, MethodHandle toMemory, MethodHandle newArena) {
        static @Nullable Calls find() {
            try {
                Method isEnabled = Module.class.getMethod("isNativeAccessEnabled"); // from 22 on
                String system = System.getProperty("os.name", "");
                if (!system.startsWith("Linux") || !(boolean) isEnabled.invoke(Flock.class.getModule())) {
                    return null;
                }
                return link();
            } catch (Throwable e) {
                return null; // the child process serves
            }
        }

        private static Calls link() throws Throwable {
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            Class<?> linkerType = Class.forName("java.lang.foreign.Linker");
            Class<?> lookupType = Class.forName("java.lang.foreign.SymbolLookup");
            Class<?> layoutType = Class.forName("java.lang.foreign.MemoryLayout");
            Class<?> valueType = Class.forName("java.lang.foreign.ValueLayout");
            Class<?> descriptorType = Class.forName("java.lang.foreign.FunctionDescriptor");
            Class<?> segmentType = Class.forName("java.lang.foreign.MemorySegment");
            Class<?> optionType = Class.forName("java.lang.foreign.Linker$Option");
            Class<?> arenaType = Class.forName("java.lang.foreign.Arena");
            Class<?> allocatorType = Class.forName("java.lang.foreign.SegmentAllocator");
            Object linker = lookup.findStatic(linkerType, "nativeLinker", MethodType.methodType(linkerType))
                    .invoke();
            Object symbols = lookup.findVirtual(linkerType, "defaultLookup", MethodType.methodType(lookupType))
                    .invoke(linker);
            Object intLayout = valueType.getField("JAVA_INT").get(null);
            Object address = valueType.getField("ADDRESS").get(null);
            Object noOptions = java.lang.reflect.Array.newInstance(optionType, 0);
            Object firstVariadic =
                    optionType.getMethod("firstVariadicArg", int.class).invoke(null, 2);
            Object variadic = java.lang.reflect.Array.newInstance(optionType, 1);
            java.lang.reflect.Array.set(variadic, 0, firstVariadic);
            Method of = descriptorType.getMethod("of", layoutType, layoutType.arrayType());
            Method find = lookupType.getMethod("find", String.class);
            Method downcall =
                    linkerType.getMethod("downcallHandle", segmentType, descriptorType, optionType.arrayType());
            Object toOpen = of.invoke(null, intLayout, layouts(layoutType, address, intLayout, intLayout));
            Object toFlock = of.invoke(null, intLayout, layouts(layoutType, intLayout, intLayout));
            Object toClose = of.invoke(null, intLayout, layouts(layoutType, intLayout));
            return new Calls(
                    (MethodHandle) downcall.invoke(linker, symbol(find, symbols, "open"), toOpen, variadic),
                    (MethodHandle) downcall.invoke(linker, symbol(find, symbols, "flock"), toFlock, noOptions),
                    (MethodHandle) downcall.invoke(linker, symbol(find, symbols, "close"), toClose, noOptions),
                    lookup.findVirtual(allocatorType, "allocateFrom", MethodType.methodType(segmentType, String.class)),
                    lookup.findStatic(arenaType, "ofConfined", MethodType.methodType(arenaType)));
        }

        private static Object layouts(Class<?> layoutType, Object... layouts) {
            Object array = java.lang.reflect.Array.newInstance(layoutType, layouts.length);
            for (int i = 0; i < layouts.length; i++) {
                java.lang.reflect.Array.set(array, i, layouts[i]);
            }
            return array;
        }

        private static Object symbol(Method find, Object symbols, String name) throws ReflectiveOperationException {
            return ((Optional<?>) find.invoke(symbols, name)).orElseThrow();
        }

        @Nullable Flock take(Path file, boolean exclusive) throws IOException {
            int descriptor = openFile(file);
            boolean isTaken = false;
            try {
                int how = (exclusive ? LOCK_EXCLUSIVE : LOCK_SHARED) | LOCK_NOT_BLOCKING;
                isTaken = call(flock, List.of(descriptor, how)) == 0;
                return isTaken ? new Called(this, descriptor) : null;
            } finally {
                if (!isTaken) {
                    call(close, List.of(descriptor));
                }
            }
        }

        private int openFile(Path file) throws IOException {
            try (AutoCloseable arena = (AutoCloseable) newArena.invoke()) {
                Object name = toMemory.invoke(arena, file.toString());
                int flags = OPEN_READ_ONLY | OPEN_CLOSE_ON_EXEC | OPEN_NOT_BLOCKING | OPEN_NO_FOLLOW;
                int descriptor = call(open, List.of(name, flags, 0));
                if (descriptor < 0) {
                    throw new Unavailable("the file could not be opened to lock it: file=" + file, null);
                }
                return descriptor;
            } catch (IOException | RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new Unavailable("the system's lock cannot be called: " + e, e);
            }
        }

        int call(MethodHandle handle, List<?> arguments) throws IOException {
            try {
                return (int) handle.invokeWithArguments(arguments);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new Unavailable("the system's lock cannot be called: " + e, e);
            }
        }
    }

    private static final class Called extends Flock {
        private final Calls calls;
        private final int descriptor;
        private boolean isClosed;

        Called(Calls calls, int descriptor) {
            this.calls = calls;
            this.descriptor = descriptor;
        }

        @Override
        public synchronized void close() throws IOException {
            if (!isClosed) {
                isClosed = true;
                calls.call(calls.close, List.of(descriptor));
            }
        }
    }
}
