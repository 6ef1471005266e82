package dev.caskwright.server.raft;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A connection that shows replies as they come: their type, then their text; {@code $-1} and {@code *-1} are nothing. */
final class RespConnection implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 60_000;

    private final Socket socket;
    private final InputStream in;

    RespConnection(int port) throws IOException {
        socket = new Socket(InetAddress.getByName("127.0.0.1"), port);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream());
    }

    String call(String... arguments) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(("*" + arguments.length + "\r\n").getBytes(StandardCharsets.UTF_8));
        for (String argument : arguments) {
            byte[] content = argument.getBytes(StandardCharsets.UTF_8);
            bytes.writeBytes(("$" + content.length + "\r\n").getBytes(StandardCharsets.UTF_8));
            bytes.writeBytes(content);
            bytes.writeBytes(new byte[] {'\r', '\n'});
        }
        socket.getOutputStream().write(bytes.toByteArray());
        return read();
    }

    private String read() throws IOException {
        String line = line();
        char type = line.charAt(0);
        if (line.equals("$-1") || (type != '$' && type != '*') || line.equals("*-1")) {
            return line;
        }
        int size = Integer.parseInt(line.substring(1));
        if (type == '$') {
            byte[] bytes = in.readNBytes(size + 2);
            if (bytes.length < size + 2) {
                throw new EOFException("the connection was closed within a reply");
            }
            return "$" + new String(bytes, 0, size, StandardCharsets.UTF_8);
        }
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            parts.add(read());
        }
        return "*" + parts;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        int c = in.read();
        while (c != '\r') {
            if (c < 0) {
                throw new EOFException("the connection was closed");
            }
            line.append((char) c);
            c = in.read();
        }
        in.read();
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
