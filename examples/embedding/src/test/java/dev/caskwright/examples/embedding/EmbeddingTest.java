package dev.caskwright.examples.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs each program and looks at what it prints. */
final class EmbeddingTest {
    @TempDir
    private Path directory;

    private interface Program {
        void run(String[] arguments) throws Exception;
    }

    private void assertPrints(String expected, Program program) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed));
        try {
            program.run(new String[] {directory.toString()});
        } finally {
            System.setOut(before);
        }
        assertEquals(expected, printed.toString().replace(System.lineSeparator(), "\n"));
    }

    @Test
    void hashMapIndex() throws Exception {
        assertPrints("oak, 1998 of 2\n", WithHashMapIndex::main);
    }

    @Test
    void sortedIndex() throws Exception {
        assertPrints("oak:1 empty\noak:2 full\n", WithSortedIndex::main);
    }

    @Test
    void bTreeIndex() throws Exception {
        assertPrints("oak 1998\nelm 2011\n", WithBTreeIndex::main);
    }

    @Test
    void compactIndex() throws Exception {
        assertPrints("10000 casks, the last of oak\n", WithCompactIndex::main);
    }

    @Test
    void offHeapIndex() throws Exception {
        assertPrints("null ash\n", WithOffHeapIndex::main);
    }

    @Test
    void bolt() throws Exception {
        assertPrints("ash 2004\noak 1998\n", WithBolt::main);
    }

    @Test
    void moss() throws Exception {
        assertPrints("cask:1 oak\ncask:2 ash\n0 left\n", WithMoss::main);
    }

    @Test
    void mvcc() throws Exception {
        assertPrints("was oak\n2 PUT\n3 PUT\n", WithMvcc::main);
    }
}
