package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Snapshot;
import dev.caskwright.bitcask.EngineBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.apache.ratis.util.CodeInjectionForTesting;

/** Members of a group in this JVM, on loopback, and a network between them that can be cut. */
final class Cluster implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final List<String> CALLS =
            List.of("RaftServerImpl.appendEntries", "RaftServerImpl.requestVote", "RaftServerImpl.installSnapshot");

    private final Path directory;
    private final String group;
    final List<RaftMember> members = new ArrayList<>();
    final Map<String, RaftNode> nodes = java.util.Collections.synchronizedSortedMap(new TreeMap<>());
    final Map<String, UnaryOperator<EngineBuilder>> stores = new HashMap<>();
    final Map<String, InstantSource> clocks = new HashMap<>();
    final Map<String, Consumer<String>> steps = new HashMap<>();
    private final Set<String> cut = new HashSet<>(); // "from>to"
    private UnaryOperator<RaftNodeBuilder> options = UnaryOperator.identity();

    Cluster(Path directory, int size) throws IOException {
        this.directory = directory;
        this.group = directory.toString();
        for (int port : freePorts(size)) {
            members.add(new RaftMember("n" + (members.size() + 1), "127.0.0.1", port));
        }
        for (String call : CALLS) {
            // What comes from a member that is cut off is lost; the answer to what got through may be, too.
            CodeInjectionForTesting.put(call, (local, remote, args) -> {
                if (isCut(String.valueOf(remote), String.valueOf(local))) {
                    throw new Cut("the network is cut: from=" + remote + ", to=" + local);
                }
                return false;
            });
        }
    }

    /** Has no stack: Ratis prints it. */
    private static final class Cut extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Cut(String message) {
            super(message, null, false, false);
        }
    }

    Cluster options(UnaryOperator<RaftNodeBuilder> more) {
        options = more;
        return this;
    }

    /** Returns ports that nobody listens on. */
    static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        List<Integer> ports = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                sockets.add(socket);
                ports.add(socket.getLocalPort());
            }
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
        return ports;
    }

    Cluster startAll() throws IOException {
        for (RaftMember member : members) {
            start(member.id());
        }
        return this;
    }

    RaftNodeBuilder builder(String id) {
        RaftNodeBuilder builder = options.apply(RaftNode.builder(directory(id))
                .group(group)
                .id(id)
                .members(members)
                .electionTimeout(Duration.ofMillis(1_500))
                .requestTimeout(Duration.ofSeconds(30)));
        builder.store(stores.getOrDefault(id, UnaryOperator.identity()));
        builder.clock(clocks.getOrDefault(id, InstantSource.system()));
        builder.steps = steps.getOrDefault(id, step -> {});
        return builder;
    }

    RaftNode start(String id) throws IOException {
        RaftNode node = builder(id).open();
        nodes.put(id, node);
        return node;
    }

    void stop(String id) throws IOException {
        nodes.remove(id).close();
    }

    Path directory(String id) {
        return directory.resolve(id);
    }

    RaftNode node(String id) {
        return nodes.get(id);
    }

    ReplicatedEngine engine(String id) {
        return new ReplicatedEngine(node(id));
    }

    /** Waits for a leader whom a majority follows, and returns it. */
    RaftNode leader() {
        RaftNode[] found = new RaftNode[1];
        await("a leader", () -> {
            for (RaftNode node : List.copyOf(nodes.values())) {
                if (node.state().isLeader()) {
                    found[0] = node;
                    return true;
                }
            }
            return false;
        });
        return found[0];
    }

    /** Returns a member that is up. */
    RaftNode anyNode(java.util.Random random) {
        synchronized (nodes) {
            List<RaftNode> up = List.copyOf(nodes.values());
            return up.get(random.nextInt(up.size()));
        }
    }

    String leaderId() {
        return leader().self().id();
    }

    /** Returns an id of a member that is up and does not lead. */
    String followerId() {
        String leader = leaderId();
        return nodes.keySet().stream()
                .filter(id -> !id.equals(leader))
                .findFirst()
                .orElseThrow();
    }

    synchronized boolean isCut(String from, String to) {
        return cut.contains(from + ">" + to);
    }

    /** Loses whatever one member sends to another. */
    synchronized void cut(String from, String to) {
        cut.add(from + ">" + to);
    }

    /** Cuts a member off, in both directions. */
    void isolate(String id) {
        for (RaftMember other : members) {
            if (!other.id().equals(id)) {
                cut(id, other.id());
                cut(other.id(), id);
            }
        }
    }

    synchronized void heal() {
        cut.clear();
    }

    /** Waits until a state is reached. */
    static void await(String what, BooleanSupplier state) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!state.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not reached in time: " + what);
            }
            java.util.concurrent.locks.LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    /** Waits until all members that are up have applied the same. */
    void awaitSame() {
        try {
            await(
                    "the same index everywhere",
                    () -> indexes().stream().distinct().count() == 1);
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + ": " + indexes(), e);
        }
    }

    private List<String> indexes() {
        return nodes.values().stream()
                .map(node -> node.state().applied() + "/" + node.state().lag())
                .toList();
    }

    /** What a member's store holds at an index of the log. */
    record Content(long index, String checksum) {}

    /** Waits until the stores of all members that are up are at the same index, and demands that they hold the same. */
    void assertSameContent() throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            Map<String, Content> all = new TreeMap<>();
            for (RaftNode node : List.copyOf(nodes.values())) {
                all.put(node.self().id(), content(node));
            }
            if (all.values().stream().map(Content::index).distinct().count() == 1) {
                assertThat(all.values().stream().distinct().toList())
                        .describedAs("contents of members at the same index: %s", all)
                        .hasSize(1);
                return;
            }
            if (System.nanoTime() > end) {
                throw new AssertionError("the members do not come to the same index: " + all);
            }
        }
    }

    /** Returns a checksum over keys, values and expiries in the order of the keys, the record of the log among them. */
    private static Content content(RaftNode node) throws IOException {
        try (Snapshot snapshot = node.local().engine().snapshot()) {
            TreeMap<String, String> all = new TreeMap<>();
            snapshot.visit(entry -> {
                String value = HexFormat.of().formatHex(entry.value());
                all.put(HexFormat.of().formatHex(entry.key()), value + "@" + entry.expiresAtMillis());
                return true;
            });
            CRC32C crc = new CRC32C();
            crc.update(all.toString().getBytes(UTF_8));
            Applied applied = Applied.read(snapshot);
            return new Content(
                    applied == null ? -1 : applied.index(),
                    all.size() + " entries, crc=" + Long.toHexString(crc.getValue()));
        }
    }

    @Override
    public void close() throws IOException {
        heal();
        for (String call : CALLS) {
            CodeInjectionForTesting.remove(call);
        }
        for (RaftNode node : nodes.values()) {
            node.close();
        }
    }
}
