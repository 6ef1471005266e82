package dev.caskwright.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/** Stands in the help for the benchmarks, which are a program of their own that the launcher starts. */
@Command(
        name = "bench",
        description = {
            "Measure this store beside others, and write a report to target/bench-report; five minutes. 'caskwright bench jmh'"
                    + " runs the JMH benchmarks.",
            "The benchmarks and the stores that they compare with are no part of this program: the script ./caskwright of a"
                    + " source tree builds and starts them, and './caskwright bench --help' tells their options."
        })
final class BenchCommand implements Callable<Integer> {
    @Option(names = "--dir", paramLabel = "DIR", description = "Where the stores are made.")
    @SuppressWarnings("UnusedVariable") // read by the program that the launcher starts
    private String directory = "";

    @Unmatched
    @SuppressWarnings("UnusedVariable") // read by the program that the launcher starts
    private String[] others = {};

    @Override
    public Integer call() {
        throw new UsageException(
                "the benchmarks are started by the script ./caskwright in a source tree: ./caskwright bench");
    }
}
