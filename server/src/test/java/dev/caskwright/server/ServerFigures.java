package dev.caskwright.server;

import com.sun.management.ThreadMXBean;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.resp.ProtocolException;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.resp.RequestLimits;
import dev.caskwright.server.resp.RequestParser;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * What {@code benchmarks/beside-redis.sh} measures that no client of Redis can.
 *
 * <pre>
 * slow DIRECTORY PORT MILLIS    serves a store whose forces take so much longer, at "always" and with reads that may pass
 * echo PORT                     answers GET with 100 bytes and all else with OK, over the server's parser and Netty, without a store
 * appends DIRECTORY GROUP       prints how many puts a second there are if each group of them gets a force, without a server
 * garbage DIRECTORY             prints how many bytes the event loop allocates for a GET and for a SET, pipelined by 16
 * idle PORT COUNT               opens connections, tells so, and closes them at the end of its input
 * </pre>
 */
public final class ServerFigures {
    private static final int VALUE_BYTES = 100;
    private static final int KEYS = 1_000_000;
    private static final int PIPELINED = 16;
    private static final long MEASURED_NANOS = TimeUnit.SECONDS.toNanos(3);

    private ServerFigures() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "slow" ->
                serveSlowly(Path.of(arguments[1]), Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
            case "echo" -> echo(Integer.parseInt(arguments[1]));
            case "appends" -> appends(Path.of(arguments[1]), Integer.parseInt(arguments[2]));
            case "garbage" -> garbage(Path.of(arguments[1]));
            case "idle" -> idle(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
            default -> throw new IllegalArgumentException("unknown figure: " + arguments[0]);
        }
    }

    private static void serveSlowly(Path directory, int port, int millis) throws Exception {
        ServerConfig config = new ServerConfig()
                .set("port", Integer.toString(port))
                .set("bind", "127.0.0.1")
                .set("appendfsync", "always")
                .set("strict-reads", "no");
        try (StorageEngine store = BitcaskEngine.builder(directory)
                        .io((path, create) -> new SlowIo(MmapIoManager.open(path, create), millis))
                        .open();
                CaskServer server = CaskServer.start(store, config)) {
            server.awaitShutdown();
        }
    }

    private static void echo(int port) throws Exception {
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        new ServerBootstrap()
                .group(group)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 511)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new Echo());
                    }
                })
                .bind("127.0.0.1", port)
                .sync()
                .channel()
                .closeFuture()
                .sync();
    }

    private static void appends(Path directory, int group) throws IOException {
        try (StorageEngine store =
                BitcaskEngine.builder(directory).io(MmapIoManager::open).open()) {
            Random random = new Random(1);
            long puts = 0;
            long start = 0;
            long warm = System.nanoTime() + MEASURED_NANOS / 3;
            while (start == 0 || System.nanoTime() - start < MEASURED_NANOS) {
                if (start == 0 && System.nanoTime() > warm) {
                    start = System.nanoTime();
                    puts = 0;
                }
                for (int i = 0; i < group; i++) {
                    store.put(key(random.nextInt(KEYS)), new byte[1 + VALUE_BYTES], WriteOptions.WRITE);
                }
                store.sync();
                puts += group;
            }
            System.out.println(puts * TimeUnit.SECONDS.toNanos(1) / (System.nanoTime() - start));
        }
    }

    private static byte[] key(int i) {
        return String.format(Locale.ROOT, "key:%012d", i).getBytes(StandardCharsets.US_ASCII);
    }

    private static void garbage(Path directory) throws Exception {
        ServerConfig config = new ServerConfig().set("port", "0").set("bind", "127.0.0.1");
        try (StorageEngine store =
                        BitcaskEngine.builder(directory).io(MmapIoManager::open).open();
                CaskServer server = CaskServer.start(store, config)) {
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long loop = Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                    .filter(each -> each.getThreadName().startsWith("caskwright-io"))
                    .findFirst()
                    .orElseThrow()
                    .getThreadId();
            for (String command : List.of("SET", "GET")) {
                exchange(server.port(), command, 40_000);
                long before = threads.getThreadAllocatedBytes(loop);
                exchange(server.port(), command, 20_000);
                long bytes = threads.getThreadAllocatedBytes(loop) - before;
                System.out.println(command + "|" + bytes / (20_000L * PIPELINED));
            }
        }
    }

    /** Sends a pipeline, awaits its replies, and so on. */
    private static void exchange(int port, String command, int times) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            String value = command.equals("SET") ? "$" + VALUE_BYTES + "\r\n" + "x".repeat(VALUE_BYTES) + "\r\n" : "";
            String reply =
                    command.equals("SET") ? "+OK\r\n" : "$" + VALUE_BYTES + "\r\n" + "x".repeat(VALUE_BYTES) + "\r\n";
            StringBuilder pipeline = new StringBuilder();
            for (int i = 0; i < PIPELINED; i++) {
                pipeline.append(command.equals("SET") ? "*3" : "*2")
                        .append("\r\n$3\r\n")
                        .append(command)
                        .append("\r\n$16\r\n")
                        .append(new String(key(i), StandardCharsets.US_ASCII))
                        .append("\r\n")
                        .append(value);
            }
            byte[] request = pipeline.toString().getBytes(StandardCharsets.US_ASCII);
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            for (int i = 0; i < times; i++) {
                out.write(request);
                if (in.readNBytes(PIPELINED * reply.length()).length != PIPELINED * reply.length()) {
                    throw new IOException("the server ended");
                }
            }
        }
    }

    private static void idle(int port, int count) throws IOException {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                Socket socket = new Socket();
                sockets.add(socket);
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
                String answer = new String(socket.getInputStream().readNBytes(7), StandardCharsets.US_ASCII);
                if (!answer.equals("+PONG\r\n")) {
                    throw new IOException("no answer to a PING: count=" + i + ", answer=" + answer);
                }
            }
            System.out.println("open");
            while (System.in.read() >= 0) {
                Thread.onSpinWait();
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    /** Forces take longer. */
    private static final class SlowIo extends ForwardingIoManager {
        private final int millis;

        SlowIo(IoManager manager, int millis) {
            super(manager);
            this.millis = millis;
        }

        @Override
        public WritableFile create(String name, long expectedLength) throws IOException {
            return new SlowFile(super.create(name, expectedLength));
        }

        @Override
        public WritableFile createSequential(String name, long expectedLength) throws IOException {
            return new SlowFile(super.createSequential(name, expectedLength));
        }

        @Override
        public WritableFile openWritable(String name) throws IOException {
            return new SlowFile(super.openWritable(name));
        }

        private final class SlowFile extends ForwardingWritableFile {
            SlowFile(WritableFile file) {
                super(file);
            }

            @Override
            public void force() throws IOException {
                try {
                    Thread.sleep(millis);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                super.force();
            }
        }
    }

    private static final class Echo extends ChannelInboundHandlerAdapter {
        private static final byte[] VALUE = "x".repeat(VALUE_BYTES).getBytes(StandardCharsets.US_ASCII);

        private final RequestParser parser = new RequestParser(new RequestLimits(1 << 20, 1 << 26, 1 << 28));
        private final Request request = new Request();
        private byte[] input = new byte[64 << 10];
        private int length;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws ProtocolException {
            ByteBuf bytes = (ByteBuf) message;
            int count = bytes.readableBytes();
            if (input.length - length < count) {
                input = Arrays.copyOf(input, 2 * (length + count));
            }
            bytes.readBytes(input, length, count);
            bytes.release();
            length += count;
            List<ByteBuf> chunks = new ArrayList<>(1);
            Reply reply = new Reply(context.alloc(), chunks);
            reply.begin(chunks, 2);
            int from = 0;
            while (true) {
                int next = parser.parse(input, from, length, request);
                if (next == RequestParser.INCOMPLETE) {
                    break;
                }
                from = next;
                if (request.is(0, "GET")) {
                    reply.bulk(VALUE);
                } else if (request.is(0, "CONFIG")) {
                    reply.error("ERR there is none");
                } else {
                    reply.ok();
                }
            }
            System.arraycopy(input, from, input, 0, length - from);
            length -= from;
            reply.drain();
            chunks.forEach(chunk -> context.write(chunk, context.voidPromise()));
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
