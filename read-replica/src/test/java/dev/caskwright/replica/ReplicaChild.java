package dev.caskwright.replica;

import dev.caskwright.bitcask.BitcaskEngine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** A process that has a replica, and follows until it is killed, or dies at a step. */
final class ReplicaChild {
    private static final int KILLED = 137;

    private ReplicaChild() {}

    /** Takes the directories of replica and source, and before how many steps of copies it dies. */
    public static void main(String[] arguments) throws Exception {
        AtomicInteger left = new AtomicInteger(Integer.parseInt(arguments[2]));
        ReplicaBuilder options = ReadReplica.builder(Path.of(arguments[0]), ReplicaSource.at(Path.of(arguments[1])))
                .store(copy -> BitcaskEngine.builder(copy).maxFileBytes(4_000).open())
                .follow(Duration.ofMillis(1))
                .longestPause(Duration.ofMillis(10));
        options.steps = step -> {
            if (left.getAndDecrement() == 0) {
                Runtime.getRuntime().halt(KILLED);
            }
        };
        options.open();
        System.out.println("open");
        System.in.read(); // until killed
    }

    static Process start(Path replica, Path source, int steps) throws Exception {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ReplicaChild.class.getName(),
                        replica.toString(),
                        source.toString(),
                        Integer.toString(steps))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }
}
