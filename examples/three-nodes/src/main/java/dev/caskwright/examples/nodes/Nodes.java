package dev.caskwright.examples.nodes;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Three servers of one cluster, each a process of its own, as on three machines. All of the configuration is in the files
 * {@code n1.conf} to {@code n3.conf}. Nodes may be stopped by any thread.
 */
public final class Nodes implements AutoCloseable {
    /** How many there are. */
    public static final int COUNT = 3;

    private final Path directory;
    private final List<Integer> clientPorts;
    private final List<Integer> nodePorts;
    private final Map<Integer, Process> running = new ConcurrentHashMap<>();

    /**
     * Writes the configurations; starts nothing.
     *
     * @param directory where they and the stores are; made if it is missing
     * @param clientPorts where each node is reached by clients
     * @param nodePorts where each node is reached by the others
     */
    public Nodes(Path directory, List<Integer> clientPorts, List<Integer> nodePorts) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.clientPorts = List.copyOf(clientPorts);
        this.nodePorts = List.copyOf(nodePorts);
        StringJoiner peers = new StringJoiner(" ");
        for (int node = 1; node <= COUNT; node++) {
            peers.add("n" + node + "@127.0.0.1:" + nodePorts.get(node - 1) + "/" + clientPort(node));
        }
        for (int node = 1; node <= COUNT; node++) {
            Files.writeString(
                    file(node, ".conf"),
                    String.join(
                            "\n",
                            "mode cache",
                            "cache-id n" + node,
                            "cache-peers " + peers,
                            "bind 127.0.0.1",
                            "port " + clientPort(node),
                            ""));
        }
    }

    /** Returns where a node is reached by clients; the first is 1. */
    public int clientPort(int node) {
        return clientPorts.get(node - 1);
    }

    private Path file(int node, String end) {
        return directory.resolve("n" + node + end);
    }

    /**
     * Starts nodes and waits until all of them serve. Those that were there last wait for each other, so they are started together.
     *
     * @throws IOException if one ends before it serves; the message has its log
     */
    public void start(int... nodes) throws IOException {
        for (int node : nodes) {
            // What "./caskwright serve" starts.
            running.put(
                    node,
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                    "-Xmx256m",
                                    "-XX:+UseSerialGC",
                                    "-XX:TieredStopAtLevel=1", // starts sooner; leave it out for work
                                    "-classpath",
                                    System.getProperty("java.class.path"),
                                    "dev.caskwright.cli.Main",
                                    "serve",
                                    "--dir",
                                    file(node, "").toString(),
                                    "--conf",
                                    file(node, ".conf").toString())
                            .redirectError(file(node, ".log").toFile())
                            .start());
        }
        for (int node : nodes) {
            BufferedReader lines = running.get(node).inputReader();
            String line = lines.readLine();
            if (line == null) {
                throw new IOException("node " + node + " ended: " + Files.readString(file(node, ".log")));
            }
        }
    }

    /** Kills a node as {@code kill -9} does. */
    public void kill(int node) {
        running.remove(node).destroyForcibly().onExit().join();
    }

    /** Ends all nodes that run, as SIGTERM does: together, so that they can start together. */
    public void stop() {
        running.values().forEach(Process::destroy);
        running.values().forEach(process -> process.onExit().join());
        running.clear();
    }

    @Override
    public void close() {
        stop();
    }
}
