/**
 * Benchmarks of the engine, its parts and its peers, on the same work in the same run.
 *
 * <p>{@link dev.caskwright.benchmarks.Contender} lists the stores and {@link dev.caskwright.benchmarks.RawLimit} what the
 * machine can do at all. {@link dev.caskwright.benchmarks.Bench} runs them in turn and writes the report; the classes
 * named {@code ...Benchmark} are for JMH.
 */
@NullMarked
package dev.caskwright.benchmarks;

import org.jspecify.annotations.NullMarked;
