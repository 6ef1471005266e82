package dev.caskwright.client;

/**
 * Bounds retries to a fifth of all requests, with a few for the start: when everything fails, retries must not double the load.
 * Safe for any number of threads.
 */
final class RetryBudget {
    private static final double EARNED_BY_A_REQUEST = 0.2;
    private static final double MOST = 100;
    private static final double AT_START = 20;

    private double tokens = AT_START;

    synchronized void request() {
        tokens = Math.min(MOST, tokens + EARNED_BY_A_REQUEST);
    }

    /** Takes a retry; returns false if there is none left. */
    synchronized boolean takeRetry() {
        if (tokens < 1) {
            return false;
        }
        tokens--;
        return true;
    }
}
