package dev.caskwright.server.infinispan;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketImpl;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A connection to another node, over TLS once that is agreed on. Closing it closes what is below TLS, which ends a handshake too and
 * waits for nobody. Safe for any number of threads once it is greeted.
 */
class NodeSocket extends Socket {
    /** All nodes are of this project, so none needs an older one. */
    private static final String[] PROTOCOLS = {"TLSv1.3"};

    /** What JGroups says before its address: 4 bytes of a cookie, 2 of a version, 2 of the length of the address. */
    private static final int GREETING_HEAD = 8;

    /** The longest address, of IPv6, takes a tenth of it. */
    private static final int LONGEST_ADDRESS = 256;

    private volatile @Nullable InputStream in;
    private volatile @Nullable OutputStream out;

    /** Makes one to connect. */
    NodeSocket() {}

    private NodeSocket(@Nullable SocketImpl given) throws SocketException {
        super(given);
    }

    /** Makes one to accept. */
    static NodeSocket toAccept() throws SocketException {
        return new NodeSocket(null);
    }

    /**
     * Waits until the peer has said which node it is, as JGroups has it say first: a cookie and a version, then an address and, before
     * it, its length. JGroups reads that later, all of it, and waits for nothing.
     */
    final void awaitGreeting() throws IOException {
        InputStream stream = getInputStream();
        byte[] head = stream.readNBytes(GREETING_HEAD);
        int length = head.length < GREETING_HEAD ? 0 : ByteBuffer.wrap(head).getShort(GREETING_HEAD - Short.BYTES);
        if (length <= 0 || length > LONGEST_ADDRESS) {
            throw new ProtocolException(
                    "the peer does not greet as a node does: " + HexFormat.of().formatHex(head));
        }
        byte[] address = stream.readNBytes(length);
        if (address.length < length) {
            throw new EOFException("the peer went while it greeted");
        }
        PushbackInputStream greeted = new PushbackInputStream(stream, GREETING_HEAD + length);
        greeted.unread(address);
        greeted.unread(head);
        in = greeted;
    }

    /** Agrees on TLS with a peer; each has to show its certificate. */
    final void secure(SSLContext context, boolean isClient) throws IOException {
        SSLSocket secured = (SSLSocket) context.getSocketFactory().createSocket(this, null, true);
        secured.setUseClientMode(isClient);
        secured.setNeedClientAuth(!isClient);
        secured.setEnabledProtocols(PROTOCOLS);
        secured.startHandshake();
        in = secured.getInputStream();
        out = secured.getOutputStream();
    }

    @Override
    public InputStream getInputStream() throws IOException {
        InputStream found = in;
        return found == null ? super.getInputStream() : found;
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        OutputStream found = out;
        return found == null ? super.getOutputStream() : found;
    }
}
