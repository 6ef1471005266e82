package dev.caskwright.server;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A server in a process with a heap of 128 MiB. */
final class SmallServer implements AutoCloseable {
    private final Path directory;
    private final Process process;
    private final int port;

    private SmallServer(Path directory, Process process, int port) {
        this.directory = directory;
        this.process = process;
        this.port = port;
    }

    static SmallServer start() throws IOException {
        Path directory = Files.createTempDirectory("caskwright");
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledServer.class.getName(),
                        directory.resolve("store").toString(),
                        "no"))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String line = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
        if (line == null) {
            throw new IOException("the server did not start");
        }
        return new SmallServer(directory, process, Integer.parseInt(line));
    }

    int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly().onExit().join();
        SideFiles.deleteTree(directory);
    }
}
