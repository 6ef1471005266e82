package dev.caskwright.examples.series;

import java.time.Instant;

/** What was measured at a time, which is kept to the millisecond. */
public record Point(Instant at, double value) {}
