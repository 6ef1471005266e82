package dev.caskwright.server;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A client as plain as can be: writes requests, reads replies of RESP2 and RESP3. Bulk strings become strings of ISO 8859-1,
 * errors {@link Failure}, arrays, sets and pushes lists, maps maps.
 */
final class RespClient implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 60_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    /** An error reply. */
    record Failure(String message) {}

    /** A push of RESP3. */
    record Push(List<Object> parts) {}

    RespClient(int port) throws IOException {
        this(new Socket(InetAddress.getByName("127.0.0.1"), port));
    }

    RespClient(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    static byte[] encode(String... arguments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(("*" + arguments.length + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        for (String argument : arguments) {
            byte[] content = argument.getBytes(StandardCharsets.ISO_8859_1);
            bytes.writeBytes(("$" + content.length + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            bytes.writeBytes(content);
            bytes.writeBytes(new byte[] {'\r', '\n'});
        }
        return bytes.toByteArray();
    }

    void send(String... arguments) throws IOException {
        sendRaw(encode(arguments));
    }

    void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    void sendRaw(String text) throws IOException {
        sendRaw(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Sends a request, and returns its reply. */
    Object call(String... arguments) throws IOException {
        send(arguments);
        return read();
    }

    /** Reads all that the server sends until it closes the connection. */
    String readAll() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    int readByte() throws IOException {
        return in.read();
    }

    Object read() throws IOException {
        int type = in.read();
        String line = line(type);
        return switch (type) {
            case '+' -> line;
            case '-' -> new Failure(line);
            case ':' -> Long.parseLong(line);
            case ',' -> Double.parseDouble(line);
            case '#' -> line.equals("t");
            case '_' -> null;
            case '$' -> bulk(Integer.parseInt(line));
            case '=' -> bulk(Integer.parseInt(line)).substring(4);
            case '*', '~' -> list(Integer.parseInt(line));
            case '>' -> new Push(list(Integer.parseInt(line)));
            case '%' -> map(Integer.parseInt(line));
            default -> throw new IOException("no reply begins with " + (char) type + line);
        };
    }

    private String line(int type) throws IOException {
        if (type < 0) {
            throw new EOFException("the server closed the connection");
        }
        StringBuilder line = new StringBuilder();
        int c = in.read();
        while (c != '\r') {
            if (c < 0) {
                throw new EOFException("the server closed the connection within a reply");
            }
            line.append((char) c);
            c = in.read();
        }
        if (in.read() != '\n') {
            throw new IOException("a line does not end with CRLF");
        }
        return line.toString();
    }

    private String bulk(int length) throws IOException {
        if (length < 0) {
            return null;
        }
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length || in.read() != '\r' || in.read() != '\n') {
            throw new EOFException("a bulk string is cut off");
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private List<Object> list(int size) throws IOException {
        if (size < 0) {
            return null;
        }
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            list.add(read());
        }
        return list;
    }

    private Map<Object, Object> map(int size) throws IOException {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < size; i++) {
            map.put(read(), read());
        }
        return map;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
