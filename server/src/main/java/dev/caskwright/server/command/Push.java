package dev.caskwright.server.command;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Messages that answer no request: pushes in RESP3, arrays in RESP2. */
final class Push {
    private static final byte[] CRLF = {'\r', '\n'};

    private Push() {}

    static byte[] of(int protocol, String kind, byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        header(out, protocol == 3 ? '>' : '*', parts.length + 1);
        bulk(out, kind.getBytes(StandardCharsets.US_ASCII));
        for (byte[] part : parts) {
            bulk(out, part);
        }
        return out.toByteArray();
    }

    /** Returns a simple string. */
    static byte[] line(String text) {
        return ("+" + text + "\r\n").getBytes(StandardCharsets.UTF_8);
    }

    private static void bulk(ByteArrayOutputStream out, byte[] bytes) {
        header(out, '$', bytes.length);
        out.writeBytes(bytes);
        out.writeBytes(CRLF);
    }

    private static void header(ByteArrayOutputStream out, char type, int count) {
        out.write(type);
        out.writeBytes(Integer.toString(count).getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(CRLF);
    }
}
