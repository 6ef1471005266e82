package dev.caskwright.bitcask.store;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a few idle objects for whoever needs one next, so that memory follows the number of them and not that of the
 * threads. What is given back when the pool is full is dropped. For any thread, without locks.
 */
final class Pool<T> {
    private static final int STRIDE = 32; // references: 128 bytes, since cache lines are fetched in pairs

    private final Supplier<T> factory;
    private final int slots;
    private final AtomicReferenceArray<@Nullable T> idle;

    Pool(int slots, Supplier<T> factory) {
        this.factory = factory;
        this.slots = slots;
        this.idle = new AtomicReferenceArray<>((slots + 1) * STRIDE);
    }

    /** Returns an idle object, or a new one. */
    T take() {
        for (int i = 0; i < slots; i++) {
            int place = place(i);
            T found = idle.getOpaque(place);
            if (found != null && idle.compareAndSet(place, found, null)) {
                return found;
            }
        }
        return factory.get();
    }

    /** Keeps an object that the caller does not use any more, if there is a free place. */
    void giveBack(T object) {
        for (int i = 0; i < slots; i++) {
            int place = place(i);
            if (idle.getOpaque(place) == null && idle.compareAndSet(place, null, object)) {
                return;
            }
        }
    }

    /** Returns the sum of a figure of all that is idle. */
    long sum(ToLongFunction<T> figure) {
        long sum = 0;
        for (int i = 0; i < slots; i++) {
            T found = idle.get(place(i));
            sum += found == null ? 0 : figure.applyAsLong(found);
        }
        return sum;
    }

    /** Forgets what is idle. */
    void clear() {
        for (int i = 0; i < slots; i++) {
            idle.set(place(i), null);
        }
    }

    /** Returns the place where a thread looks first for its i-th choice: threads start at different ones. */
    @SuppressWarnings("deprecation") // since 19, where threadId() takes its place
    private int place(int i) {
        int home = (int) Long.remainderUnsigned(Thread.currentThread().getId(), slots);
        return ((home + i) % slots + 1) * STRIDE;
    }
}
