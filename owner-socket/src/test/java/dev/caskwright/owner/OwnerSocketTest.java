package dev.caskwright.owner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an owner answers, and what becomes of the socket's file. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OwnerSocketTest {
    @TempDir
    private Path temporary;

    private Path directory;
    private BitcaskEngine store;
    private OwnerSocket socket;

    @BeforeEach
    void own() throws IOException {
        directory = temporary.resolve("store");
        open();
    }

    private void open() throws IOException {
        store = BitcaskEngine.builder(directory).index(BTreeKeyIndex::new).open();
        socket = OwnerSocket.open(store, directory);
        assertThat(socket.trouble()).isNull();
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        store.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private AskedStore ask() throws IOException {
        return AskedStore.of(directory).orElseThrow();
    }

    @Test
    void valuesOfAllLengthsAreAnsweredWithVersionAndExpiry() throws IOException {
        for (int length : new int[] {0, 1, 65_530, 65_536, 200_000, 3_000_000}) {
            byte[] value = new byte[length];
            for (int i = 0; i < length; i++) {
                value[i] = (byte) (i * 31 + length);
            }
            store.put(bytes("k" + length), value);
            assertThat(ask().get(bytes("k" + length))).as("length %d", length).isEqualTo(value);
            assertThat(ask().entry(bytes("k" + length))).isEqualTo(store.entry(bytes("k" + length)));
        }
        store.put(
                bytes("mortal"),
                new byte[3],
                WriteOptions.DEFAULT.expiresAt(Instant.now().plusSeconds(900)));
        assertThat(ask().entry(bytes("mortal"))).isEqualTo(store.entry(bytes("mortal")));
        assertThat(ask().get(bytes("none"))).isNull();
        assertThat(ask().contains(bytes("none"))).isFalse();
        ByteBuffer small = ByteBuffer.allocate(2);
        assertThat(ask().get(bytes("mortal"), small)).isEqualTo(3);
        assertThat(small.position()).isZero();
        byte[] longest = new byte[StorageEngine.MAX_KEY_LENGTH];
        store.put(longest, bytes("v"));
        assertThat(ask().get(longest)).isEqualTo(bytes("v"));
    }

    @Test
    void walksShowAllEntriesInOrderAndOutOfIt() throws IOException {
        for (int i = 0; i < 3_000; i++) {
            store.put(bytes(String.format("key%05d", i)), new byte[i % 300]);
        }
        List<Entry> asked = new ArrayList<>();
        ask().visit(asked::add);
        assertThat(asked).hasSize(3_000).containsAll(read(store.ordered().range(Range.all())));
        OrderedView view = ask().require(OrderedView.class);
        for (Range range : List.of(
                Range.all(),
                Range.all().descending(true),
                Range.prefix(bytes("key01")),
                Range.prefix(bytes("key01")).descending(true).limit(7),
                Range.all().from(bytes("key00100"), false).to(bytes("key00200"), true),
                Range.all().limit(0))) {
            assertThat(read(view.range(range))).isEqualTo(read(store.ordered().range(range)));
        }
    }

    private static List<Entry> read(Cursor cursor) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (cursor) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                entries.add(entry);
            }
            assertThat(cursor.next()).isNull();
        }
        return entries;
    }

    @Test
    void changesGoOnFromAVersion() throws IOException {
        for (int i = 0; i < 25_000; i++) {
            store.put(bytes("key" + i % 100), bytes("v" + i));
        }
        store.delete(bytes("key1"));
        List<Change> asked = new ArrayList<>();
        ChangeFeed feed = ask().require(ChangeFeed.class);
        long last = feed.changes(0, asked::add);
        assertThat(last).isEqualTo(store.stats().lastVersion());
        assertThat(asked).hasSize(25_001);
        assertThat(asked.get(25_000).value()).isNull();
        for (int i = 0; i < 25_000; i++) {
            assertThat(asked.get(i).value()).isEqualTo(bytes("v" + i));
        }
        asked.clear();
        assertThat(feed.changes(last, asked::add)).isEqualTo(last);
        assertThat(asked).isEmpty();
        store.put(bytes("later"), bytes("v"));
        feed.changes(last, asked::add);
        assertThat(asked).hasSize(1);
    }

    @Test
    void changesGoOnFromAMomentOfTheStoreAndNoOther() throws IOException {
        ChangeFeed feed = ask().require(ChangeFeed.class);
        assertThat(feed.moment()).isEqualTo(Moment.START);
        store.put(bytes("a"), bytes("1"));
        Moment first = store.moment();
        assertThat(feed.moment()).isEqualTo(first);
        for (int i = 0; i < 25_000; i++) {
            store.put(bytes("key" + i % 100), bytes("v" + i)); // more than is read at once
        }
        List<Change> asked = new ArrayList<>();
        assertThat(feed.changes(first, asked::add)).isEqualTo(store.moment());
        assertThat(asked).hasSize(25_000);
        assertThat(asked.get(24_999).moment()).isEqualTo(store.moment());
        assertThatThrownBy(() -> feed.changes(new Moment(first.history() + 1, 1), change -> true))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CHANGES_GONE));
    }

    @Test
    void theReportHasTheOwnersFiguresAndHealth() throws IOException {
        store.put(bytes("k"), bytes("v"));
        OwnerReport report = ask().report();
        assertThat(report.pid()).isEqualTo(ProcessHandle.current().pid());
        assertThat(report.stats().keys()).isEqualTo(1);
        assertThat(report.stats().space()).isEqualTo(store.stats().space());
        assertThat(report.stats().groups()).hasSameSizeAs(store.stats().groups());
        assertThat(report.engine()).contains("engine=bitcask");
        assertThat(report.failure()).isEmpty();
        assertThat(report.facets()).contains("OrderedView", "Merging", "Backups", "ChangeFeed");
        assertThat(report.heapMaxBytes()).isPositive();
        assertThat(ask().size()).isEqualTo(1);
        assertThat(ask().health()).isNull();
    }

    @Test
    void copiesAndMergesAreMadeByTheOwner() throws IOException {
        for (int i = 0; i < 1_000; i++) {
            store.put(bytes("key" + i % 10), new byte[100]);
        }
        CopyReport copied = ask().require(Backups.class).backup(temporary.resolve("backup"));
        assertThat(copied.lastVersion()).isEqualTo(1_000);
        ask().require(Backups.class).checkpoint(temporary.resolve("checkpoint"));
        for (String name : List.of("backup", "checkpoint")) {
            assertThat(temporary.resolve(name).resolve(OwnerSocket.NAME)).doesNotExist();
            try (StorageEngine copy = BitcaskEngine.open(temporary.resolve(name))) {
                assertThat(copy.size()).isEqualTo(10);
            }
        }
        ask().require(Merging.class).merge();
        assertThat(store.stats().space().deadBytes()).isZero();
        Files.createDirectory(temporary.resolve("full"));
        Files.writeString(temporary.resolve("full/letter"), "mine");
        assertThatThrownBy(() -> ask().require(Backups.class).backup(temporary.resolve("full")))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_FORMAT));
    }

    @Test
    void writesAreRefused() throws IOException {
        AskedStore asked = ask();
        assertThatThrownBy(() -> asked.put(bytes("k"), bytes("v")))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
        assertThat(store.size()).isZero();
    }

    @Test
    void theSocketIsForItsUserOnlyAndGoesWithItsOwner() throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.path())))
                .isEqualTo("rw-------");
        assertThat(socket.path()).isEqualTo(directory.resolve("OWNER.socket"));
        assertThat(directory.resolve("OWNER.socket.new")).doesNotExist();
        socket.close();
        assertThat(socket.path()).doesNotExist();
        assertThat(AskedStore.of(directory)).isEmpty();
        socket.close();
    }

    @Test
    void aDeadSocketIsNoOwnerAndIsReplaced() throws IOException {
        AskedStore before = ask();
        socket.close();
        leaveADeadSocket(directory.resolve("OWNER.socket"));
        Files.createDirectory(directory.resolve("OWNER.socket.new"));
        leaveADeadSocket(directory.resolve("OWNER.socket.new/s"));
        assertThat(AskedStore.of(directory)).isEmpty();
        assertThatThrownBy(before::report)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE));
        store.close();
        open();
        assertThat(ask().size()).isZero();
        assertThat(directory.resolve("OWNER.socket.new")).doesNotExist();
    }

    private static void leaveADeadSocket(Path path) throws IOException {
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();
    }

    @Test
    void whatIsForeignIsLeftAloneAndFailsNothing() throws IOException {
        Path name = socket.path();
        socket.close();
        Files.writeString(name, "mine");
        assertThat(AskedStore.of(directory)).isEmpty();
        socket = OwnerSocket.open(store, directory);
        assertThat(socket.trouble()).contains("no socket");
        socket.close();
        assertThat(name).hasContent("mine");

        Files.delete(name);
        Files.createSymbolicLink(name, temporary.resolve("elsewhere"));
        assertThat(OwnerSocket.open(store, directory).trouble()).contains("no socket");
        assertThat(temporary.resolve("elsewhere")).doesNotExist();

        Files.delete(name);
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(name));
            assertThat(OwnerSocket.open(store, directory).trouble()).contains("another program");
            assertThat(name).exists();
        }

        Files.delete(name);
        Files.createDirectory(directory.resolve("OWNER.socket.new"));
        Files.writeString(directory.resolve("OWNER.socket.new/letter"), "mine");
        assertThat(OwnerSocket.open(store, directory).trouble()).contains("DirectoryNotEmpty");
        assertThat(directory.resolve("OWNER.socket.new/letter")).hasContent("mine");
        assertThat(name).doesNotExist();
    }

    @Test
    void aPathTooLongForASocketIsGoneRound() throws IOException {
        Path deep = temporary;
        for (int i = 0; i < 4; i++) {
            deep = deep.resolve("a-directory-whose-name-has-fifty-letters-and-more-" + i);
        }
        Path far = deep.resolve("store");
        try (StorageEngine other = BitcaskEngine.open(far);
                OwnerSocket open = OwnerSocket.open(other, far)) {
            assertThat(open.trouble()).isNull();
            other.put(bytes("far"), bytes("v"));
            assertThat(AskedStore.of(far).orElseThrow().get(bytes("far"))).isEqualTo(bytes("v"));
        }
        assertThat(far.resolve("OWNER.socket")).doesNotExist();
    }

    @Test
    void aDirectoryThatIsRemovedFailsNothing() throws IOException {
        Path gone = temporary.resolve("gone");
        Path moved = temporary.resolve("moved");
        StorageEngine other = BitcaskEngine.open(gone);
        OwnerSocket open = OwnerSocket.open(other, gone);
        Files.move(gone, moved);
        open.close();
        assertThatThrownBy(() -> other.put(bytes("k"), bytes("v"), WriteOptions.SYNC))
                .isInstanceOf(IOException.class);
        other.close();
        assertThat(OwnerSocket.open(store, temporary.resolve("missing/store")).trouble())
                .contains("NoSuchFile");
    }

    @Test
    void aStoreThatIsClosedFirstIsToldSo() throws IOException {
        AskedStore asked = ask();
        store.close();
        assertThatThrownBy(() -> asked.get(bytes("k")))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED));
        socket.close();
    }
}
