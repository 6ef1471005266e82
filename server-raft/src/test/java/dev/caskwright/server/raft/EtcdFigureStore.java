package dev.caskwright.server.raft;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.thirdparty.io.grpc.CallOptions;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.MethodDescriptor;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.stub.ClientCalls;

/**
 * Three processes of etcd. Its clients speak gRPC, its only protocol, by the library that Ratis brings: each has a connection of its
 * own, as those of {@link CaskwrightFigureStore} have, and the same requests on their way at once.
 */
final class EtcdFigureStore implements FigureStore {
    private static final int MEMBERS = 3;
    private static final String PROGRAM = System.getProperty("caskwright.figures.etcd", "/usr/bin/etcd");

    private final Path directory;
    private final long electionMillis;
    private final List<Integer> ports = RaftServerTest.freePorts(2 * MEMBERS);
    private final Process[] processes = new Process[MEMBERS];
    private final HttpClient http = HttpClient.newHttpClient();

    EtcdFigureStore(Path directory, long electionMillis) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.electionMillis = electionMillis;
        for (int i = 0; i < MEMBERS; i++) {
            start(i);
        }
    }

    static boolean isThere() {
        return Files.isExecutable(Path.of(PROGRAM));
    }

    private String clients(int member) {
        return "http://127.0.0.1:" + ports.get(member);
    }

    private String peers(int member) {
        return "http://127.0.0.1:" + ports.get(MEMBERS + member);
    }

    @Override
    public void start(int member) throws IOException {
        StringBuilder cluster = new StringBuilder();
        for (int i = 0; i < MEMBERS; i++) {
            cluster.append(i == 0 ? "" : ",").append("n").append(i).append('=').append(peers(i));
        }
        processes[member] = new ProcessBuilder(
                        PROGRAM,
                        "--name=n" + member,
                        "--data-dir=" + directory.resolve("n" + member),
                        "--listen-client-urls=" + clients(member),
                        "--advertise-client-urls=" + clients(member),
                        "--listen-peer-urls=" + peers(member),
                        "--initial-advertise-peer-urls=" + peers(member),
                        "--initial-cluster=" + cluster,
                        "--initial-cluster-state=new",
                        "--election-timeout=" + electionMillis,
                        "--heartbeat-interval=" + electionMillis / 10,
                        "--quota-backend-bytes=" + (8L << 30),
                        "--logger=zap",
                        "--log-level=error")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("n" + member + ".log").toFile())
                .start();
    }

    @Override
    public List<Process> processes() {
        return Arrays.asList(processes);
    }

    @Override
    public int awaitLeader() throws IOException {
        int[] leader = {-1};
        RaftServerTest.await("a leader, and members that are in step", () -> {
            long most = -1;
            long least = Long.MAX_VALUE;
            leader[0] = -1;
            for (int i = 0; i < MEMBERS; i++) {
                String metrics = metrics(i);
                leader[0] = metrics.contains("\netcd_server_is_leader 1") ? i : leader[0];
                long applied = figure(metrics, "etcd_server_proposals_applied_total");
                most = Math.max(most, applied);
                least = Math.min(least, applied);
            }
            return leader[0] >= 0 && least >= 0 && most == least;
        });
        return leader[0];
    }

    private String metrics(int member) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(clients(member) + "/metrics"))
                .timeout(java.time.Duration.ofSeconds(1))
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException e) {
            return ""; // it is not up yet
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException("interrupted", e));
        }
    }

    private static long figure(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElse(-1);
    }

    @Override
    public Client client(int member) {
        return new GrpcClient(ports.get(member));
    }

    private static final class GrpcClient implements Client {
        private static final long PATIENCE_SECONDS = 60;
        private static final MethodDescriptor<byte[], byte[]> PUT = method("Put");
        private static final MethodDescriptor<byte[], byte[]> RANGE = method("Range");

        private final ManagedChannel channel;

        GrpcClient(int port) {
            channel = NettyChannelBuilder.forAddress("127.0.0.1", port)
                    .usePlaintext()
                    .directExecutor()
                    .build();
        }

        private static MethodDescriptor<byte[], byte[]> method(String name) {
            return MethodDescriptor.<byte[], byte[]>newBuilder()
                    .setType(MethodDescriptor.MethodType.UNARY)
                    .setFullMethodName("etcdserverpb.KV/" + name)
                    .setRequestMarshaller(new Bytes())
                    .setResponseMarshaller(new Bytes())
                    .build();
        }

        @Override
        public void put(long[] keys, int bytes) throws IOException {
            byte[] value = new byte[bytes];
            List<Future<byte[]>> replies = new ArrayList<>(keys.length);
            for (long key : keys) {
                ThreadLocalRandom.current().nextBytes(value);
                ByteArrayOutputStream request = new ByteArrayOutputStream(bytes + 32);
                field(request, 1, FigureStore.key(key));
                field(request, 2, value);
                replies.add(call(PUT, request));
            }
            for (Future<byte[]> reply : replies) {
                await(reply);
            }
        }

        @Override
        public void get(long[] keys, int bytes) throws IOException {
            List<Future<byte[]>> replies = new ArrayList<>(keys.length);
            for (long key : keys) {
                ByteArrayOutputStream request = new ByteArrayOutputStream(32);
                field(request, 1, FigureStore.key(key));
                replies.add(call(RANGE, request)); // linearizable unless the request says otherwise
            }
            for (Future<byte[]> reply : replies) {
                byte[] found = await(reply);
                if (found.length < bytes) {
                    throw new IOException("the value is missing: length of the reply=" + found.length);
                }
            }
        }

        private Future<byte[]> call(MethodDescriptor<byte[], byte[]> method, ByteArrayOutputStream request) {
            CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return ClientCalls.futureUnaryCall(channel.newCall(method, options), request.toByteArray());
        }

        private static byte[] await(Future<byte[]> reply) throws IOException {
            try {
                return reply.get();
            } catch (ExecutionException e) {
                throw new IOException("etcd refused: " + e.getCause(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }

        /** Adds a field of bytes, as protobuf has it. */
        private static void field(ByteArrayOutputStream out, int number, byte[] content) {
            out.write(number << 3 | 2);
            int left = content.length;
            while (left > 0x7F) {
                out.write(left & 0x7F | 0x80);
                left >>>= 7;
            }
            out.write(left);
            out.writeBytes(content);
        }

        @Override
        public void close() {
            channel.shutdownNow();
        }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
