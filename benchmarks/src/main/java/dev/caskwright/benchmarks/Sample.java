package dev.caskwright.benchmarks;

/**
 * One measured value.
 *
 * @param subject id of a {@link Contender} or {@link RawLimit}
 * @param detail the percentile of a latency, such as {@code p99.9} or {@code max}; empty for everything else
 */
record Sample(String subject, Metric metric, String detail, long keys, int valueSize, double value) {
    /** Returns the line in which a child process reports it. */
    String toLine() {
        return String.join(
                "\t",
                subject,
                metric.name(),
                detail,
                Long.toString(keys),
                Integer.toString(valueSize),
                Double.toString(value));
    }

    static Sample ofLine(String line) {
        String[] parts = line.split("\t", -1);
        return new Sample(
                parts[0],
                Metric.valueOf(parts[1]),
                parts[2],
                Long.parseLong(parts[3]),
                Integer.parseInt(parts[4]),
                Double.parseDouble(parts[5]));
    }
}
