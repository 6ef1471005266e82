package dev.caskwright.api;

/**
 * The clock that expiry goes by.
 *
 * @param jumps how often it was seen to jump by more than a minute since opening, forwards or back
 */
public record ClockStats(long jumps) {
    static final ClockStats NONE = new ClockStats(0);
}
