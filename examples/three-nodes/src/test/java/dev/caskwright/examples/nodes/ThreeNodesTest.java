package dev.caskwright.examples.nodes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

final class ThreeNodesTest {
    private static final int KEYS = 100;

    @TempDir
    private Path directory;

    /** Returns ports that are free, for options that cannot ask for any. */
    private static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        List<Integer> ports = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                sockets.add(socket);
                ports.add(socket.getLocalPort());
            }
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
        return ports;
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void nothingIsLostWhenANodeIsKilledAndAllAreStartedAgain() throws Exception {
        List<Integer> ports = freePorts(2 * Nodes.COUNT);
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        try (Nodes nodes =
                new Nodes(directory, ports.subList(0, Nodes.COUNT), ports.subList(Nodes.COUNT, 2 * Nodes.COUNT))) {
            long lost = ThreeNodes.show(nodes, KEYS, new PrintStream(shown, true, StandardCharsets.UTF_8));
            assertEquals(0, lost, shown.toString(StandardCharsets.UTF_8));
            // The counting counts: these were never written.
            assertEquals(7, ThreeNodes.missing(nodes, 2 * KEYS + 7));
        }
        String log = Files.readString(directory.resolve("n2.log"));
        assertTrue(log.contains("ready to accept connections"), log);
    }
}
