package dev.caskwright.owner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.reflect.Proxy;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that mean harm, are slow or silent: the owner goes on, and answers others again. {@code -Dcaskwright.seed=N} repeats one. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class AttackedSocketTest {
    private static final String NOBODY = "65534";

    @TempDir
    private Path temporary;

    private Path directory;
    private BitcaskEngine store;
    private OwnerSocket socket;
    private final List<SocketChannel> clients = new ArrayList<>();

    @BeforeEach
    void own() throws IOException {
        directory = temporary.resolve("store");
        store = BitcaskEngine.open(directory);
        socket = OwnerSocket.open(store, directory);
        assertThat(socket.trouble()).isNull();
    }

    @AfterEach
    void close() throws IOException {
        for (SocketChannel client : clients) {
            client.close();
        }
        socket.close();
        store.close();
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        clients.add(channel);
        channel.connect(UnixDomainSocketAddress.of(socket.path()));
        return channel;
    }

    /** Reads until the owner ends the connection. */
    private static long readAll(SocketChannel channel) {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        long count = 0;
        try {
            for (int read = channel.read(buffer); read >= 0; read = channel.read(buffer.clear())) {
                count += read;
            }
        } catch (IOException e) {
            return count; // reset, with what we sent unread
        }
        return count;
    }

    private long answered() throws IOException {
        return AskedStore.of(directory).orElseThrow().report().stats().keys();
    }

    /** Asks until the owner has a place for one more. */
    private void awaitAnswer() throws IOException {
        while (true) {
            try {
                assertThat(answered()).isEqualTo(store.size());
                return;
            } catch (EngineException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
            }
        }
    }

    private void fill(int entries) throws IOException {
        for (int i = 0; i < entries; i++) {
            store.put(("key" + i).getBytes(StandardCharsets.UTF_8), new byte[1_000]);
        }
    }

    @Test
    void twoHundredSilentClientsAreBoundedAndDropped() throws IOException {
        List<SocketChannel> silent = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            silent.add(connect());
        }
        // Those that are beyond the bound are told at once, and the others when they have been silent for too long.
        long told = 0;
        for (SocketChannel each : silent) {
            told += readAll(each) > 0 ? 1 : 0;
        }
        assertThat(told).isEqualTo(200 - OwnerThread.MAX_VISITS);
        awaitAnswer();
        store.put(new byte[1], new byte[1]);
        assertThat(answered()).isEqualTo(1);
    }

    @Test
    void aClientThatNeverReadsLosesItsPlaceAndHoldsNothing() throws IOException {
        fill(5_000);
        List<SocketChannel> greedy = new ArrayList<>();
        for (int i = 0; i < OwnerThread.MAX_STREAMS; i++) {
            SocketChannel each = connect();
            each.write(Wire.request(Wire.SCAN, scan()));
            greedy.add(each);
        }
        // While they sit there, others are answered, another walk is refused, and writes and merges go on.
        awaitRefusedWalk();
        assertThat(answered()).isEqualTo(5_000);
        fill(5_000);
        store.merge();
        awaitWalk();
        // The first of them has lost its place; the others may have had a moment left, in which they got what was read
        // here.
        assertThat(greedy.stream().map(AttackedSocketTest::readAll).toList()).anyMatch(count -> count < 5_000_000);
        while (store.stats().space().pinnedBytes() > 0 || store.stats().snapshots() > 0) {
            Thread.onSpinWait();
        }
    }

    private static byte[] scan() {
        return Wire.bytes(out -> {
            out.writeBoolean(false);
            out.writeBoolean(false);
            out.writeLong(Long.MAX_VALUE);
            out.writeBoolean(false);
            out.writeBoolean(true);
        });
    }

    private void awaitRefusedWalk() throws IOException {
        while (walk()) {
            Thread.onSpinWait();
        }
    }

    private void awaitWalk() throws IOException {
        while (!walk()) {
            Thread.onSpinWait();
        }
    }

    /** Returns whether a walk was not refused for the sake of others. */
    private boolean walk() throws IOException {
        try (var cursor = AskedStore.of(directory).orElseThrow().cursor()) {
            assertThat(cursor.next()).isNotNull();
            return true;
        } catch (EngineException e) {
            assertThat(e).hasMessageContaining("limit=" + OwnerThread.MAX_STREAMS);
            return false;
        }
    }

    /** Sixteen clients that do not read would otherwise hold sixteen values of a sixteenth of the heap. */
    @Test
    void fewHoldALongValueAtOnce() throws IOException {
        byte[] key = {1};
        store.put(key, new byte[2 << 20]);
        List<SocketChannel> greedy = new ArrayList<>();
        for (int i = 0; i < OwnerThread.MAX_STREAMS; i++) {
            SocketChannel each = connect();
            each.write(Wire.request(Wire.GET, key));
            each.read(ByteBuffer.allocate(1)); // it is being answered
            greedy.add(each);
        }
        assertThatThrownBy(() -> AskedStore.of(directory).orElseThrow().get(key))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("limit=" + OwnerThread.MAX_STREAMS);
        store.put(new byte[] {2}, new byte[10]);
        assertThat(AskedStore.of(directory).orElseThrow().get(new byte[] {2})).hasSize(10);
        for (SocketChannel each : greedy) {
            each.close();
        }
        while (true) {
            try {
                assertThat(AskedStore.of(directory).orElseThrow().get(key)).hasSize(2 << 20);
                return;
            } catch (EngineException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE); // the owner has not seen yet that they are gone
            }
        }
    }

    @Test
    void aValueThatIsTooLongForTheOwnersHeapEndsAWalkAndNothingElse() throws Exception {
        Path small = temporary.resolve("small");
        Process owner = Child.start(List.of(), "own", small.toString(), "5000000"); // its heap has 64 MiB
        try {
            assertThat(Child.firstLine(owner)).isEqualTo("null");
            AskedStore asked = AskedStore.of(small).orElseThrow();
            String refusal = "the value is longer than the owner of the store passes on";
            assertThatThrownBy(() -> asked.visit(entry -> true)).hasMessageContaining(refusal);
            assertThatThrownBy(() -> asked.require(ChangeFeed.class).changes(0, change -> true))
                    .hasMessageContaining(refusal);
            assertThatThrownBy(() -> asked.get("long".getBytes(StandardCharsets.UTF_8)))
                    .hasMessageContaining(refusal);
            assertThat(asked.get("k".getBytes(StandardCharsets.UTF_8))).hasSize(1);
        } finally {
            owner.destroyForcibly().waitFor();
        }
    }

    /** Whoever can write to the directory can listen under the name, and say what it likes: that takes time and no memory. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anOwnerThatIsNoneTakesNoMemory(int lie) throws Exception {
        Path other = Files.createDirectory(temporary.resolve("other"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(other.resolve(OwnerSocket.NAME)));
            CompletableFuture<Void> liar = CompletableFuture.runAsync(() -> lie(server, lie));
            assertThatThrownBy(() -> AskedStore.of(other)).isInstanceOf(IOException.class);
            liar.join();
        }
    }

    private static void lie(ServerSocketChannel server, int lie) {
        byte[] report = Wire.bytes(out -> {
            out.write(new byte[5 * Long.BYTES]);
            if (lie == 0) {
                out.writeInt(Integer.MAX_VALUE); // a text
                out.write(new byte[60_000]);
                return;
            }
            Wire.writeText(out, "engine");
            Wire.writeText(out, "");
            if (lie == 1) {
                out.writeInt(Integer.MAX_VALUE); // texts
                out.write(new byte[60_000]);
                return;
            }
            Wire.writeTexts(out, List.of());
            Wire.writeTexts(out, List.of());
            out.write(new byte[2 * Long.BYTES + Integer.BYTES + Long.BYTES]);
            out.writeInt(Integer.MAX_VALUE); // groups of figures
        });
        try (SocketChannel client = server.accept()) {
            client.read(ByteBuffer.allocate(Wire.REQUEST_HEADER));
            ByteBuffer frame = ByteBuffer.allocate(Wire.FRAME_HEADER + report.length)
                    .put(Wire.DATA)
                    .putInt(report.length)
                    .put(report)
                    .flip();
            for (int i = 0; i < 1_000; i++) {
                client.write(frame.duplicate());
            }
        } catch (IOException e) {
            assertThat(e).hasMessageMatching("(?s).*(pipe|reset).*"); // the client has gone
        }
    }

    @Test
    void aSocketThatIsGoneBetweenTwoLooksIsNoOwner() throws IOException {
        assertThat(Question.ask(temporary.resolve("OWNER.socket"), Wire.STAT, new byte[0]))
                .isEmpty();
    }

    @Test
    void garbageEndsItsConnectionAndNothingElse() throws IOException {
        long seed = Long.getLong("caskwright.seed", new Random().nextLong());
        Random random = new Random(seed);
        fill(10);
        for (int i = 0; i < 300; i++) {
            SocketChannel channel = connect();
            try {
                channel.write(garbage(random));
                channel.shutdownOutput();
            } catch (IOException e) {
                assertThat(e).as("seed=%d", seed).hasMessageMatching("(?s).*(pipe|reset|connected).*");
            }
            readAll(channel);
            channel.close();
            clients.clear();
        }
        awaitAnswer();
        assertThat(store.size()).as("seed=%d", seed).isEqualTo(10);
        assertThat(store.health()).isNull();
    }

    /** Noise, or a request that is nearly right: another length, more than announced, arguments that mean nothing. */
    private static ByteBuffer garbage(Random random) {
        byte[] noise = new byte[random.nextInt(2_000)];
        random.nextBytes(noise);
        return switch (random.nextInt(4)) {
            case 0 -> ByteBuffer.wrap(noise);
            case 1 -> Wire.request((byte) random.nextInt(256), noise);
            case 2 -> Wire.request((byte) (1 + random.nextInt(7)), noise);
            default ->
                ByteBuffer.allocate(Wire.REQUEST_HEADER + noise.length)
                        .putInt(Wire.MAGIC)
                        .put((byte) (1 + random.nextInt(7)))
                        .putInt(random.nextBoolean() ? random.nextInt() : noise.length / 2)
                        .put(noise)
                        .flip();
        };
    }

    @Test
    void whateverClientsAskTheThreadRestsThreeTimesAsLongAsItWorks() throws IOException {
        fill(2_000);
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        assumeTrue(threads.isThreadCpuTimeSupported(), "skipped: no processor times of threads on this JVM");
        long thread = Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().equals("caskwright-owner"))
                .findFirst()
                .orElseThrow()
                .getId();
        AtomicBoolean isOver = new AtomicBoolean();
        List<CompletableFuture<Void>> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            clients.add(CompletableFuture.runAsync(() -> walkUntil(isOver), task -> new Thread(task).start()));
        }
        long start = System.nanoTime();
        long before = threads.getThreadCpuTime(thread);
        while (threads.getThreadCpuTime(thread) - before < 300_000_000L) {
            Thread.onSpinWait();
        }
        double share = (double) (threads.getThreadCpuTime(thread) - before) / (System.nanoTime() - start);
        isOver.set(true);
        clients.forEach(CompletableFuture::join);
        assertThat(share).isLessThan(0.3); // a quarter, and the turn that was under way
    }

    /** A call that takes longer than a rest is rested for in several. */
    @Test
    @Tag("campaign")
    void aCallThatTakesLongIsRestedForInFull() throws IOException {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        assumeTrue(threads.isThreadCpuTimeSupported(), "skipped: no processor times of threads on this JVM");
        List<long[]> begins = new ArrayList<>();
        StorageEngine slow = (StorageEngine) Proxy.newProxyInstance(
                StorageEngine.class.getClassLoader(),
                new Class<?>[] {StorageEngine.class},
                (proxy, call, arguments) -> {
                    if (call.getName().equals("stats")) {
                        long cpu = threads.getCurrentThreadCpuTime();
                        begins.add(new long[] {cpu, System.nanoTime()});
                        while (threads.getCurrentThreadCpuTime() - cpu < 700_000_000L) {
                            Thread.onSpinWait();
                        }
                    }
                    return call.invoke(store, arguments);
                });
        Path other = Files.createDirectory(temporary.resolve("other"));
        try (OwnerSocket open = OwnerSocket.open(slow, other)) {
            assertThat(open.trouble()).isNull();
            for (int i = 0; i < 3; i++) {
                assertThat(AskedStore.of(other)).isPresent();
            }
        }
        long[] first = begins.get(0);
        long[] last = begins.get(2);
        assertThat((double) (last[0] - first[0]) / (last[1] - first[1])).isLessThan(0.3);
    }

    private void walkUntil(AtomicBoolean isOver) {
        while (!isOver.get()) {
            try {
                AskedStore.of(directory).orElseThrow().visit(entry -> !isOver.get());
            } catch (IOException e) {
                assertThat(e).isInstanceOf(EngineException.class);
            }
        }
    }

    @Test
    void closingDoesNotWaitForClients() throws IOException {
        fill(5_000);
        for (int i = 0; i < 10; i++) {
            SocketChannel channel = connect();
            channel.write(i % 2 == 0 ? Wire.request(Wire.SCAN, scan()) : ByteBuffer.wrap(new byte[] {'C', 'W'}));
        }
        socket.close();
        store.close();
        assertThat(socket.path()).doesNotExist();
        try (BitcaskEngine again = BitcaskEngine.open(directory)) {
            assertThat(again.size()).isEqualTo(5_000);
        }
    }

    @Test
    void anOwnerThatWasKilledLeavesNothingInTheWay() throws Exception {
        Path killed = temporary.resolve("killed");
        for (int round = 0; round < 2; round++) {
            Process owner = Child.start(List.of(), "own", killed.toString());
            try {
                assertThat(Child.firstLine(owner)).isEqualTo("null");
                AskedStore asked = AskedStore.of(killed).orElseThrow();
                assertThat(asked.firstReport().pid()).isEqualTo(owner.pid());
                assertThat(asked.get("k".getBytes(StandardCharsets.UTF_8)))
                        .isEqualTo("v".getBytes(StandardCharsets.UTF_8));
                owner.destroyForcibly().waitFor();
                assertThatThrownBy(asked::report).isInstanceOf(EngineException.class);
            } finally {
                owner.destroyForcibly().waitFor();
            }
            assertThat(killed.resolve("OWNER.socket")).exists();
            assertThat(AskedStore.of(killed)).isEmpty();
        }
        try (BitcaskEngine next = BitcaskEngine.open(killed);
                OwnerSocket open = OwnerSocket.open(next, killed)) {
            assertThat(open.trouble()).isNull();
            assertThat(AskedStore.of(killed).orElseThrow().size()).isEqualTo(1);
        }
        assertThat(killed.resolve("OWNER.socket")).doesNotExist();
    }

    /** Neither by the rights of the file, nor where these let others in. */
    @Test
    void anotherUserIsNotAnswered() throws Exception {
        assumeTrue(
                "root".equals(System.getProperty("user.name")) && Files.isExecutable(Path.of("/usr/bin/setpriv")),
                "ANOTHER USER IS NOT TRIED: this test needs to be root, and setpriv");
        for (Path each : List.of(temporary, directory)) {
            Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        assertThat(asNobody()).startsWith("refused: ").containsIgnoringCase("permission denied");
        Files.setPosixFilePermissions(socket.path(), PosixFilePermissions.fromString("rw-rw-rw-"));
        assertThat(asNobody()).isIn("answered: 0", "refused: Connection reset", "refused: Broken pipe");
        assertThat(answered()).isZero();
    }

    private String asNobody() throws Exception {
        Process client = Child.start(
                List.of("/usr/bin/setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"),
                "connect",
                socket.path().toString());
        String line = Child.firstLine(client);
        assertThat(client.waitFor()).isZero();
        return line;
    }
}
