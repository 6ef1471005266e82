package dev.caskwright.testkit;

import java.util.Arrays;
import java.util.Random;

/**
 * Fills the heap, stays so for a moment, lets go, and begins again, so that others meet a real {@link OutOfMemoryError} at any
 * allocation. For a process with a small heap of its own. A daemon thread: the process does not outlive its main thread for it.
 */
public final class HeapHog extends Thread {
    private static final int LONGEST_ARRAY = 256 << 10;
    private static final int LONGEST_STAY_MILLIS = 10;

    private final Random random;
    private final byte[][] held;
    private final int longestPauseMillis;
    private volatile boolean isEnding;

    /**
     * Makes a hog that is not started.
     *
     * @param arrays how many arrays it holds at most
     * @param longestPauseMillis how long it lets others have the heap at most, in milliseconds; 1 or more
     */
    public HeapHog(long seed, int arrays, int longestPauseMillis) {
        super("hog");
        setDaemon(true);
        this.random = new Random(seed);
        this.held = new byte[arrays][];
        this.longestPauseMillis = longestPauseMillis;
    }

    /** Lets the hog end after it has let go. Does not wait for it. */
    public void end() {
        isEnding = true;
    }

    @Override
    public void run() {
        while (!isEnding) {
            int count = 0;
            int length = LONGEST_ARRAY;
            int least = 64 << random.nextInt(12);
            while (count < held.length && length >= least) {
                try {
                    held[count] = new byte[length];
                    count++;
                } catch (OutOfMemoryError e) {
                    length /= 4;
                }
            }
            await(random.nextInt(LONGEST_STAY_MILLIS));
            Arrays.fill(held, null);
            await(random.nextInt(longestPauseMillis));
        }
    }

    private static void await(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
