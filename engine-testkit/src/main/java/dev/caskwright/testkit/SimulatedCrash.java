package dev.caskwright.testkit;

/**
 * The process dies here. An error rather than an exception, so that no code under test mistakes it for a failure to
 * handle.
 */
public final class SimulatedCrash extends Error {
    private static final long serialVersionUID = 1L;

    SimulatedCrash(String message) {
        super(message);
    }
}
