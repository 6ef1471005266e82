package dev.caskwright.cli;

import dev.caskwright.api.Merging;
import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Stores files under their paths and holds the store to it: everything is read back and compared by digest, after
 * writing, after changing a third and deleting a tenth and merging, and again after a reopen. Only paths and digests are
 * kept in memory. For one thread.
 */
final class Demo {
    private static final int CHANGED_ONE_IN = 3;
    private static final int DELETED_ONE_IN = 10;
    private static final double NANOS_PER_SECOND = 1e9;

    /** Opens the demo's store. */
    @FunctionalInterface
    interface Opener {
        StorageEngine open() throws IOException;
    }

    /**
     * What the demo measured. Rates count the time within the store only, not that of reading the files.
     *
     * @param mismatches keys whose value was not what it should be, over all comparisons
     */
    record Result(
            long entries,
            long bytes,
            double putsPerSecond,
            double getsPerSecond,
            double reopenMillis,
            double amplificationBeforeMerge,
            double amplificationAfterMerge,
            long mismatches) {}

    private final Opener opener;
    private final Shell shell;
    private final List<Path> files;
    private final List<byte @Nullable []> digests = new ArrayList<>(); // null for a deleted file
    private final Digest digest = new Digest();
    private long bytes;
    private long puts;
    private long putNanos;
    private long gets;
    private long getNanos;
    private long mismatches;

    Demo(Opener opener, List<Path> files, Shell shell) {
        this.opener = opener;
        this.files = files;
        this.shell = shell;
    }

    /** Runs it all. */
    Result run() throws IOException {
        double before;
        double after;
        try (StorageEngine store = opener.open()) {
            storeAll(store);
            compareAll(store, "read back");
            changeSome(store);
            deleteSome(store);
            before = store.stats().space().amplification();
            merge(store);
            after = store.stats().space().amplification();
            compareAll(store, "compared after the merge");
        }
        long start = System.nanoTime();
        try (StorageEngine store = opener.open()) {
            double reopenMillis = (System.nanoTime() - start) / 1e6;
            compareAll(store, "compared after the reopen");
            compareNumber(store);
            return new Result(
                    files.size(),
                    bytes,
                    puts * NANOS_PER_SECOND / Math.max(1, putNanos),
                    gets * NANOS_PER_SECOND / Math.max(1, getNanos),
                    reopenMillis,
                    before,
                    after,
                    mismatches);
        }
    }

    private void storeAll(StorageEngine store) throws IOException {
        try (Progress progress = shell.progress("stored", "files")) {
            for (Path file : files) {
                byte[] value = Files.readAllBytes(file);
                bytes += value.length;
                digests.add(put(store, key(file), value));
                progress.step();
            }
            progress.finish();
        }
    }

    private void changeSome(StorageEngine store) throws IOException {
        try (Progress progress = shell.progress("changed", "files")) {
            for (int i = 0; i < files.size(); i += CHANGED_ONE_IN) {
                digests.set(i, put(store, key(files.get(i)), changed(Files.readAllBytes(files.get(i)))));
                progress.step();
            }
            progress.finish();
        }
    }

    private void deleteSome(StorageEngine store) throws IOException {
        try (Progress progress = shell.progress("deleted", "files")) {
            for (int i = 0; i < files.size(); i += DELETED_ONE_IN) {
                if (!store.delete(key(files.get(i)))) {
                    mismatch("missing, so not deleted", files.get(i));
                }
                digests.set(i, null);
                progress.step();
            }
            progress.finish();
        }
    }

    /** Gives back space, if the engine does that by merging. */
    private void merge(StorageEngine store) throws IOException {
        Merging merging = store.facet(Merging.class).orElse(null);
        if (merging == null) {
            return;
        }
        try (Progress progress = shell.progress("merging")) {
            merging.merge();
            progress.finish("merged");
        }
    }

    private void compareAll(StorageEngine store, String verb) throws IOException {
        try (Progress progress = shell.progress(verb, "files")) {
            for (int i = 0; i < files.size(); i++) {
                compare(store, files.get(i), digests.get(i));
                progress.step();
            }
            progress.finish();
        }
    }

    private void compare(StorageEngine store, Path file, byte @Nullable [] expected) throws IOException {
        byte[] key = key(file);
        long start = System.nanoTime();
        byte[] value = store.get(key);
        getNanos += System.nanoTime() - start;
        gets++;
        if (value == null || expected == null) {
            if (value != null || expected != null) {
                mismatch(value == null ? "lost" : "still there although deleted", file);
            }
        } else if (!Arrays.equals(expected, digest.of(key, value))) {
            mismatch("different", file);
        }
    }

    /** Finds keys that nobody stored. */
    private void compareNumber(StorageEngine store) throws IOException {
        long expected = digests.stream().filter(known -> known != null).count();
        long[] found = {0};
        store.visit(entry -> {
            found[0]++;
            return true;
        });
        if (found[0] != expected) {
            mismatches++;
            shell.complain("mismatch: " + found[0] + " entries, expected " + expected);
        }
    }

    private byte[] put(StorageEngine store, byte[] key, byte[] value) throws IOException {
        long start = System.nanoTime();
        store.put(key, value);
        putNanos += System.nanoTime() - start;
        puts++;
        return digest.of(key, value);
    }

    private void mismatch(String what, Path file) {
        mismatches++;
        shell.complain("mismatch: " + what + ": " + file);
    }

    /** Changes every byte, and the length, so that an empty file changes too. */
    private static byte[] changed(byte[] value) {
        byte[] changed = Arrays.copyOf(value, value.length + 1);
        for (int i = 0; i < changed.length; i++) {
            changed[i] ^= (byte) 0xFF;
        }
        return changed;
    }

    private static byte[] key(Path file) {
        return file.toString().getBytes(StandardCharsets.UTF_8);
    }
}
