package dev.caskwright.moss;

import java.time.Instant;

/**
 * A state of a store with its own files that can be read and gone back to.
 *
 * @param time when it was made
 * @param version the version of the last write that it shows
 */
public record Checkpoint(String name, Instant time, long version) {}
