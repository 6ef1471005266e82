package dev.caskwright.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the bolt comparison does with a store: transactions of many puts, reads within one transaction, scans. */
interface BoltSubject extends Closeable {
    /** Opens the store of a name: {@code bolt}, {@code lmdb}, {@code mvstore}, {@code xodus} or {@code mapdb}. */
    static BoltSubject open(String name, Path directory, boolean forces, long dataBytes) throws IOException {
        return switch (name) {
            case "bolt" -> new BoltSubjectOfOurs(directory, forces);
            case "lmdb" -> new LmdbSubject(directory, forces, dataBytes);
            case "mvstore" -> new MvStoreSubject(directory, forces);
            case "xodus" -> new XodusSubject(directory, forces);
            case "mapdb" -> new MapDbSubject(directory, forces);
            default -> throw new IllegalArgumentException("unknown store: name=" + name);
        };
    }

    /** Puts the first {@code count} keys in one commit. */
    void putAll(byte[][] keys, byte[][] values, int count) throws IOException;

    /** Puts one key in a commit. */
    void putOne(byte[] key, byte[] value) throws IOException;

    /** Puts one key in a commit that other threads may share. */
    default void batchOne(byte[] key, byte[] value) throws IOException {
        putOne(key, value);
    }

    /** Reads all keys in one transaction, each value as a copy; returns something that depends on them all. */
    long getAll(byte[][] keys) throws IOException;

    /** Reads a key in a transaction of its own; returns a copy of its value. */
    byte[] get(byte[] key) throws IOException;

    /** Reads all entries where they lie; returns something that depends on them all. */
    long scanInPlace() throws IOException;

    /** Reads all entries as copies; returns something that depends on them all. */
    long scanCopied() throws IOException;

    /** Returns the length of the store in bytes, without space that it holds ready and has never used. */
    default long size(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            long length = 0;
            for (Path each : (Iterable<Path>) files::iterator) {
                length += Files.size(each);
            }
            return length;
        }
    }

    /** Returns how many forces there were so far, -1 if the store does not tell. */
    default long forces() {
        return -1;
    }

    /** Makes the store as short as its data needs; returns its length then, in bytes, or -1 if this store is not compacted. */
    default long compact(Path directory) throws IOException {
        return -1;
    }

    /** Begins a read that lasts until it is closed, beside commits; null if this store has none to be held. */
    default @Nullable Closeable holdReader() throws IOException {
        return null;
    }
}
