package dev.caskwright.testkit;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says which call to an IO manager fails, and how. One plan may watch any number of managers, and counts the calls to all
 * of them together. To walk every error path of a script, fail its call 0, 1, 2 ... until the plan no longer fires:
 *
 * <pre>{@code
 * for (int n = 0; ; n++) {
 *     FaultPlan plan = FaultPlan.failing(n).with(Fault.OUT_OF_SPACE);
 *     script(plan.wrap(disk.factory()));
 *     if (!plan.hasFired()) {
 *         return;
 *     }
 * }
 * }</pre>
 *
 * <p>Safe for any number of threads; the methods that return the plan itself are for before its use.
 */
public final class FaultPlan {
    private final long failing;
    private Set<IoOperation> operations = EnumSet.allOf(IoOperation.class);
    private Fault fault = Fault.IO_ERROR;
    private boolean isRepeating;
    private boolean isStopped;
    private long calls;
    private @Nullable IoCall fired;

    private FaultPlan(long failing) {
        this.failing = failing;
    }

    /** Returns a plan by which the {@code n}-th call, counted from 0, fails with an IO error. */
    public static FaultPlan failing(long n) {
        return new FaultPlan(n);
    }

    /** Returns a plan by which nothing fails, to count calls. */
    public static FaultPlan counting() {
        return new FaultPlan(Long.MAX_VALUE);
    }

    /** Counts and fails only these operations; at first all are counted. */
    public synchronized FaultPlan only(IoOperation first, IoOperation... more) {
        operations = EnumSet.of(first, more);
        return this;
    }

    /** Sets how the call fails; at first with {@link Fault#IO_ERROR}. */
    public synchronized FaultPlan with(Fault fault) {
        this.fault = Objects.requireNonNull(fault);
        return this;
    }

    /** Lets all counted calls after the n-th fail as well. */
    public synchronized FaultPlan fromThenOn() {
        isRepeating = true;
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

    /** Returns a manager that forwards to another one, but for what this plan lets fail. */
    public FaultyIoManager wrap(IoManager manager) {
        return new FaultyIoManager(manager, this);
    }

    /** Returns a factory of managers that forward, but for what this plan lets fail. */
    public IoManagerFactory wrap(IoManagerFactory factory) {
        return (directory, create) -> wrap(factory.open(directory, create));
    }

    /** Describes the first call that failed, for messages. */
    @Override
    public synchronized String toString() {
        return fault + (fired == null ? " (not fired)" : " at " + fired);
    }

    /** Counts a call, and returns the fault it is to meet, or null. */
    synchronized @Nullable Fault next(IoOperation operation, String file, String target, long offset, long length) {
        if (!operations.contains(operation)) {
            return null;
        }
        IoCall call = new IoCall(calls++, operation, file, target, offset, length);
        boolean isDue = isRepeating ? call.number() >= failing : call.number() == failing;
        if (!isDue || isStopped) {
            return null;
        }
        if (fired == null) {
            fired = call;
        }
        return fault;
    }

    /** Returns the error in which a call ends that meets the fault, unless it is one that the call does not declare. */
    static IOException error(Fault fault, IoOperation operation, String file) {
        String where = " (simulated): operation=" + operation + ", file=" + file;
        if (fault == Fault.OUT_OF_MEMORY || fault == Fault.OUT_OF_MEMORY_AFTER_EFFECT) {
            throw new OutOfMemoryError("Java heap space" + where);
        }
        if (fault == Fault.UNCHECKED) {
            throw new IllegalStateException("a plug-in's bug" + where);
        }
        boolean isForWantOfSpace = fault == Fault.OUT_OF_SPACE || fault == Fault.SHORT_WRITE_OUT_OF_SPACE;
        if (isForWantOfSpace && operation.isMutating() && operation != IoOperation.DELETE) {
            return new OutOfSpaceException("No space left on device" + where, null);
        }
        return new IOException("Input/output error" + where);
    }
}
