package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Proves of a wrapper of a plug-in that it forwards every method to the same method. A method with a default
 * implementation that is not forwarded compiles, works, and silently changes what the wrapped plug-in does.
 *
 * <pre>{@code
 * WrapperContract.assertForwardsEverything(IoManager.class, CountingIoManager::new);
 * }</pre>
 */
public final class WrapperContract {
    private static final int NUMBER = 3;

    private WrapperContract() {}

    /**
     * Calls every method of an interface on a wrapped object, and fails unless that object gets the same call with the same
     * arguments, and the caller its result. Files and locks that an IO manager returns may be wrapped; files are then tried
     * in the same way.
     *
     * @param except names of methods that the wrapper carries out by other methods of its own, on purpose
     */
    public static <T> void assertForwardsEverything(Class<T> type, UnaryOperator<T> wrapper, String... except) {
        for (Method method : type.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers()) && !List.of(except).contains(method.getName())) {
                Recorder recorder = new Recorder();
                assertForwards(method, wrapper.apply(recorder.object(type)), recorder);
            }
        }
    }

    private static void assertForwards(Method method, Object wrapped, Recorder recorder) {
        Object[] arguments = arguments(method);
        Object result;
        try {
            result = method.invoke(wrapped, arguments);
        } catch (InvocationTargetException e) {
            fail("%s of %s throws", method, wrapped.getClass(), e.getCause());
            return;
        } catch (IllegalAccessException e) {
            throw new LinkageError(method.toString(), e);
        }
        Call call = recorder.call(method);
        if (call == null) {
            throw new AssertionError(wrapped.getClass() + " does not forward " + method);
        }
        for (int i = 0; i < arguments.length; i++) {
            if (!(arguments[i] instanceof IoManager)) { // the target of a link may be unwrapped
                assertThat(call.arguments().get(i))
                        .as("argument %s of %s", i, method)
                        .isEqualTo(arguments[i]);
            }
        }
        if (result instanceof WritableFile file) {
            assertFileForwards(WritableFile.class, method, file, wrapped, arguments, recorder);
        } else if (result instanceof ReadableFile file) {
            assertFileForwards(ReadableFile.class, method, file, wrapped, arguments, recorder);
        } else if (!(result instanceof IoManager.Lock)) {
            assertThat(result).as("result of %s", method).isEqualTo(call.result());
        }
    }

    private static void assertFileForwards(
            Class<?> type, Method opening, Object first, Object manager, Object[] arguments, Recorder recorder) {
        Object file = first;
        for (Method method : type.getMethods()) {
            if (Modifier.isStatic(method.getModifiers())) {
                continue;
            }
            assertForwards(method, file, recorder);
            try {
                file = opening.invoke(manager, arguments); // a file of its own for each: one of the calls closes it
            } catch (ReflectiveOperationException e) {
                throw new LinkageError(opening.toString(), e);
            }
        }
    }

    private static Object[] arguments(Method method) {
        List<Object> arguments = new ArrayList<>();
        for (Class<?> type : method.getParameterTypes()) {
            arguments.add(value(type, new Recorder()));
        }
        return arguments.toArray();
    }

    private static Object value(Class<?> type, Recorder recorder) {
        if (type == boolean.class) {
            return true;
        }
        if (type == int.class) {
            return NUMBER;
        }
        if (type == long.class) {
            return (long) NUMBER;
        }
        if (type == String.class) {
            return "000001.data";
        }
        if (type == List.class) {
            return List.of("000001.data");
        }
        if (type == ByteBuffer.class) {
            return ByteBuffer.allocate(NUMBER);
        }
        if (type == byte[].class) {
            return new byte[10];
        }
        if (type == int[].class) {
            return new int[10];
        }
        if (type == long[].class) {
            return new long[10];
        }
        return recorder.object(type);
    }

    private record Call(
            Method method, List<Object> arguments, @Nullable Object result) {}

    /** What is wrapped: remembers its calls, and answers anything. */
    private static final class Recorder {
        private final List<Call> calls = new ArrayList<>();

        <T> T object(Class<T> type) {
            return type.cast(Proxy.newProxyInstance(
                    WrapperContract.class.getClassLoader(), new Class<?>[] {type}, this::answer));
        }

        private @Nullable Object answer(Object proxy, Method method, Object @Nullable [] arguments) {
            if (method.getDeclaringClass() == Object.class) {
                return switch (method.getName()) {
                    case "equals" -> arguments != null && proxy == arguments[0];
                    case "hashCode" -> System.identityHashCode(proxy);
                    default -> "recorder";
                };
            }
            Object result = method.getReturnType() == void.class ? null : value(method.getReturnType(), this);
            calls.add(new Call(method, arguments == null ? List.of() : List.of(arguments), result));
            return result;
        }

        /** Returns the last call of a method, or null. Every interface that declares it counts as one. */
        @Nullable Call call(Method method) {
            for (int i = calls.size() - 1; i >= 0; i--) {
                Method called = calls.get(i).method();
                if (called.getName().equals(method.getName())
                        && List.of(called.getParameterTypes()).equals(List.of(method.getParameterTypes()))) {
                    return calls.get(i);
                }
            }
            return null;
        }
    }
}
