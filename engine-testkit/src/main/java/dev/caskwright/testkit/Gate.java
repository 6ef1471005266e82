package dev.caskwright.testkit;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.function.Predicate;

/**
 * Makes calls to IO managers take as long as a test wants, by a latch and not by time: a disk that forces for seconds, or
 * answers late.
 *
 * <pre>{@code
 * Gate gate = new Gate(call -> call.operation() == IoOperation.FORCE);
 * StorageEngine engine = open(gate.wrap(disk.factory()));
 * gate.shut();
 * Future<?> put = executor.submit(() -> engine.put(key, value, WriteOptions.SYNC));
 * gate.awaitWaiting(1); // the force is under way
 * ...
 * gate.open();
 * }</pre>
 *
 * <p>Open at first. Safe for any number of threads.
 */
public final class Gate implements IoHook {
    private final Predicate<IoCall> isHeld;
    private boolean isShut;
    private int waiting;

    /** Makes a gate for the calls that a test names. */
    public Gate(Predicate<IoCall> isHeld) {
        this.isHeld = isHeld;
    }

    /** Lets calls wait from now on. */
    public synchronized void shut() {
        isShut = true;
    }

    /** Lets all calls go on that wait, and all that come. */
    public synchronized void open() {
        isShut = false;
        notifyAll();
    }

    /** Returns how many calls wait. */
    public synchronized int waiting() {
        return waiting;
    }

    /** Waits until at least so many calls wait. */
    public synchronized void awaitWaiting(int count) throws InterruptedException {
        while (waiting < count) {
            wait();
        }
    }

    /**
     * Waits while the gate is shut.
     *
     * @throws InterruptedIOException if the thread is interrupted while it waits
     */
    @Override
    public synchronized void before(IoCall call) throws IOException {
        if (!isShut || !isHeld.test(call)) {
            return;
        }
        waiting++;
        notifyAll();
        try {
            while (isShut) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted at the gate: " + call).initCause(e);
        } finally {
            waiting--;
        }
    }
}
