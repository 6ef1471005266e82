package dev.caskwright.it;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Retry;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.testkit.HeapHog;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A store in a heap that something else fills again and again, so that memory runs out at any allocation: of a put, a batch,
 * a roll, a seal, a merge, a snapshot, an image, an opening, a close. Run by {@link HoggedHeapTest} in a process of its own.
 *
 * <p>Of each key it is known which write was acknowledged last, and which came after it whose outcome is not known. Whatever
 * is read must be one of these.
 */
final class HoggedHeap {
    private static final int KEYS = 300;
    private static final int MOST_DOUBTS = 64;
    private static final int LONGEST_VALUE = 3_000;
    private static final long ABSENT = 0;

    private final EngineBuilder builder;
    private final boolean isEncrypted; // by another key each time the store is opened
    private final Random random;
    private final byte[][] keys = new byte[KEYS][];
    private final byte[][] values = new byte[32][];
    private final long[] acknowledged = new long[KEYS]; // the number in its value, or ABSENT
    private final long[][] doubts = new long[KEYS][MOST_DOUBTS];
    private final int[] doubtCounts = new int[KEYS];
    private final int[] picked = new int[8];
    private long number;
    private long writes;
    private long refused;
    private long failures;
    private int openings;
    private @Nullable BitcaskEngine engine;

    private HoggedHeap(EngineBuilder builder, boolean isEncrypted, long seed) {
        this.builder = builder;
        this.isEncrypted = isEncrypted;
        this.random = new Random(seed);
        for (int i = 0; i < KEYS; i++) {
            keys[i] = ByteBuffer.allocate(12).putInt(i * 0x9E3779B9).putInt(i).array();
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = new byte[8 + i * LONGEST_VALUE / values.length];
        }
    }

    /** Arguments: directory, key index, IO manager, seed, milliseconds, encrypted or not. Prints {@code done} at the end. */
    public static void main(String[] args) throws Exception {
        EngineBuilder builder = new Combination(args[1], args[2], args[2])
                .builder(Path.of(args[0]))
                .maxFileBytes(64 << 10)
                .imageEveryBytes(96 << 10);
        HoggedHeap life = new HoggedHeap(builder, Boolean.parseBoolean(args[5]), Long.parseLong(args[3]));
        life.live(TimeUnit.MILLISECONDS.toNanos(Long.parseLong(args[4])));
        System.out.println("writes=" + life.writes + ", not applied=" + life.refused + ", failures=" + life.failures);
        System.out.println("done");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private void live(long nanos) throws Exception {
        open();
        HeapHog hog = new HeapHog(random.nextLong(), 1 << 16, 30);
        hog.start();
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() < end) {
            try {
                step();
            } catch (RuntimeException | Error e) {
                if (!isWantOfMemory(e)) {
                    throw e;
                }
                refused++; // of the harness, or of a read
            }
        }
        hog.end();
        hog.join();
        reopenIfFailed();
        check(current(), "at the end");
        awaitBackground();
        current().merge();
        check(current(), "merged");
        close();
        open();
        check(current(), "reopened");
        current().close();
    }

    private BitcaskEngine current() {
        BitcaskEngine open = engine;
        if (open == null) {
            throw new IllegalStateException("no store is open");
        }
        return open;
    }

    /** What failed for want of memory is done again when there is some. */
    private void awaitBackground() throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        for (List<Retry> failing = current().retries();
                !failing.isEmpty();
                failing = current().retries()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(
                        "still failing: " + failing.get(0).task(),
                        failing.get(0).cause());
            }
            Thread.sleep(10); // polled, for nothing tells of it
        }
    }

    private void step() {
        if (engine == null) {
            try {
                open();
            } catch (IOException | RuntimeException | Error e) {
                return; // the next step tries again
            }
        }
        int choice = random.nextInt(1_000);
        if (choice < 700) {
            put(random.nextInt(KEYS));
        } else if (choice < 850) {
            delete(random.nextInt(KEYS));
        } else if (choice < 930) {
            batch();
        } else if (choice < 980) {
            read(random.nextInt(KEYS));
        } else if (choice < 990) {
            useSnapshot();
        } else if (choice < 997) {
            merge();
        } else {
            close();
        }
        reopenIfFailed();
    }

    private void reopenIfFailed() {
        BitcaskEngine open = engine;
        if (open != null && open.health() != null) {
            failures++;
            close();
        }
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (engine == null) {
            try {
                open();
            } catch (IOException | RuntimeException | Error e) {
                refused++;
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("cannot be opened", e);
                }
            }
        }
    }

    /** The JDK wraps it, too. */
    private static boolean isWantOfMemory(Throwable e) {
        for (Throwable each = e; each != null; each = each.getCause()) {
            if (each instanceof OutOfMemoryError) {
                return true;
            }
        }
        return false;
    }

    private void open() throws IOException {
        if (isEncrypted) {
            builder.encryption(
                    Encryption.writing("key" + openings++ % 2, id -> Arrays.copyOf(KeyValues.bytes(id), 32)));
        }
        engine = builder.open();
    }

    /** Closes the store; one that could not be closed for want of memory is closed again. */
    private void close() {
        BitcaskEngine open = current();
        while (true) {
            try {
                open.close();
                break;
            } catch (IOException e) {
                break; // it says what it could not do, and has given everything back
            } catch (OutOfMemoryError e) {
                refused++;
            }
        }
        engine = null;
    }

    private void put(int key) {
        byte[] value = values[random.nextInt(values.length)];
        ByteBuffer.wrap(value).putLong(0, ++number);
        WriteOptions options = random.nextInt(8) == 0 ? WriteOptions.SYNC : WriteOptions.WRITE;
        doubt(key, number); // before, so that no memory is needed afterwards
        try {
            current().put(keys[key], value, options);
            acknowledge(key, number);
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            refuse(key, e);
        }
    }

    private void delete(int key) {
        doubt(key, ABSENT);
        try {
            current().delete(keys[key]);
            acknowledge(key, ABSENT);
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            refuse(key, e);
        }
    }

    private void batch() {
        WriteBatch batch = new WriteBatch();
        long first = number + 1;
        for (int i = 0; i < picked.length; i++) {
            picked[i] = Math.floorMod(random.nextInt(KEYS) / picked.length * picked.length + i, KEYS);
            byte[] value = values[i];
            ByteBuffer.wrap(value).putLong(0, ++number);
            batch.put(keys[picked[i]], value.clone());
        }
        for (int i = 0; i < picked.length; i++) {
            doubt(picked[i], first + i);
        }
        try {
            current().write(batch, WriteOptions.WRITE);
            for (int i = 0; i < picked.length; i++) {
                acknowledge(picked[i], first + i);
            }
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            for (int key : picked) {
                refuse(key, e);
            }
        }
    }

    private void doubt(int key, long value) {
        if (doubtCounts[key] == MOST_DOUBTS) {
            throw new IllegalStateException("too many writes of one key whose outcome is not known");
        }
        doubts[key][doubtCounts[key]++] = value;
    }

    private void acknowledge(int key, long value) {
        writes++;
        acknowledged[key] = value;
        doubtCounts[key] = 0;
    }

    /** Takes the last doubt back if the write says that it was not applied. */
    private void refuse(int key, Throwable e) {
        refused++;
        if (e instanceof EngineException own && own.outcome() == Outcome.NOT_APPLIED) {
            doubtCounts[key]--;
        } else if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
    }

    private void read(int key) {
        try {
            check(key, current().get(keys[key]), "read");
        } catch (IOException e) {
            refused++;
        }
    }

    private void useSnapshot() {
        try (Snapshot snapshot = current().snapshot()) {
            int key = random.nextInt(KEYS);
            check(key, snapshot.get(keys[key]), "snapshot");
        } catch (IOException e) {
            refused++;
        }
    }

    private void merge() {
        try {
            current().merge();
        } catch (IOException e) {
            refused++;
        }
    }

    private void check(BitcaskEngine open, String when) throws IOException {
        for (int key = 0; key < KEYS; key++) {
            check(key, open.get(keys[key]), when);
        }
        if (open.health() != null || open.stats().keys() > KEYS) {
            throw new IllegalStateException(when + ": health=" + open.health() + ", " + open.stats());
        }
    }

    private void check(int key, byte @Nullable [] found, String when) {
        long value = found == null ? ABSENT : ByteBuffer.wrap(found).getLong();
        if (value == acknowledged[key]) {
            return;
        }
        for (int i = 0; i < doubtCounts[key]; i++) {
            if (value == doubts[key][i]) {
                return;
            }
        }
        System.out.println("wrong answer, " + when + ": key=" + key + ", found=" + value + ", acknowledged="
                + acknowledged[key] + ", in doubt="
                + Arrays.toString(Arrays.copyOf(doubts[key], doubtCounts[key])));
        System.out.flush();
        Runtime.getRuntime().halt(1);
    }
}
