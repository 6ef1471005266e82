package dev.caskwright.api;

/**
 * What was written since opening.
 *
 * @param writtenBytes bytes that writers have appended
 */
public record WriteStats(long writtenBytes) {
    static final WriteStats NONE = new WriteStats(0);
}
