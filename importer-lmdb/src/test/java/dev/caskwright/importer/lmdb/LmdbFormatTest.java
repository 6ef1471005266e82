package dev.caskwright.importer.lmdb;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import dev.caskwright.importer.Told;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lmdbjava.ByteArrayProxy;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.Txn;

/** Environments that LMDB itself has written. */
final class LmdbFormatTest {
    @TempDir
    private Path directory;

    private Path source = Path.of("");

    private interface Work {
        void run(Env<byte[]> environment);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @BeforeEach
    void make() throws IOException {
        source = Files.createDirectory(directory.resolve("env"));
    }

    private static void with(Path path, Work work, EnvFlags... flags) {
        try (Env<byte[]> environment = Env.create(ByteArrayProxy.PROXY_BA)
                .setMaxDbs(8)
                .setMapSize(16 << 20)
                .open(path.toFile(), flags)) {
            work.run(environment);
        }
    }

    @Test
    void theUnnamedDatabaseIsReadAndNothingIsChanged() throws IOException {
        Map<String, String> expected = new HashMap<>();
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi((byte[]) null);
            try (Txn<byte[]> transaction = environment.txnWrite()) {
                for (int i = 0; i < 5_000; i++) {
                    database.put(transaction, bytes("key" + i), bytes("value" + i));
                    expected.put("key" + i, "value" + i);
                }
                database.put(transaction, bytes("long"), bytes("x".repeat(100_000)));
                transaction.commit();
            }
            expected.put("long", "x".repeat(100_000));
            database.delete(bytes("key7"));
            expected.remove("key7");
        });
        Files.deleteIfExists(source.resolve("lock.mdb"));
        byte[] before = Files.readAllBytes(source.resolve("data.mdb"));
        Told told = Told.of("lmdb", source);
        assertThat(told.entries()).isEqualTo(expected);
        assertThat(told.damage()).isEmpty();
        assertThat(told.skipped()).isEmpty();
        assertThat(Files.readAllBytes(source.resolve("data.mdb"))).isEqualTo(before);
        try (Stream<Path> all = Files.list(source)) {
            assertThat(all).containsExactly(source.resolve("data.mdb"));
        }
    }

    @Test
    void ofSeveralDatabasesOneMustBeNamed() throws IOException {
        with(source, environment -> {
            environment.openDbi("first", DbiFlags.MDB_CREATE).put(bytes("a"), bytes("1"));
            environment.openDbi("second", DbiFlags.MDB_CREATE).put(bytes("b"), bytes("2"));
            // As long as the entry of a database.
            environment.openDbi((byte[]) null).put(bytes("third"), bytes("3".repeat(48)));
        });
        assertThatThrownBy(() -> Told.of("lmdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=., first, second");
        assertThat(Told.of("lmdb", source, ReadOptions.ofPart("first")).entries())
                .isEqualTo(Map.of("a", "1"));
        Told unnamed = Told.of("lmdb", source, ReadOptions.ofPart("."));
        assertThat(unnamed.entries()).isEqualTo(Map.of("third", "3".repeat(48)));
        assertThat(unnamed.skipped()).isEqualTo(Map.of("named databases", 2L));
    }

    @Test
    void theOnlyNamedDatabaseNeedNotBeNamed() throws IOException {
        with(
                source,
                environment -> environment.openDbi("only", DbiFlags.MDB_CREATE).put(bytes("a"), bytes("1")));
        assertThat(Told.of("lmdb", source).entries()).isEqualTo(Map.of("a", "1"));
    }

    @Test
    void furtherValuesOfAKeyAreCountedAndLeftOut() throws IOException {
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi("many", DbiFlags.MDB_CREATE, DbiFlags.MDB_DUPSORT);
            database.put(bytes("a"), bytes("1"));
            database.put(bytes("a"), bytes("2"));
            database.put(bytes("a"), bytes("3"));
            database.put(bytes("b"), bytes("4"));
        });
        Told told = Told.of("lmdb", source);
        assertThat(told.entries()).isEqualTo(Map.of("a", "1", "b", "4"));
        assertThat(told.skipped()).isEqualTo(Map.of("values beside the first one of their key", 2L));
    }

    /** In a page within the leaf, in a tree of their own, and of one length. */
    @Test
    void theFirstOfManyValuesIsRead() throws IOException {
        DbiFlags[][] kinds = {
            {DbiFlags.MDB_CREATE, DbiFlags.MDB_DUPSORT},
            {DbiFlags.MDB_CREATE, DbiFlags.MDB_DUPSORT, DbiFlags.MDB_DUPFIXED}
        };
        with(source, environment -> {
            for (DbiFlags[] kind : kinds) {
                Dbi<byte[]> database = environment.openDbi("kind" + kind.length, kind);
                try (Txn<byte[]> transaction = environment.txnWrite()) {
                    for (int i = 100; i < 130; i++) {
                        for (int value = 100_000; value < 100_000 + (i == 115 ? 5_000 : i - 99); value++) {
                            database.put(transaction, bytes("key" + i), bytes("" + value));
                        }
                    }
                    transaction.commit();
                }
            }
        });
        Map<String, String> expected = new HashMap<>();
        long further = 0;
        for (int i = 100; i < 130; i++) {
            expected.put("key" + i, "100000");
            further += i == 115 ? 4_999 : i - 100;
        }
        for (DbiFlags[] kind : kinds) {
            Told told = Told.of("lmdb", source, ReadOptions.ofPart("kind" + kind.length));
            assertThat(told.damage()).isEmpty();
            assertThat(told.entries()).isEqualTo(expected);
            assertThat(told.skipped()).isEqualTo(Map.of("values beside the first one of their key", further));
        }
    }

    /** As in issue 30 of lmdb-zero, where LMDB ends the process. */
    @Test
    void noDamagedByteEndsTheProcess() throws IOException {
        damageBytes(700);
    }

    @Test
    @Tag("campaign")
    void noneOfManyDamagedBytesEndsTheProcess() throws IOException {
        damageBytes(20_000);
    }

    private void damageBytes(int rounds) throws IOException {
        with(source, environment -> {
            Dbi<byte[]> many = environment.openDbi("many", DbiFlags.MDB_CREATE, DbiFlags.MDB_DUPSORT);
            try (Txn<byte[]> transaction = environment.txnWrite()) {
                for (int i = 0; i < 500; i++) {
                    many.put(transaction, bytes("key" + i), bytes("value" + i));
                    many.put(transaction, bytes("key" + i % 5), bytes("value" + i));
                }
                transaction.commit();
            }
            environment.openDbi("long", DbiFlags.MDB_CREATE).put(bytes("a"), bytes("x".repeat(10_000)));
        });
        Path file = source.resolve("data.mdb");
        byte[] sound = Files.readAllBytes(file);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < rounds; i++) {
            byte[] content = sound.clone();
            // Half of them where the headers of pages and the places of nodes are.
            int page = random.nextInt(content.length / 4096);
            content[page * 4096 + random.nextInt(i % 2 == 0 ? 24 : 4096)] = (byte) random.nextInt(256);
            Files.write(file, content);
            Told.ofDamaged(
                    "lmdb", source, ReadOptions.ofPart(i % 4 < 2 ? "many" : "long"), "seed=" + seed + ", round=" + i);
        }
    }

    /** Several values in the page, and at once a long one elsewhere, of which the page has eight bytes. */
    @Test
    void aValueOfTwoKindsIsTold() throws IOException {
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi("several", DbiFlags.MDB_CREATE, DbiFlags.MDB_DUPSORT);
            database.put(bytes("thekey"), bytes("1"));
            database.put(bytes("thekey"), bytes("2"));
        });
        Path file = source.resolve("data.mdb");
        byte[] content = Files.readAllBytes(file);
        String text = new String(content, ISO_8859_1);
        for (int at = text.indexOf("thekey"); at >= 0; at = text.indexOf("thekey", at + 1)) {
            content[at - 4] |= 1; // the flags of the node
            content[at - 8] = (byte) 0xFF; // the length of the value
            content[at - 7] = (byte) 0xFF;
        }
        Files.write(file, content);
        Told told = Told.of("lmdb", source);
        assertThat(told.damage()).singleElement().asString().contains("two kinds");
        assertThat(told.entries()).isEmpty();
    }

    /** The length of a value and the number of its pages agree, and the file, which is a hole, is as long. */
    @Test
    void aValueThatThereIsNoMemoryForIsToldAndTheRestIsRead() throws IOException {
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi((byte[]) null);
            database.put(bytes("thelong"), bytes("x".repeat(100_000)));
            database.put(bytes("zshort"), bytes("1"));
        });
        Path path = source.resolve("data.mdb");
        byte[] content = Files.readAllBytes(path);
        ByteBuffer pages = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        long length = Integer.MAX_VALUE - 100;
        int count = (int) (length / 4096) + 2;
        String text = new String(content, ISO_8859_1);
        for (int at = text.indexOf("thelong"); at >= 0; at = text.indexOf("thelong", at + 1)) {
            pages.putInt(at - 8, (int) length);
        }
        for (int at = 0; at < content.length; at += 4096) {
            if (at < 2 * 4096) {
                pages.putLong(at + 136, count + 100L);
            } else if (pages.getLong(at) == at / 4096 && pages.getShort(at + 10) == 4) {
                pages.putInt(at + 12, count);
            }
        }
        Files.write(path, content);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength((count + 101L) * 4096);
        }
        Told told = Told.of("lmdb", source);
        assertThat(told.damage()).singleElement().asString().contains("there is no memory for a value");
        assertThat(told.entries()).isEqualTo(Map.of("zshort", "1"));
        Files.delete(path);
    }

    @Test
    void pagesThatLeadInACircleAreToldAndTheRestIsRead() throws IOException {
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi((byte[]) null);
            try (Txn<byte[]> transaction = environment.txnWrite()) {
                for (int i = 100; i < 400; i++) {
                    database.put(transaction, bytes("key" + i), bytes("value" + i));
                }
                transaction.commit();
            }
        });
        try (RandomAccessFile file =
                new RandomAccessFile(source.resolve("data.mdb").toFile(), "rw")) {
            int branch = 0;
            for (int at = 2 * 4096; at < file.length(); at += 4096) {
                file.seek(at + 10);
                branch = file.read() == 1 ? at : branch;
            }
            file.seek(branch + 16);
            int node = branch + file.read() + 256 * file.read();
            file.seek(node);
            file.write(branch / 4096);
        }
        Told told = Told.of("lmdb", source);
        assertThat(told.damage()).singleElement().asString().contains("twice");
        assertThat(told.entries()).hasSizeBetween(1, 299).containsEntry("key399", "value399");
    }

    @Test
    void namesThatAreNoTextAreToldApart() throws IOException {
        with(source, environment -> {
            environment.openDbi(new byte[] {(byte) 0xFE}, DbiFlags.MDB_CREATE).put(bytes("a"), bytes("1"));
            environment.openDbi(new byte[] {(byte) 0xFF}, DbiFlags.MDB_CREATE).put(bytes("a"), bytes("2"));
        });
        assertThatThrownBy(() -> Told.of("lmdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=\\xfe, \\xff");
        assertThat(Told.of("lmdb", source, ReadOptions.ofPart("\\xff")).entries())
                .isEqualTo(Map.of("a", "2"));
    }

    @Test
    void anEnvironmentMayBeAFile() throws IOException {
        Path file = directory.resolve("single.mdb");
        with(
                file,
                environment -> environment.openDbi((byte[]) null).put(bytes("a"), bytes("1")),
                EnvFlags.MDB_NOSUBDIR);
        assertThat(Told.of("lmdb", file).entries()).isEqualTo(Map.of("a", "1"));
    }

    @Test
    void ofAFileThatWasCutShortTheRestIsReadAndTheLossIsTold() throws IOException {
        with(source, environment -> {
            Dbi<byte[]> database = environment.openDbi((byte[]) null);
            try (Txn<byte[]> transaction = environment.txnWrite()) {
                database.put(transaction, bytes("short"), bytes("1"));
                database.put(transaction, bytes("long"), bytes("x".repeat(1_000_000))); // after the leaf
                transaction.commit();
            }
        });
        Path file = source.resolve("data.mdb");
        byte[] sound = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(sound, sound.length / 2));
        Told told = Told.of("lmdb", source);
        assertThat(told.damage()).singleElement().asString().contains("longer than the pages");
        assertThat(told.entries()).isEqualTo(Map.of("short", "1"));
        Files.write(file, Arrays.copyOf(sound, 2 * 4096));
        told = Told.of("lmdb", source);
        assertThat(told.damage()).singleElement().asString().contains("not in the file");
        assertThat(told.entries()).isEmpty();
    }

    /** LMDB does not write the pages that it took and gave back in one transaction, not even at the end. */
    @Test
    void aSoundFileMayEndBeforeItsLastPage() throws IOException {
        int shorter = 0;
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            Path environment = Files.createDirectory(directory.resolve("env" + seed));
            Map<String, String> expected = new HashMap<>();
            with(environment, made -> {
                Dbi<byte[]> database = made.openDbi((byte[]) null);
                for (int i = 0; i < 4; i++) {
                    change(made, database, random, expected);
                }
            });
            Path file = environment.resolve("data.mdb");
            ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            int newer = content.getLong(144) >= content.getLong(4096 + 144) ? 0 : 4096;
            shorter += content.getLong(newer + 136) >= content.limit() / 4096 ? 1 : 0;
            Told told = Told.of("lmdb", environment);
            assertThat(told.damage()).as("seed=%d", seed).isEmpty();
            assertThat(told.entries()).as("seed=%d", seed).isEqualTo(expected);
            Files.delete(file);
        }
        assertThat(shorter).as("files that end before their last page").isPositive();
    }

    private static void change(Env<byte[]> made, Dbi<byte[]> database, Random random, Map<String, String> expected) {
        int[] lengths = {10, 1_000, 5_000, 60_000, 300_000};
        try (Txn<byte[]> transaction = made.txnWrite()) {
            for (int i = random.nextInt(60); i >= 0; i--) {
                String key = "key" + random.nextInt(30);
                if (random.nextBoolean()) {
                    String value = "x".repeat(lengths[random.nextInt(lengths.length)]);
                    database.put(transaction, bytes(key), bytes(value));
                    expected.put(key, value);
                } else {
                    database.delete(transaction, bytes(key));
                    expected.remove(key);
                }
            }
            transaction.commit();
        }
    }

    @Test
    void anEnvironmentThatIsChangedWhileItIsReadIsAnError() throws IOException {
        with(source, environment -> environment.openDbi((byte[]) null).put(bytes("a"), bytes("1")));
        Receiver receiver = new Receiver() {
            @Override
            public void entry(byte[] key, byte[] value, long expiresAtMillis) {
                with(source, environment -> environment.openDbi((byte[]) null).put(bytes("b"), bytes("2")));
            }

            @Override
            public void damage(Path file, long offset, String what) {}

            @Override
            public void skipped(String what, long count) {}
        };
        assertThatThrownBy(() -> new LmdbFormat().read(source, ReadOptions.DEFAULT, receiver))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("changed while it was read");
    }

    /** Its length says nothing of the memory that may be taken for it. */
    @Test
    void aFileThatIsMostlyAHoleTakesLittleMemory() {
        PageSet pages = new PageSet();
        long before = used();
        for (long page = 1; page < Integer.MAX_VALUE; page += 1 << 20) {
            assertThat(pages.add(page)).isTrue();
            assertThat(pages.add(page)).isFalse();
        }
        assertThat(used() - before).isLessThan(16 << 20);
        assertThat(pages.add(1)).isFalse();
    }

    private static long used() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    /** LMDB 0.9.24 as Debian has it, by its own tool; the other tests have files of 0.9.33, by its library. */
    @Test
    void whatAnotherVersionOfLmdbHasLoadedIsRead() throws Exception {
        Path tool = Path.of("/usr/bin/mdb_load");
        assumeTrue(Files.isExecutable(tool), "NOT PROVED: mdb_load is not installed (Debian: lmdb-utils)");
        StringBuilder text = new StringBuilder();
        Map<String, String> expected = new HashMap<>();
        for (int i = 0; i < 3_000; i++) {
            String value = "v".repeat(i % 500 == 0 ? 9_000 : i % 40);
            text.append("key").append(i).append('\n').append(value).append('\n');
            expected.put("key" + i, value);
        }
        Process load = new ProcessBuilder(tool.toString(), "-T", "-s", "named", source.toString())
                .redirectErrorStream(true)
                .start();
        try (OutputStream input = load.getOutputStream()) {
            input.write(bytes(text.toString()));
        }
        assertThat(load.waitFor())
                .as(new String(load.getInputStream().readAllBytes(), UTF_8))
                .isZero();
        Told told = Told.of("lmdb", source, ReadOptions.ofPart("named"));
        assertThat(told.damage()).isEmpty();
        assertThat(told.entries()).isEqualTo(expected);
    }

    @Test
    void aFileThatIsNoneIsAnError() throws IOException {
        assertThatThrownBy(() -> Told.of("lmdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("data.mdb");
        Files.write(source.resolve("data.mdb"), new byte[10_000]);
        assertThatThrownBy(() -> Told.of("lmdb", source)).isInstanceOf(IOException.class);
        Files.write(source.resolve("data.mdb"), new byte[10]);
        assertThatThrownBy(() -> Told.of("lmdb", source)).isInstanceOf(IOException.class);
    }
}
