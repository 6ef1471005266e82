package dev.caskwright.api;

/**
 * Images of the key index, from which a store opens without a replay.
 *
 * @param saved how many were saved since opening
 */
public record ImageStats(long saved) {
    static final ImageStats NONE = new ImageStats(0);
}
