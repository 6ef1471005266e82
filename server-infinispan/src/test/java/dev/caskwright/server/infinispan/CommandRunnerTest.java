package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.CaskServer;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Commands over keys that another node changes, that fail, and that take their time. */
final class CommandRunnerTest {
    private final FakeKeys keys = new FakeKeys();
    private CommandRunner runner;

    /** Keys in memory, whose writes wait if they are told to, and which do as they are told. */
    private static final class FakeKeys implements Keys {
        private final Map<ByteBuffer, byte[]> values = new HashMap<>();
        private final BlockingQueue<Runnable> held = new LinkedBlockingQueue<>();
        private volatile boolean isHolding;
        private volatile boolean isFailing;
        private volatile int topology = 1;
        private volatile int gets;

        /** What the next write throws. */
        private volatile @Nullable Error error;

        /** Is done before the next write, as by another node. */
        private volatile Runnable before = () -> {};

        synchronized void store(String key, String value) {
            byte[] stored = new byte[value.length() + 1];
            System.arraycopy(value.getBytes(StandardCharsets.UTF_8), 0, stored, 1, value.length());
            values.put(ByteBuffer.wrap(key.getBytes(StandardCharsets.UTF_8)), CacheValue.of(stored, 0, values.size()));
        }

        synchronized String value(String key) {
            byte[] value = values.get(ByteBuffer.wrap(key.getBytes(StandardCharsets.UTF_8)));
            byte[] stored = CacheValue.stored(value);
            return new String(stored, 1, stored.length - 1, StandardCharsets.UTF_8);
        }

        @Override
        public synchronized CompletableFuture<byte @Nullable []> get(byte[] key) {
            gets++;
            return isFailing
                    ? CompletableFuture.failedFuture(new IllegalStateException("no owner answers"))
                    : CompletableFuture.completedFuture(values.get(ByteBuffer.wrap(key)));
        }

        private CompletableFuture<Boolean> change(
                byte[] key, byte @Nullable [] expected, boolean isBlind, byte @Nullable [] value) {
            Error thrown = error;
            error = null;
            if (thrown != null) {
                throw thrown;
            }
            CompletableFuture<Boolean> changed = new CompletableFuture<>();
            Runnable change = () -> {
                Runnable first = before;
                before = () -> {};
                first.run();
                synchronized (this) {
                    boolean holds = isBlind || Arrays.equals(values.get(ByteBuffer.wrap(key)), expected);
                    if (holds && value == null) {
                        values.remove(ByteBuffer.wrap(key));
                    } else if (holds) {
                        values.put(ByteBuffer.wrap(key), value);
                    }
                    changed.complete(holds);
                }
            };
            if (isHolding) {
                held.add(change);
            } else {
                change.run();
            }
            return changed;
        }

        @Override
        public CompletableFuture<Boolean> put(byte[] key, byte[] value, long lifespanMillis) {
            return change(key, null, true, value);
        }

        @Override
        public CompletableFuture<Boolean> replace(
                byte[] key, byte @Nullable [] expected, byte[] value, long lifespanMillis) {
            return change(key, expected, false, value);
        }

        @Override
        public CompletableFuture<Boolean> remove(byte[] key, byte[] expected) {
            return change(key, expected, false, null);
        }

        @Override
        public CompletableFuture<Boolean> remove(byte[] key) {
            return change(key, null, true, null);
        }

        @Override
        public int topology() {
            return topology;
        }

        void letGo() throws InterruptedException {
            held.take().run();
        }
    }

    @BeforeEach
    void start() {
        start(Long.MAX_VALUE);
    }

    private void start(long maxValueBytes) {
        runner = new CommandRunner(
                keys, InstantSource.system(), CaskServer.newReplay(), new ConcurrentHashMap<>(), maxValueBytes);
        runner.start();
    }

    @AfterEach
    void stop() {
        keys.isHolding = false;
        for (Runnable each = keys.held.poll(); each != null; each = keys.held.poll()) {
            each.run();
        }
        runner.close();
    }

    private static void request(ByteArrayOutputStream bytes, String... arguments) {
        bytes.write(arguments.length);
        for (String argument : arguments) {
            bytes.write(argument.length());
            bytes.writeBytes(argument.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Returns a proposal of one part: a kind, the database, and what follows. */
    private static ByteArrayOutputStream proposal(int kind) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[] {1, 2, 1, (byte) kind, 0});
        return bytes;
    }

    /** Returns the replies to commands of one read, without line ends. */
    private String pipeline(String[]... requests) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[] {1, 2, (byte) requests.length});
        for (String[] each : requests) {
            bytes.writeBytes(new byte[] {0, 0});
            request(bytes, each);
        }
        byte[] replies = runner.run(bytes.toByteArray()).get(1, TimeUnit.MINUTES);
        return new String(replies, StandardCharsets.ISO_8859_1).replaceAll("[^ -~]+", " ");
    }

    private static String[] request(String... arguments) {
        return arguments;
    }

    private CompletableFuture<String> run(String... arguments) {
        ByteArrayOutputStream bytes = proposal(0);
        request(bytes, arguments);
        return reply(bytes);
    }

    private CompletableFuture<String> reply(ByteArrayOutputStream proposal) {
        return runner.run(proposal.toByteArray())
                .thenApply(bytes -> new String(bytes, 1, bytes.length - 1, StandardCharsets.ISO_8859_1).strip());
    }

    private static String await(CompletableFuture<String> reply) throws Exception {
        return reply.get(1, TimeUnit.MINUTES);
    }

    @Test
    void commandsOnAKeyFollowEachOtherAndOthersGoOn() throws Exception {
        keys.isHolding = true;
        CompletableFuture<String> first = run("INCR", "a");
        CompletableFuture<String> second = run("INCR", "a");
        CompletableFuture<String> read = run("GET", "a");
        assertThat(await(run("GET", "b"))).isEqualTo("$-1");
        assertThat(first).isNotDone();
        assertThat(read).isNotDone();
        keys.letGo();
        assertThat(await(first)).isEqualTo(":1");
        keys.letGo();
        assertThat(await(second)).isEqualTo(":2");
        assertThat(await(read)).isIn("$1\r\n1", "$1\r\n2");
    }

    @Test
    void whatAnotherNodeChangedIsReadAnewIfNothingWasWritten() throws Exception {
        keys.store("a", "5");
        keys.before = () -> keys.store("a", "7");
        assertThat(await(run("INCR", "a"))).isEqualTo(":8");
        assertThat(keys.value("a")).isEqualTo("8");
    }

    @Test
    void whatMayHaveBeenWrittenIsNotRepeatedAndIsUnknown() {
        keys.store("a", "5");
        keys.before = () -> {
            keys.topology++;
            keys.store("a", "7");
        };
        assertThatThrownBy(() -> await(run("INCR", "a"))).hasMessageContaining("owners of a key changed");
        assertThat(keys.value("a")).isEqualTo("7");
    }

    @Test
    void keysThatCannotBeReadChangeNothing() throws Exception {
        keys.store("a", "5");
        keys.isFailing = true;
        assertThatThrownBy(() -> await(run("INCR", "a"))).hasMessageContaining("no owner answers");
        keys.isFailing = false;
        assertThat(await(run("INCR", "a"))).isEqualTo(":6");
    }

    @Test
    void whatIsWatchedCountsAsChangedWhenOwnersChange() throws Exception {
        keys.store("a", "5");
        assertThat(watchThenIncrement(() -> {})).contains(":6");
        assertThat(watchThenIncrement(runner::ownersChanged)).isEqualTo("*-1");
        assertThat(keys.value("a")).isEqualTo("6");
    }

    private String watchThenIncrement(Runnable meanwhile) throws Exception {
        ByteArrayOutputStream watch = proposal(2);
        request(watch, "WATCH", "a");
        byte[] reply = runner.run(watch.toByteArray()).get(1, TimeUnit.MINUTES);
        meanwhile.run();
        ByteArrayOutputStream transaction = proposal(1);
        transaction.write(reply, 1, reply.length - 1);
        transaction.write(1);
        request(transaction, "INCR", "a");
        return await(reply(transaction));
    }

    @Test
    void aKeyThatIsSetAndRemovedInOneReadIsNotThere() throws Exception {
        keys.store("a", "5");
        assertThat(pipeline(request("SET", "a", "6"), request("DEL", "a"))).contains("+OK", ":1");
        assertThat(await(run("GET", "a"))).isEqualTo("$-1");
        assertThat(pipeline(request("SET", "b", "6"), request("GETDEL", "b"))).contains("+OK", "6");
        assertThat(await(run("GET", "b"))).isEqualTo("$-1");
    }

    @Test
    void anErrorThatAWriteThrowsEndsOnlyItsCommand() throws Exception {
        keys.store("a", "5");
        keys.error = new OutOfMemoryError("attack");
        assertThatThrownBy(() -> await(run("INCR", "a"))).hasMessageContaining("attack");
        assertThat(await(run("INCR", "a"))).isEqualTo(":6");
        keys.error = new StackOverflowError("attack");
        assertThatThrownBy(() -> await(run("SET", "a", "7"))).hasMessageContaining("attack");
        assertThat(await(run("INCR", "a"))).isEqualTo(":7");
    }

    @Test
    void valuesThatAreTooMuchAreNotAllRead() throws Exception {
        runner.close();
        start(1_000);
        String[] request = new String[41];
        request[0] = "MGET";
        for (int i = 1; i < request.length; i++) {
            request[i] = "{t}" + i;
            keys.store(request[i], "x".repeat(90));
        }
        assertThatThrownBy(() -> await(run(request))).hasMessageContaining("maxmemory-clients");
        assertThat(keys.gets).isLessThanOrEqualTo(16);
        assertThat(await(run("STRLEN", "{t}1"))).isEqualTo(":90");
        runner.close();
        start(10_000);
        assertThat(await(run(request))).startsWith("*40").contains("x".repeat(90));
    }

    @Test
    void changesThatAreTooMuchAreRefusedAndGiveBackTheirRoom() throws Exception {
        runner.close();
        start(1_000);
        String[][] requests = new String[10][];
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < requests.length; i++) {
                requests[i] = request("SETRANGE", "{t}" + round + i, "300", "x");
            }
            assertThat(pipeline(requests)).contains(":301", "maxmemory-clients allows");
        }
        assertThat(keys.values).hasSize(3 * 5);
        assertThat(await(run("SET", "b", "y".repeat(100)))).isEqualTo("+OK");
    }

    @Test
    void aKeyThatNeverStaysAsItWasReadIsGivenUp() throws Exception {
        keys.store("a", "5");
        AtomicInteger changes = new AtomicInteger();
        Runnable[] again = new Runnable[1];
        again[0] = () -> {
            keys.store("a", "" + changes.incrementAndGet());
            keys.before = again[0];
        };
        keys.before = again[0];
        CompletableFuture<String> reply = run("INCR", "a");
        assertThatThrownBy(() -> reply.get(20, TimeUnit.SECONDS)).hasMessageContaining("again and again");
        keys.before = () -> {};
        assertThat(await(run("INCR", "a"))).isEqualTo(":" + (changes.get() + 1));
    }
}
