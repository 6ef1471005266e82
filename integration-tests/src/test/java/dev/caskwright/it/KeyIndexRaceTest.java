package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Readers race with a writer that puts, replaces and removes keys while the tables grow, shrink and are rebuilt around
 * them. A locator says whose it is and the how manieth, so that each answer can be judged: it is the key's own, no older
 * than the last one that was set before the question, and no newer than the last one that was begun. In the campaign for
 * {@code -Dcaskwright.race.millis} milliseconds.
 */
final class KeyIndexRaceTest {
    private static final int READERS = 2;
    private static final int WATCHED = 64;
    private static final int PASSING = 1_500; // keys that come and go, so that there is growth
    private static final int VERSION_BITS = 26;
    private static final long VERSIONS = (1L << VERSION_BITS) - 1;

    /** The lasting half of the watched keys is never absent; the others are in every second version. */
    private static final int LASTING = WATCHED / 2;

    /** All keys fall into one of the many parts of an index, where they meet all the time. */
    private static final int PART_BITS = 10;

    private static final long SAME_PART = -1L << Long.SIZE - PART_BITS;
    private static final long SAME_START = SAME_PART | 0xFFL << 24; // the upper half and the lower are used by turns
    private static final int LONG = 65_535; // as long as keys can be

    private final byte[][] keys = new byte[WATCHED + PASSING][];
    private final AtomicLongArray begun = new AtomicLongArray(WATCHED);
    private final AtomicLongArray done = new AtomicLongArray(WATCHED);
    private final AtomicReference<String> wrong = new AtomicReference<>();
    private final AtomicLong reads = new AtomicLong();
    private final AtomicBoolean isOver = new AtomicBoolean();

    @ParameterizedTest
    @ValueSource(strings = {"hashmap", "compact"})
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void everyAnswerIsOfSomeMomentOfTheQuestion(String name) throws Exception {
        race(name, 500);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hashmap", "compact"})
    @Tag("campaign")
    void everyAnswerIsOfSomeMomentOfTheQuestionForLong(String name) throws Exception {
        race(name, Long.getLong("caskwright.race.millis", 60_000));
    }

    /**
     * A slot goes from a key to another and back while readers compare the first one with what they ask for. That key is
     * so long that they are at it for a few thousand times as long as a change takes, so what they find then is another's
     * often: the locator must be looked at twice.
     */
    @ParameterizedTest
    @ValueSource(strings = {"hashmap", "compact"})
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aSlotThatChangesHandsIsNotTakenForTheOldKeys(String name) throws Exception {
        long seed = System.nanoTime();
        KeyHash hash = new KeyHash(seed);
        byte[] longKey = new byte[LONG];
        byte[] neighbour = like(longKey, SAME_START, hash, new byte[Long.BYTES]);
        List<byte[]> all = new ArrayList<>(List.of(longKey, neighbour));
        while (all.size() < 12) { // those that stay, so that their part of the index is not rebuilt all the time
            all.add(like(longKey, SAME_PART, hash, new byte[LONG - all.size()]));
        }
        KeyIndexContext context = new KeyIndexContext(0, 0, seed, (key, offset, length, locator) -> {
            byte[] own = all.get((int) locator - 1);
            return Arrays.equals(key, offset, offset + length, own, 0, own.length);
        });
        try (KeyIndex index = Backends.keyIndex(name).open(context)) {
            for (int i = 2; i < all.size(); i++) {
                index.put(all.get(i), 0, all.get(i).length, i + 1);
            }
            Thread[] readers = new Thread[READERS];
            for (int i = 0; i < READERS; i++) {
                readers[i] = new Thread(() -> readLong(index, longKey));
                readers[i].start();
            }
            try {
                long end = System.nanoTime() + 1_000_000_000;
                while (System.nanoTime() < end && wrong.get() == null) {
                    index.put(longKey, 0, longKey.length, 1);
                    // A reader that has just answered begins again, and is comparing now.
                    long answered = reads.get();
                    while (reads.get() == answered && System.nanoTime() < end) {
                        Thread.onSpinWait();
                    }
                    index.remove(longKey, 0, longKey.length, 1);
                    index.put(neighbour, 0, neighbour.length, 2);
                    index.remove(neighbour, 0, neighbour.length, 2);
                }
            } finally {
                isOver.set(true);
                for (Thread reader : readers) {
                    reader.join();
                }
            }
        }
        assertThat(wrong.get()).as("seed=%s", seed).isNull();
    }

    private void readLong(KeyIndex index, byte[] longKey) {
        try {
            while (!isOver.get() && wrong.get() == null) {
                long found = index.get(longKey, 0, longKey.length);
                if (found != KeyIndex.ABSENT && found != 1) {
                    wrong.compareAndSet(null, "the locator of another key: " + found);
                }
                reads.incrementAndGet();
            }
        } catch (IOException | RuntimeException e) {
            wrong.compareAndSet(null, e.toString());
        }
    }

    /**
     * Counts a key up until its hash is like another's in some bits: in the first ten, which choose a part of an index, or in
     * those as well by which a search begins.
     */
    private static byte[] like(byte[] other, long bits, KeyHash hash, byte[] key) {
        long wanted = hash.hash(other, 0, other.length) & bits;
        for (long number = 1; (hash.hash(key, 0, key.length) & bits) != wanted; number++) {
            ByteBuffer.wrap(key).putLong(number);
        }
        return key;
    }

    private void race(String name, long millis) throws Exception {
        long seed = System.nanoTime();
        chooseKeys(new KeyHash(seed));
        KeyIndexContext context = new KeyIndexContext(
                0,
                0,
                seed,
                (key, offset, length, locator) ->
                        Arrays.equals(key, offset, offset + length, key(owner(locator)), 0, Integer.BYTES));
        try (KeyIndex index = Backends.keyIndex(name).open(context)) {
            for (int key = 0; key < WATCHED; key++) {
                index.put(key(key), 0, Integer.BYTES, locator(key, 0));
            }
            Thread[] readers = new Thread[READERS];
            for (int i = 0; i < READERS; i++) {
                Random random = new Random(seed + i);
                readers[i] = new Thread(() -> read(index, random));
                readers[i].start();
            }
            try {
                write(index, System.nanoTime() + millis * 1_000_000);
            } finally {
                isOver.set(true);
                for (Thread reader : readers) {
                    reader.join();
                }
            }
        }
        System.out.println("index race: " + name + ", reads=" + reads);
        assertThat(wrong.get()).as("seed=%s", seed).isNull();
    }

    private void chooseKeys(KeyHash hash) {
        int found = 0;
        for (int number = 0; found < keys.length; number++) {
            byte[] key = ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
            if (hash.hash(key, 0, key.length) >>> Long.SIZE - PART_BITS == 0) {
                keys[found++] = key;
            }
        }
    }

    /** One wave: all passing keys come, then all go, with watched keys changed in between. */
    private void write(KeyIndex index, long end) throws IOException {
        long version = 0;
        while ((System.nanoTime() < end || reads.get() == 0) && wrong.get() == null) {
            for (int i = 0; i < 2 * PASSING; i++) {
                int passing = WATCHED + i % PASSING;
                if (i < PASSING) {
                    index.put(key(passing), 0, Integer.BYTES, locator(passing, 0));
                } else {
                    index.remove(key(passing), 0, Integer.BYTES, locator(passing, 0));
                }
                int key = i % WATCHED;
                if (key == 0) {
                    version++;
                }
                change(index, key, version);
            }
        }
    }

    private void change(KeyIndex index, int key, long version) throws IOException {
        begun.set(key, version);
        if (!isThere(key, version)) {
            index.remove(key(key), 0, Integer.BYTES, locator(key, version - 1));
        } else if (version % 3 == 0 && isThere(key, version - 1)) {
            index.replace(key(key), 0, Integer.BYTES, locator(key, version - 1), locator(key, version));
        } else {
            index.put(key(key), 0, Integer.BYTES, locator(key, version));
        }
        done.set(key, version);
    }

    private void read(KeyIndex index, Random random) {
        try {
            while (!isOver.get() && wrong.get() == null) {
                int key = random.nextInt(WATCHED);
                long from = done.get(key);
                long locator = index.get(key(key), 0, Integer.BYTES);
                long to = begun.get(key);
                boolean isRight = locator == KeyIndex.ABSENT
                        ? !isThere(key, from) || !isThere(key, to) || to > from + 1 && key >= LASTING
                        : owner(locator) == key
                                && (locator & VERSIONS) >= (from & VERSIONS)
                                && (locator & VERSIONS) <= (to & VERSIONS)
                                && isThere(key, locator & VERSIONS);
                if (!isRight) {
                    wrong.compareAndSet(
                            null,
                            "key=" + key + ", from=" + from + ", to=" + to + ", found=" + Long.toHexString(locator));
                }
                reads.incrementAndGet();
            }
        } catch (IOException | RuntimeException e) {
            wrong.compareAndSet(null, e.toString());
        }
    }

    private static boolean isThere(int key, long version) {
        return key < LASTING || version % 2 == 0;
    }

    private static long locator(long key, long version) {
        return key + 1 << VERSION_BITS | version; // never ABSENT
    }

    private static long owner(long locator) {
        return (locator >>> VERSION_BITS) - 1;
    }

    private byte[] key(long number) {
        return keys[(int) number];
    }
}
