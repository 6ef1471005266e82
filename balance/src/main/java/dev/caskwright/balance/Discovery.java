package dev.caskwright.balance;

import java.util.function.Consumer;

/** Says which endpoints a service has, now and whenever that changes. */
@FunctionalInterface
public interface Discovery {
    /**
     * Calls {@code listener} with the endpoints before it returns, if they are known by then, and again whenever they have
     * changed, from any thread but never two at once, until the watch is closed. While the source cannot be asked, the last list
     * stays in force.
     */
    Watch watch(Consumer<ServiceList> listener);

    /** Ends a watch. Closing twice is fine. */
    interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    /** Returns a discovery of endpoints that never change. */
    static Discovery fixed(ServiceList list) {
        return listener -> {
            listener.accept(list);
            return () -> {};
        };
    }
}
