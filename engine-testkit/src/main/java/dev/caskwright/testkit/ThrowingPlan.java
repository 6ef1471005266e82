package dev.caskwright.testkit;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets one call to wrapped plug-ins throw something that it does not declare: an {@link OutOfMemoryError}, or the
 * exception of a plug-in with a bug. One plan may watch any number of objects, and counts the calls to all of them
 * together. To walk every such path of a script, fail its call 0, 1, 2 ... until the plan no longer fires:
 *
 * <pre>{@code
 * for (int n = 0; ; n++) {
 *     ThrowingPlan plan = ThrowingPlan.failing(n);
 *     script(BitcaskEngine.builder(directory).index(plan.wrap(factory)));
 *     if (!plan.hasFired()) {
 *         return;
 *     }
 * }
 * }</pre>
 *
 * <p>For IO managers, {@link FaultPlan} does it with {@link Fault#OUT_OF_MEMORY}. Safe for any number of threads; the
 * methods that return the plan itself are for before its use.
 */
public final class ThrowingPlan {
    private final long failing;
    private Supplier<? extends Throwable> thrown = () -> new OutOfMemoryError("Java heap space (simulated)");
    private Set<String> only = Set.of();
    private boolean isAfterEffect;
    private boolean isStopped;
    private long calls;
    private @Nullable String fired;

    private ThrowingPlan(long failing) {
        this.failing = failing;
    }

    /** Returns a plan by which the {@code n}-th call, counted from 0, throws an {@link OutOfMemoryError}. */
    public static ThrowingPlan failing(long n) {
        return new ThrowingPlan(n);
    }

    /** Returns a plan by which nothing fails, to count calls. */
    public static ThrowingPlan counting() {
        return new ThrowingPlan(Long.MAX_VALUE);
    }

    /** Sets what the call throws: an {@link Error}, a {@link RuntimeException}, or what the method declares. */
    public synchronized ThrowingPlan with(Supplier<? extends Throwable> thrown) {
        this.thrown = Objects.requireNonNull(thrown);
        return this;
    }

    /** Counts and fails only calls to methods of these names; at first all are counted. */
    public synchronized ThrowingPlan only(String... methods) {
        only = Set.of(methods);
        return this;
    }

    /** Lets the call be carried out before it throws, if it is one whose contract leaves that open. */
    public synchronized ThrowingPlan afterEffect() {
        isAfterEffect = true;
        return this;
    }

    /** Lets nothing fail any more. */
    public synchronized void stop() {
        isStopped = true;
    }

    /** Returns whether a call has failed. */
    public synchronized boolean hasFired() {
        return fired != null;
    }

    /** Returns how many calls were counted. */
    public synchronized long calls() {
        return calls;
    }

    /** Describes the call that failed, for messages. */
    @Override
    public synchronized String toString() {
        return fired == null ? "not fired" : fired;
    }

    /** Returns an object that forwards to another one, but for the call that this plan lets fail. It has all its interfaces. */
    @SuppressWarnings("unchecked") // the proxy has every interface that the object has, and is asked for one of them
    public <T> T wrap(T object) {
        Set<Class<?>> interfaces = new LinkedHashSet<>();
        for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
            interfaces.addAll(Set.of(type.getInterfaces()));
        }
        return (T) Proxy.newProxyInstance(
                object.getClass().getClassLoader(),
                interfaces.toArray(new Class<?>[0]),
                (proxy, method, arguments) -> call(object, method, arguments));
    }

    /** Returns a factory of indexes that forward to those of another one, but for the call that this plan lets fail. */
    public KeyIndexFactory wrap(KeyIndexFactory factory) {
        return context -> {
            KeyIndex index = factory.open(context);
            return wrap(index);
        };
    }

    private @Nullable Object call(Object object, Method method, Object @Nullable [] arguments) throws Throwable {
        boolean isFailing = method.getDeclaringClass() != Object.class && isDue(method);
        if (isFailing && !isAfterEffect) {
            throw thrown.get();
        }
        Object result;
        try {
            result = method.invoke(object, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
        if (isFailing) {
            throw thrown.get();
        }
        return result;
    }

    private synchronized boolean isDue(Method method) {
        if (!only.isEmpty() && !only.contains(method.getName())) {
            return false;
        }
        boolean isDue = calls++ == failing && !isStopped;
        if (isDue) {
            fired = "#" + failing + " " + method.getName();
        }
        return isDue;
    }
}
