package dev.caskwright.importer.rocksdb;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import dev.caskwright.importer.Told;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.CompressionType;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.StringAppendOperator;
import org.rocksdb.TtlDB;

/** Stores that RocksDB itself has written. */
final class RocksDbFormatTest {
    private static final int KEYS = 2_000;

    @TempDir
    private Path directory;

    private Path source = Path.of("");

    static {
        RocksDB.loadLibrary();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @BeforeEach
    void name() {
        source = directory.resolve("rocks");
    }

    /** Writes keys of which one is deleted, some of them flushed to tables and some in the log of changes only. */
    private void write() throws RocksDBException {
        try (Options options =
                        new Options().setCreateIfMissing(true).setCompressionType(CompressionType.LZ4_COMPRESSION);
                RocksDB store = RocksDB.open(options, source.toString())) {
            for (int i = 0; i < KEYS; i++) {
                store.put(bytes("key" + i), bytes("old"));
            }
            try (FlushOptions flush = new FlushOptions()) {
                store.flush(flush);
            }
            for (int i = 0; i < KEYS; i++) {
                store.put(bytes("key" + i), bytes("value" + i));
            }
            store.delete(bytes("key7"));
            store.deleteRange(bytes("key19"), bytes("key2"));
            try (ColumnFamilyHandle family = store.createColumnFamily(new ColumnFamilyDescriptor(bytes("other")))) {
                store.put(family, bytes("a"), bytes("1"));
            }
        }
    }

    private static Map<String, String> expected() {
        Map<String, String> all = new TreeMap<>();
        for (int i = 0; i < KEYS; i++) {
            String key = "key" + i;
            if (i != 7 && (key.compareTo("key19") < 0 || key.compareTo("key2") >= 0)) {
                all.put(key, "value" + i);
            }
        }
        return all;
    }

    private static Map<String, byte[]> files(Path directory) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(directory)) {
            for (Path each : all.toList()) {
                files.put(each.getFileName().toString(), Files.readAllBytes(each));
            }
        }
        return files;
    }

    @Test
    void whatIsThereIsReadAndNothingIsChanged() throws Exception {
        write();
        Map<String, byte[]> before = files(source);
        Told told = Told.of("rocksdb", source);
        assertThat(told.entries()).isEqualTo(expected());
        assertThat(told.expiries()).isEmpty();
        assertThat(told.damage()).isEmpty();
        assertThat(told.skipped()).isEqualTo(Map.of("column families other than default", 1L));
        assertThat(Told.of("rocksdb", source, ReadOptions.ofPart("other")).entries())
                .isEqualTo(Map.of("a", "1"));
        assertThatThrownBy(() -> Told.of("rocksdb", source, ReadOptions.ofPart("none")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("found=default, other");
        Map<String, byte[]> after = files(source);
        assertThat(after.keySet()).isEqualTo(before.keySet());
        before.forEach((name, content) -> assertThat(after.get(name)).as(name).isEqualTo(content));
    }

    @Test
    void valuesOfTtlDbHaveTheirExpiry() throws Exception {
        long before = System.currentTimeMillis() / 1000;
        try (Options options = new Options().setCreateIfMissing(true);
                TtlDB store = TtlDB.open(options, source.toString(), 100, false)) {
            store.put(bytes("a"), bytes("1"));
            store.put(bytes("b"), bytes(""));
        }
        long after = System.currentTimeMillis() / 1000;
        Told told = Told.of("rocksdb", source, new ReadOptions(100, 0, null, null));
        assertThat(told.entries()).isEqualTo(Map.of("a", "1", "b", ""));
        assertThat(told.expiries().get("a")).isBetween((before + 100) * 1000, (after + 100) * 1000);
        assertThat(Told.of("rocksdb", source, new ReadOptions(Long.MAX_VALUE, 0, null, null))
                        .expiries())
                .isEmpty();
    }

    @Test
    void aValueWithoutTheTimeOfTtlDbIsDamage() throws Exception {
        try (Options options = new Options().setCreateIfMissing(true);
                RocksDB store = RocksDB.open(options, source.toString())) {
            store.put(bytes("a"), bytes("1"));
        }
        Told told = Told.of("rocksdb", source, new ReadOptions(100, 0, null, null));
        assertThat(told.entries()).isEmpty();
        assertThat(told.damage()).hasSize(1);
    }

    @Test
    void damagedTablesAreTold() throws Exception {
        write();
        List<Path> tables = tables();
        for (Path table : tables) {
            byte[] content = Files.readAllBytes(table);
            content[content.length / 4] ^= 1;
            Files.write(table, content);
        }
        try {
            Told told = Told.of("rocksdb", source);
            assertThat(told.damage()).hasSize(1).first().asString().contains("checksum mismatch");
            told.entries().forEach((key, value) -> assertThat(expected()).containsEntry(key, value));
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("rocks");
        }
    }

    private List<Path> tables() throws IOException {
        List<Path> tables = new ArrayList<>();
        try (Stream<Path> all = Files.list(source)) {
            all.filter(each -> each.toString().endsWith(".sst")).forEach(tables::add);
        }
        assertThat(tables).isNotEmpty();
        return tables;
    }

    @Test
    void damageToTheLogOfChangesIsNotPassedOver() throws Exception {
        write();
        List<Path> logs = new ArrayList<>();
        try (Stream<Path> all = Files.list(source)) {
            all.filter(each -> each.toString().endsWith(".log")).forEach(logs::add);
        }
        boolean isAnyDamaged = false;
        for (Path log : logs) {
            byte[] content = Files.readAllBytes(log);
            if (content.length > 10_000) {
                content[5_000] ^= 1;
                Files.write(log, content);
                isAnyDamaged = true;
            }
        }
        assertThat(isAnyDamaged).isTrue();
        assertThatThrownBy(() -> Told.of("rocksdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("checksum mismatch");
    }

    @Test
    void whatNeedsAMergeOperatorIsAnErrorAndNotLeftOut() throws Exception {
        try (StringAppendOperator operator = new StringAppendOperator();
                Options options = new Options().setCreateIfMissing(true).setMergeOperator(operator);
                RocksDB store = RocksDB.open(options, source.toString())) {
            store.merge(bytes("a"), bytes("1"));
            store.merge(bytes("a"), bytes("2"));
        }
        assertThatThrownBy(() -> Told.of("rocksdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("merge_operator");
    }

    @Test
    void namesThatAreNoTextAreToldApart() throws IOException, RocksDBException {
        try (Options options = new Options().setCreateIfMissing(true);
                RocksDB store = RocksDB.open(options, source.toString())) {
            for (int last = 0xFE; last <= 0xFF; last++) {
                byte[] name = {(byte) last};
                try (ColumnFamilyHandle family = store.createColumnFamily(new ColumnFamilyDescriptor(name))) {
                    store.put(family, bytes("a"), bytes("" + last));
                }
            }
        }
        assertThat(Told.of("rocksdb", source, ReadOptions.ofPart("\\xfe")).entries())
                .isEqualTo(Map.of("a", "254"));
        assertThat(Told.of("rocksdb", source, ReadOptions.ofPart("\\xff")).entries())
                .isEqualTo(Map.of("a", "255"));
    }

    /** RocksDB opens all tables at once unless it is told otherwise; a process may often have 1,024 files. */
    @Test
    void notAllTablesAreOpenAtOnce() throws IOException, RocksDBException {
        Path descriptors = Path.of("/proc/self/fd");
        assumeTrue(Files.isDirectory(descriptors), "NOT PROVED: counts what Linux shows of the process");
        int keys = 1_600;
        try (Options options = new Options()
                        .setCreateIfMissing(true)
                        .setCompressionType(CompressionType.NO_COMPRESSION)
                        .setTargetFileSizeBase(4 << 10);
                RocksDB store = RocksDB.open(options, source.toString());
                FlushOptions flush = new FlushOptions()) {
            for (int i = 0; i < 2 * keys; i++) {
                store.put(bytes("key" + i % keys), new byte[2_000]);
                if (i % keys == keys - 1) {
                    store.flush(flush); // two tables of all keys, which cannot be moved as they are
                }
            }
            store.compactRange();
        }
        int tables;
        try (Stream<Path> all = Files.list(source)) {
            tables = (int) all.filter(file -> file.toString().endsWith(".sst")).count();
        }
        assertThat(tables).isGreaterThan(270);
        List<Integer> open = new ArrayList<>();
        new RocksDbFormat().read(source, ReadOptions.DEFAULT, new Receiver() {
            @Override
            public void entry(byte[] key, byte[] value, long expiresAtMillis) throws IOException {
                open.add(openTables(descriptors));
            }

            @Override
            public void damage(Path file, long offset, String what) {
                throw new AssertionError(what);
            }

            @Override
            public void skipped(String what, long count) {}
        });
        assertThat(open).hasSize(keys);
        assertThat(Collections.max(open)).isLessThan(tables);
    }

    private static int openTables(Path descriptors) throws IOException {
        int count = 0;
        try (Stream<Path> all = Files.list(descriptors)) {
            for (Path each : all.toList()) {
                try {
                    count += Files.readSymbolicLink(each).toString().endsWith(".sst") ? 1 : 0;
                } catch (NoSuchFileException e) {
                    // closed since
                }
            }
        }
        return count;
    }

    /** Reads a store in a process of its own: the library is loaded once. */
    public static final class Reading {
        private Reading() {}

        public static void main(String[] arguments) {
            try {
                System.out.println(Told.of("rocksdb", Path.of(arguments[0])).entries());
            } catch (IOException e) {
                System.out.println("error: " + e.getMessage());
            }
        }
    }

    @Test
    void aLibraryThatCannotBeUnpackedIsAnErrorThatSaysWhy() throws Exception {
        write();
        Path missing = directory.resolve("missing");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + missing,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Reading.class.getName(),
                        source.toString())
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output)
                .startsWith("error: the library of RocksDB cannot be loaded")
                .contains("cause=");
    }

    @Test
    void aDirectoryThatIsNoneIsAnError() throws IOException {
        assertThatThrownBy(() -> Told.of("rocksdb", source))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("CURRENT");
        assertThat(source).doesNotExist();
        Path other = Files.createDirectory(directory.resolve("other"));
        Files.writeString(other.resolve("CURRENT"), "nonsense\n");
        assertThatThrownBy(() -> Told.of("rocksdb", other)).isInstanceOf(IOException.class);
        assertThat(files(other)).hasSize(1);
    }
}
