package dev.caskwright.examples.migration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mapdb.DB;
import org.mapdb.DBMaker;
import org.mapdb.Serializer;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** Moves what the real MapDB and RocksDB wrote, both by a program and by the command line. */
final class MigrationTest {
    private static final int CASKS = 2_500;

    @TempDir
    private Path directory;

    private Path mapDb;
    private Path rocksDb;
    private Path target;

    @BeforeEach
    void namePlaces() {
        mapDb = directory.resolve("casks.mapdb");
        rocksDb = directory.resolve("casks.rocksdb");
        target = directory.resolve("casks");
    }

    private void fillMapDb() {
        try (DB database = DBMaker.fileDB(mapDb.toFile()).make()) {
            Map<Long, String> casks = database.treeMap("casks", Serializer.LONG, Serializer.STRING)
                    .create();
            Map<String, String> woods = database.hashMap("woods", Serializer.STRING, Serializer.STRING)
                    .create();
            for (long cask = 0; cask < CASKS; cask++) {
                casks.put(cask, "wood " + cask);
                woods.put("cask:" + cask, "wood " + cask);
            }
            casks.remove(7L);
            woods.remove("cask:7");
        }
    }

    private void fillRocksDb() throws RocksDBException {
        RocksDB.loadLibrary();
        try (Options options = new Options().setCreateIfMissing(true);
                RocksDB database = RocksDB.open(options, rocksDb.toString())) {
            for (int cask = 0; cask < CASKS; cask++) {
                database.put(("cask:" + cask).getBytes(UTF_8), ("wood " + cask).getBytes(UTF_8));
            }
            database.delete("cask:7".getBytes(UTF_8));
        }
    }

    /** Runs the command line and returns what it told. */
    private static String caskwright(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        String flags = System.getProperty("caskwright.flags", "");
        command.addAll(flags.isBlank() ? List.of() : List.of(flags.split(" ")));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "dev.caskwright.cli.Main"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String told = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), told);
        return told;
    }

    /** Looks whether the store holds all strings that both sources hold under strings. */
    private void assertHoldsAllCasks() throws IOException {
        try (StorageEngine store = BitcaskEngine.open(target)) {
            assertEquals(CASKS - 1, store.size());
            assertNull(store.get("cask:7".getBytes(UTF_8)));
            for (int cask = 8; cask < CASKS; cask++) {
                assertArrayEquals(("wood " + cask).getBytes(UTF_8), store.get(("cask:" + cask).getBytes(UTF_8)));
            }
        }
    }

    @Test
    void aProgramCopiesAMapOfMapDbWithSerializersOfItsOwn() throws IOException {
        fillMapDb();
        assertEquals(CASKS - 1, FromMapDb.copy(mapDb, "casks", target));
        try (StorageEngine store = BitcaskEngine.open(target)) {
            assertEquals("wood 8", store.as(Codecs.LONG, Codecs.STRING).get(8L));
            assertNull(store.as(Codecs.LONG, Codecs.STRING).get(7L));
        }
    }

    @Test
    void aProgramCopiesRocksDb() throws IOException, RocksDBException {
        fillRocksDb();
        assertEquals(CASKS - 1, FromRocksDb.copy(rocksDb, target));
        assertHoldsAllCasks();
    }

    @Test
    void theCommandLineImportsAMapOfMapDb() throws IOException, InterruptedException {
        fillMapDb();
        String told =
                caskwright("import", "--from", "mapdb", mapDb.toString(), "--part", "woods", "--to", target.toString());
        assertTrue(told.contains("imported: 2,499 entries"), told);
        assertHoldsAllCasks();
    }

    @Test
    void theCommandLineImportsRocksDb() throws IOException, InterruptedException, RocksDBException {
        fillRocksDb();
        String told = caskwright("import", "--from", "rocksdb", rocksDb.toString(), "--to", target.toString());
        assertTrue(told.contains("imported: 2,499 entries"), told);
        assertHoldsAllCasks();
    }
}
