package dev.caskwright.owner;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** Makes channels and gives them back. */
final class Channels {
    private Channels() {}

    /**
     * Connects, and returns a channel that does not block; or empty if so many wait at the socket already that the system takes no
     * more. Never waits.
     *
     * @throws java.net.ConnectException if nobody listens
     */
    static Optional<SocketChannel> connect(UnixDomainSocketAddress address) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        boolean isConnected = false;
        try {
            channel.configureBlocking(false);
            isConnected = channel.connect(address);
            return isConnected ? Optional.of(channel) : Optional.empty();
        } finally {
            if (!isConnected) {
                close(channel);
            }
        }
    }

    /** Closes a channel of which nothing more is wanted. The descriptor is gone also where the system says that closing failed. */
    static void close(Closeable channel) {
        try {
            channel.close();
        } catch (IOException e) {
            return;
        }
    }
}
