package dev.caskwright.owner;

import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another process: the owner of a store, to be killed, or a client of another user. */
final class Child {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments[1]);
        if (arguments[0].equals("own")) {
            BitcaskEngine store = BitcaskEngine.open(path);
            store.put("k".getBytes(StandardCharsets.UTF_8), "v".getBytes(StandardCharsets.UTF_8));
            if (arguments.length > 2) {
                store.put("long".getBytes(StandardCharsets.UTF_8), new byte[Integer.parseInt(arguments[2])]);
            }
            System.out.println(OwnerSocket.open(store, path).trouble());
            System.in.read(); // until killed
            store.close();
        } else {
            System.out.println(connect(path));
        }
    }

    /** Tells what comes of a request: what the system says, or how many bytes were answered. */
    private static String connect(Path socket) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(Wire.request(Wire.STAT, new byte[0]));
            return "answered: " + Math.max(0, channel.read(ByteBuffer.allocate(100)));
        } catch (IOException e) {
            return "refused: " + e.getMessage();
        }
    }

    static Process start(List<String> before, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    static String firstLine(Process process) throws IOException {
        return String.valueOf(process.inputReader(StandardCharsets.UTF_8).readLine());
    }
}
