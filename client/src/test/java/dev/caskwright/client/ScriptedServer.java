package dev.caskwright.client;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A server that greets as one should and then answers what a test wants: a reply, nothing at all, or the end of the connection. */
final class ScriptedServer implements AutoCloseable {
    static final String SILENCE = "";
    static final String HANG_UP = "hang up";

    /** The commands that came, without those of the greeting. */
    final Queue<List<String>> commands = new ConcurrentLinkedQueue<>();

    private final ServerSocket listener;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile Function<List<String>, String> script;

    ScriptedServer(Function<List<String>, String> script) throws IOException {
        this.script = script;
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        start(this::accept);
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "scripted-server");
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return listener.getLocalPort();
    }

    void script(Function<List<String>, String> next) {
        script = next;
    }

    private void accept() {
        while (true) {
            try {
                Socket socket = listener.accept();
                sockets.add(socket);
                start(() -> serve(socket));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            while (true) {
                List<String> command = new ArrayList<>();
                int count = number(in);
                for (int i = 0; i < count; i++) {
                    byte[] word = in.readNBytes(number(in));
                    in.readNBytes(2);
                    command.add(new String(word, StandardCharsets.UTF_8));
                }
                String reply = answer(command);
                if (reply.equals(HANG_UP)) {
                    return;
                }
                out.write(reply.getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (IOException | NumberFormatException e) {
            // The client has gone.
            return;
        }
    }

    private String answer(List<String> command) {
        return switch (command.get(0)) {
            case "HELLO" ->
                "%7\r\n+server\r\n+redis\r\n+version\r\n+7.2.0\r\n+proto\r\n:3\r\n+id\r\n:1\r\n+mode\r\n+standalone\r\n"
                        + "+role\r\n+master\r\n+modules\r\n*0\r\n";
            case "PING", "CLIENT", "QUIT" -> "+OK\r\n";
            default -> {
                commands.add(command);
                yield script.apply(command);
            }
        };
    }

    private static int number(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new IOException("the client has gone");
            }
            if (c >= '0' && c <= '9') {
                line.append((char) c);
            }
        }
        return Integer.parseInt(line.toString());
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
