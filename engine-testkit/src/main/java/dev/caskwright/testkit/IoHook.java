package dev.caskwright.testkit;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import java.io.IOException;

/**
 * Sees every call to the IO managers that it wraps, just before it is made, in the thread that makes it. What it throws
 * comes out of the call, which then is not made. It may wait, count, take a copy of the disk, or fail.
 */
@FunctionalInterface
public interface IoHook {
    /** Learns of a call, which is made when this returns. The call's number is 0. */
    void before(IoCall call) throws IOException;

    /** Returns a manager that shows every call to this hook and forwards it to {@code manager}. */
    default IoManager wrap(IoManager manager) {
        return new HookedIoManager(manager, this);
    }

    /** Returns a factory of managers that show every call to this hook. */
    default IoManagerFactory wrap(IoManagerFactory factory) {
        return (directory, create) -> wrap(factory.open(directory, create));
    }
}
