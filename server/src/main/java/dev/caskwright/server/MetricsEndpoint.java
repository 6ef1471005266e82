package dev.caskwright.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers {@code GET /metrics} by HTTP, for Prometheus, on a port of its own. It is no web server: a request is a head of up to 8 KiB,
 * a connection serves one, and all others are errors. It has neither users nor TLS.
 *
 * <p><b>Bounds.</b> There are at most {@value #MOST_CONNECTIONS} connections, each for {@value #SECONDS} seconds at most, whatever a
 * client sends or does not read. The figures are taken once a second at most, however often they are asked for.
 */
@SuppressWarnings("FutureReturnValueIgnored") // of Netty's writes and closes, whose failure ends the channel
final class MetricsEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(MetricsEndpoint.class);
    private static final int MOST_CONNECTIONS = 16;
    private static final int MOST_HEAD_BYTES = 8 << 10;
    private static final int SECONDS = 10;
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final String PATH = "/metrics";

    private final Figures source;
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private @Nullable Channel listener;
    private byte @Nullable [] last; // guarded by this
    private boolean isTaken;
    private long takenNanos;

    /** Where the figures come from. */
    interface Figures {
        /** Returns them in the text format of Prometheus. For any thread. */
        String text() throws IOException;
    }

    MetricsEndpoint(Figures source) {
        this.source = source;
    }

    /** Starts to listen; returns the port. */
    int listen(EventLoopGroup group, Class<? extends ServerChannel> type, String address, int port) throws IOException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(type)
                .option(ChannelOption.SO_BACKLOG, MOST_CONNECTIONS)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
        try {
            Channel bound = bootstrap
                    .bind(new InetSocketAddress(InetAddress.getByName(address), port))
                    .syncUninterruptibly()
                    .channel();
            listener = bound;
            return ((InetSocketAddress) bound.localAddress()).getPort();
        } catch (Exception e) { // Netty throws what it does not declare
            throw new IOException(
                    "cannot listen for requests of metrics: metrics-bind=" + address + ", metrics-port=" + port, e);
        }
    }

    void accept(Channel channel) {
        if (connections.size() >= MOST_CONNECTIONS) {
            channel.close();
            return;
        }
        connections.add(channel);
        channel.pipeline().addLast(new Exchange());
        // Taken back when the channel closes: a waiting task would hold each channel that there was within these
        // seconds.
        ScheduledFuture<?> end = channel.eventLoop().schedule(() -> channel.close(), SECONDS, TimeUnit.SECONDS);
        channel.closeFuture().addListener(closed -> end.cancel(false));
    }

    /** Ends all connections, and listens no more. */
    void close() {
        if (listener != null) {
            listener.close().syncUninterruptibly();
        }
        connections.close();
    }

    /** Returns the text, or null if the figures could not be taken. */
    private synchronized byte @Nullable [] figures() {
        long now = System.nanoTime();
        if (!isTaken || now - takenNanos >= FRESH_NANOS) {
            isTaken = true;
            takenNanos = now;
            last = null; // those of before are not told as those of now, whatever happens
            try {
                last = source.text().getBytes(StandardCharsets.UTF_8);
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                LOG.warn("the figures could not be taken", e);
            }
        }
        return last;
    }

    /** One request and its response. In the thread of the channel's loop. */
    private final class Exchange extends ChannelInboundHandlerAdapter {
        private final StringBuilder head = new StringBuilder();
        private boolean isAnswered;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            try {
                if (!isAnswered) {
                    take(context, bytes);
                }
            } finally {
                bytes.release();
            }
        }

        private void take(ChannelHandlerContext context, ByteBuf bytes) {
            int room = MOST_HEAD_BYTES - head.length();
            int length = Math.min(room, bytes.readableBytes());
            head.append(bytes.readCharSequence(length, StandardCharsets.ISO_8859_1));
            int end = head.indexOf("\r\n\r\n");
            if (end < 0) {
                end = head.indexOf("\n\n");
            }
            if (end >= 0) {
                answer(context, head.substring(0, end));
            } else if (head.length() >= MOST_HEAD_BYTES) {
                send(context, "431 Request Header Fields Too Large", false);
            }
        }

        private void answer(ChannelHandlerContext context, String request) {
            String[] words = request.lines().findFirst().orElse("").split(" ", -1);
            if (words.length != 3 || !words[2].startsWith("HTTP/1.")) {
                send(context, "400 Bad Request", false);
                return;
            }
            boolean isHead = words[0].equals("HEAD");
            if (!isHead && !words[0].equals("GET")) {
                send(context, "405 Method Not Allowed", false);
                return;
            }
            int query = words[1].indexOf('?');
            if (!(query < 0 ? words[1] : words[1].substring(0, query)).equals(PATH)) {
                send(context, "404 Not Found", isHead);
                return;
            }
            byte[] figures = figures();
            if (figures == null) {
                send(context, "500 Internal Server Error", isHead);
                return;
            }
            send(context, "200 OK", "text/plain; version=0.0.4; charset=utf-8", figures, isHead);
        }

        private void send(ChannelHandlerContext context, String status, boolean isHead) {
            byte[] text = (status + "\n").getBytes(StandardCharsets.US_ASCII);
            send(context, status, "text/plain; charset=utf-8", text, isHead);
        }

        private void send(ChannelHandlerContext context, String status, String type, byte[] body, boolean isHead) {
            isAnswered = true;
            String allow = status.startsWith("405") ? "Allow: GET, HEAD\r\n" : "";
            byte[] start = ("HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\nContent-Length: " + body.length
                            + "\r\n" + allow
                            + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII);
            ByteBuf response = isHead ? Unpooled.wrappedBuffer(start) : Unpooled.wrappedBuffer(start, body);
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            LOG.debug("a connection for metrics ended", cause);
            context.close();
        }
    }
}
