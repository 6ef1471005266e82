package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A group of one as a store, and commands of one's own. */
final class ReplicatedEngineTest {
    private static final int KIND = 7;

    @TempDir
    static Path directory;

    private static RaftNode node;
    private static ReplicatedEngine store;

    @BeforeAll
    static void open() throws IOException {
        node = RaftNode.builder(directory.resolve("n1"))
                .group("one")
                .id("n1")
                .members(List.of(
                        new RaftMember("n1", "127.0.0.1", Cluster.freePorts(1).get(0))))
                .electionTimeout(Duration.ofMillis(200))
                .requestTimeout(Duration.ofMinutes(1))
                .store(options -> options.index(BTreeKeyIndex::new))
                .applier(KIND, ReplicatedEngineTest::apply)
                .open();
        store = new ReplicatedEngine(node);
    }

    @AfterAll
    static void close() throws IOException {
        store.close();
        node.close();
    }

    @BeforeEach
    void empty() throws IOException {
        List<byte[]> keys = new ArrayList<>();
        store.visit(entry -> keys.add(entry.key()));
        WriteBatch all = new WriteBatch();
        keys.forEach(all::delete);
        store.write(all);
    }

    /** Puts the command as a key, then fails if it says so. */
    private static byte[] apply(Overlay overlay, byte[] command) throws IOException, CommandFailedException {
        String text = new String(command, UTF_8);
        overlay.put(command, bytes("put"));
        if (text.equals("fail")) {
            throw new CommandFailedException("as it was told to");
        }
        if (text.equals("throw")) {
            throw new ArithmeticException("thrown");
        }
        return bytes(text + ", " + overlay.contains(bytes("first")));
    }

    @Test
    void conditionsDecideAndAnswer() throws IOException {
        assertThat(store.putIfAbsent(bytes("k"), bytes("1"))).isTrue();
        assertThat(store.putIfAbsent(bytes("k"), bytes("2"))).isFalse();
        assertThat(store.replace(bytes("k"), bytes("2"), bytes("3"))).isFalse();
        assertThat(store.replace(bytes("k"), bytes("1"), bytes("3"))).isTrue();
        assertThat(store.delete(bytes("k"), bytes("1"))).isFalse();
        assertThat(store.get(bytes("k"))).isEqualTo(bytes("3"));
        assertThat(store.delete(bytes("k"), bytes("3"))).isTrue();
        assertThat(store.delete(bytes("k"), bytes("3"))).isFalse();
        assertThat(store.delete(bytes("k"))).isFalse();
        assertThat(store.require(ConditionalWrites.class).increment(bytes("n"), 5))
                .isEqualTo(5);
        assertThat(store.increment(bytes("n"), -7)).isEqualTo(-2);
    }

    @Test
    void aBatchIsAppliedWhole() throws IOException {
        store.put(bytes("a"), bytes("1"));
        store.write(
                new WriteBatch().put(bytes("b"), bytes("2")).delete(bytes("a")).put(bytes("c"), new byte[0]));
        assertThat(store.get(bytes("a"))).isNull();
        assertThat(store.get(bytes("c"))).isEmpty();
        assertThat(store.size()).isEqualTo(2);
    }

    @Test
    void orderedViewsSnapshotsAndScansHideTheNodesOwnRecord() throws IOException {
        byte[] last = {(byte) 0xFF, (byte) 0xFF};
        store.put(bytes("a"), bytes("1"));
        store.put(last, bytes("2"));
        OrderedView ordered = store.require(OrderedView.class);
        assertThat(keys(ordered.range(Range.all()))).containsExactly(bytes("a"), last);
        assertThat(keys(ordered.range(Range.all().descending(true).limit(2)))).containsExactly(last, bytes("a"));
        assertThat(keys(ordered.range(Range.all().limit(1)))).containsExactly(bytes("a"));
        assertThat(keys(store.cursor())).hasSize(2);
        try (Snapshot snapshot = store.snapshot()) {
            store.delete(bytes("a"));
            assertThat(snapshot.get(bytes("a"))).isEqualTo(bytes("1"));
            assertThat(keys(snapshot.cursor())).hasSize(2);
            assertThat(snapshot.get(Applied.key())).isNull();
        }
        assertThat(store.get(Applied.key())).isNull();
        assertThatThrownBy(() -> store.put(Applied.key(), bytes("x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("belongs to the node");
    }

    @Test
    void aBackupIsAStoreWithTheNodesOwnRecord() throws IOException {
        store.put(bytes("a"), bytes("1"));
        Path target = directory.resolve("backup");
        store.backup(target);
        store.put(bytes("b"), bytes("2"));
        try (BitcaskEngine copy = BitcaskEngine.open(target)) {
            assertThat(copy.get(bytes("a"))).isEqualTo(bytes("1"));
            assertThat(copy.get(bytes("b"))).isNull();
            assertThat(Applied.read(copy)).isNotNull();
        }
    }

    @Test
    void facetsThatDoNotHoldUnderReplicationAreMissing() {
        assertThat(store.facet(Expiry.class)).isPresent();
        assertThatThrownBy(() -> store.require(Transactions.class)).isInstanceOf(MissingFacetException.class);
        assertThatThrownBy(() -> store.require(Versions.class)).isInstanceOf(MissingFacetException.class);
    }

    @Test
    void expiryGoesByTheLogWithoutCommands() throws IOException {
        store.put(bytes("k"), bytes("v"), WriteOptions.DEFAULT.timeToLive(Duration.ofMillis(300)));
        store.put(bytes("kept"), bytes("v"), WriteOptions.DEFAULT.timeToLive(Duration.ofMillis(300)));
        assertThat(store.persist(bytes("kept"))).isTrue();
        Cluster.await("the expiry", () -> {
            try {
                return node.store().get(bytes("k")) == null;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(store.get(bytes("kept"))).isEqualTo(bytes("v"));
        assertThat(store.expire(bytes("k"), WriteOptions.DEFAULT)).isFalse();
    }

    @Test
    void aCommandThatFailsIsAResultAndKeepsNothing() throws Exception {
        assertThat(node.submit(KIND, bytes("first")).get()).isEqualTo(bytes("first, true"));
        for (String failing : List.of("fail", "throw")) {
            assertThatThrownBy(() -> node.submit(KIND, bytes(failing)).get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(CommandFailedException.class);
            assertThat(store.get(bytes(failing))).isNull();
        }
        assertThat(node.submit(KIND, bytes("last")).get()).isEqualTo(bytes("last, true"));
        assertThatThrownBy(() -> node.submit(KIND + 1, new byte[0]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no applier of that kind");
    }

    @Test
    void commandsOfOneEntrySeeEachOtherInOrder() throws Exception {
        List<CompletableFuture<byte[]>> sums = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            sums.add(node.submit(ReplicatedEngine.KIND, EngineCommands.increment(bytes("n"), 1, WriteOptions.DEFAULT)));
        }
        long before = node.state().applied();
        for (int i = 0; i < 500; i++) {
            assertThat(dev.caskwright.api.Codecs.COUNTER.decode(sums.get(i).get()))
                    .isEqualTo(i + 1);
        }
        assertThat(node.state().applied() - before)
                .describedAs("entries of 500 commands")
                .isLessThan(400);
    }

    @Test
    void aForcedSnapshotMakesTheStoreDurableUpToTheIndex() throws Exception {
        store.put(bytes("k"), bytes("v"));
        long applied = node.state().applied();
        assertThat(node.snapshot().get()).isGreaterThanOrEqualTo(applied);
        assertThat(node.state().durable()).isGreaterThanOrEqualTo(applied);
    }

    private static List<byte[]> keys(Cursor cursor) throws IOException {
        List<byte[]> keys = new ArrayList<>();
        try (cursor) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                keys.add(entry.key());
            }
        }
        return keys;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
