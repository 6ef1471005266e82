package dev.caskwright.server.raft;

/**
 * When something that is looked at again and again is tried: not while it is under way, and after each failure in a row not for twice
 * as many looks, up to {@value #MOST_LOOKS}. Safe for any number of threads.
 */
final class Attempts {
    static final int MOST_LOOKS = 64;

    private boolean isUnderWay;
    private int left;
    private int pause = 1;

    /** Returns whether to try now; {@link #ended} is called after that. */
    synchronized boolean begin() {
        if (isUnderWay) {
            return false;
        }
        if (left > 0) {
            left--;
            return false;
        }
        isUnderWay = true;
        return true;
    }

    /** Notes how it ended. */
    synchronized void ended(boolean wasFailure) {
        isUnderWay = false;
        left = wasFailure ? pause : 0;
        pause = wasFailure ? Math.min(2 * pause, MOST_LOOKS) : 1;
    }
}
