package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every {@link PersistentKeyIndex} must do, beside what every {@link KeyIndex} must. */
public abstract class PersistentKeyIndexContract extends KeyIndexContract {
    private static final long OTHER_SEED = 0xF00D;
    /** Enough for an image that is loaded in several parts. */
    private static final int MANY = 100_000;

    private static final PersistentKeyIndex.Refill NO_REFILL = (index, wanted, cause) -> {};

    @Override
    protected abstract PersistentKeyIndex newIndex(KeyIndexContext context) throws IOException;

    @Test
    void anImageHoldsEveryKeyWhateverTheSeed() throws Exception {
        IndexedKeys keys = numberedKeys(30_000);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        try (PersistentKeyIndex loaded = openOther(keys)) {
            assertThat(load(loaded, image)).isTrue();
            assertHoldsAllButEveryThird(loaded, keys);
            // It goes on as any other index does.
            for (int i = 0; i < keys.count(); i++) {
                assertThat(put(loaded, keys, i, 2)).isEqualTo(i % 3 == 0 ? KeyIndex.ABSENT : IndexedKeys.locator(i, 1));
            }
            for (int i = 0; i < keys.count(); i++) {
                assertThat(remove(loaded, keys, i, 2)).isTrue();
            }
            assertThat(loaded.size()).isZero();
        }
    }

    @Test
    void theImageOfALoadedIndexIsTheSame() throws Exception {
        IndexedKeys keys = numberedKeys(10_000);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        try (PersistentKeyIndex loaded = openOther(keys)) {
            assertThat(load(loaded, image)).isTrue();
            assertThat(save(loaded)).isEqualTo(image);
        }
    }

    @Test
    void anImageHoldsKeysOfEveryLengthAndEveryBitOfALocator() throws Exception {
        Random random = new Random(13);
        int[] lengths = IntStream.concat(
                        IntStream.rangeClosed(1, 600), IntStream.of(4_095, 4_096, 32_767, 32_768, 65_534, 65_535))
                .toArray();
        byte[][] all = new byte[lengths.length][];
        for (int i = 0; i < lengths.length; i++) {
            all[i] = randomBytes(random, lengths[i]);
        }
        IndexedKeys keys = new IndexedKeys(all);
        byte[] image;
        try (PersistentKeyIndex index = newIndex(new KeyIndexContext(0, 0, 1, keys))) {
            for (int i = 0; i < all.length; i++) {
                put(index, keys, i, 1);
            }
            image = save(index);
        }
        try (PersistentKeyIndex loaded = openOther(keys)) {
            assertThat(load(loaded, image)).isTrue();
            for (int i = 0; i < all.length; i++) {
                assertThat(get(loaded, keys.key(i))).as("length=%s", lengths[i]).isEqualTo(IndexedKeys.locator(i, 1));
            }
            assertThat(loaded.size()).isEqualTo(all.length);
        }
    }

    @Test
    void anEmptyIndexHasAnImage() throws Exception {
        IndexedKeys keys = numberedKeys(100);
        try (PersistentKeyIndex empty = newIndex(new KeyIndexContext(0, 0, 1, keys));
                PersistentKeyIndex loaded = openOther(keys)) {
            assertThat(load(loaded, save(empty))).isTrue();
            assertThat(loaded.size()).isZero();
            put(loaded, keys, 7, 1);
            assertThat(get(loaded, keys.key(7))).isEqualTo(IndexedKeys.locator(7, 1));
        }
    }

    @Test
    void aCutOrPaddedImageIsRefusedAndTheIndexStaysEmptyAndUsable() throws Exception {
        IndexedKeys keys = numberedKeys(3_000);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        for (int length : new int[] {0, 1, 11, 12, 13, image.length / 2, image.length - 1, image.length + 1}) {
            assertRefused(Arrays.copyOf(image, length), keys, "length=" + length);
        }
    }

    @Test
    void noDamageBreaksMoreThanTheImage() throws Exception {
        // The engine's checksums find damage first. Without them an index may hold nonsense, but does not blow up.
        long seed = seed();
        Random random = new Random(seed);
        IndexedKeys keys = numberedKeys(300);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        for (int round = 0; round < 300; round++) {
            byte[] damaged = image.clone();
            for (int i = 0; i <= round % 3; i++) {
                int place = random.nextInt(round % 2 == 0 ? Math.min(200, image.length) : image.length);
                damaged[place] = (byte) random.nextInt(256);
            }
            try (PersistentKeyIndex index =
                    newIndex(new KeyIndexContext(0, 0, OTHER_SEED, (key, offset, length, locator) -> false))) {
                if (!load(index, damaged)) {
                    assertThat(index.size())
                            .as("seed=%d, round=%d", seed, round)
                            .isZero();
                }
                for (int i = 0; i < keys.count(); i++) {
                    get(index, keys.key(i));
                }
            }
        }
    }

    @Test
    void whatCannotBeReadAtOnceComesOutAndWhatCannotBeReadLaterIsFilledFromElsewhere() throws Exception {
        IndexedKeys keys = numberedKeys(MANY);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        for (int round = 0; round <= 5; round++) {
            int bad = (int) ((image.length - 1L) * round / 5);
            ArrayImage opened = new ArrayImage(image).failingAt(bad);
            try (PersistentKeyIndex index = openOther(keys)) {
                boolean isLoaded = false;
                try {
                    isLoaded = index.load(opened, refillWithEveryThirdKeyRemoved(keys));
                    assertThat(isLoaded).isTrue();
                    assertThat(index.size()).isBetween(keys.count() * 2L / 3 - 1, keys.count() * 2L / 3 + 1);
                } catch (IOException e) {
                    assertThat(e).hasMessage("planned");
                    assertThat(index.size()).isZero();
                    assertThat(opened.isClosed).isTrue();
                }
                if (!isLoaded) {
                    assertThat(load(index, image)).isTrue();
                }
                assertHoldsAllButEveryThird(index, keys);
                assertThat(opened.isClosed).as("bad=%d", bad).isTrue();
                put(index, keys, 3, 2);
                assertThat(get(index, keys.key(3))).isEqualTo(IndexedKeys.locator(3, 2));
            }
        }
    }

    @Test
    void whatFillsItFromElsewhereMayFailAndIsAskedAgain() throws Exception {
        IndexedKeys keys = numberedKeys(MANY);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        try (PersistentKeyIndex index = openOther(keys)) {
            AtomicBoolean isGood = new AtomicBoolean();
            PersistentKeyIndex.Refill good = refillWithEveryThirdKeyRemoved(keys);
            try {
                assertThat(index.load(new ArrayImage(image).failingAt(image.length / 2), (into, wanted, cause) -> {
                            if (!isGood.get()) {
                                put(into, keys, 1, 5); // of no effect
                                throw new IOException("refused");
                            }
                            good.into(into, wanted, cause);
                        }))
                        .isTrue();
            } catch (IOException e) {
                assertThat(e).hasMessage("planned"); // it leaves nothing for later
                return;
            }
            assertThatThrownBy(() -> index.ensureRoom(1)).hasMessage("refused");
            assertThatThrownBy(() -> {
                        for (int i = 0; i < keys.count(); i++) {
                            get(index, keys.key(i));
                        }
                    })
                    .hasMessage("refused");
            assertThatThrownBy(() -> save(index)).hasMessage("refused");
            isGood.set(true);
            index.ensureRoom(1);
            assertHoldsAllButEveryThird(index, keys);
        }
    }

    @Test
    void theSizeIsThatOfWhatWasFilledIn() throws Exception {
        IndexedKeys keys = numberedKeys(MANY);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        try (PersistentKeyIndex index = openOther(keys)) {
            try {
                assertThat(index.load(new ArrayImage(image).failingAt(image.length / 2), NO_REFILL))
                        .isTrue();
            } catch (IOException e) {
                assertThat(e).hasMessage("planned"); // it leaves nothing for later
                return;
            }
            index.ensureRoom(1);
            int present = 0;
            for (int i = 0; i < keys.count(); i++) {
                present += get(index, keys.key(i)) == KeyIndex.ABSENT ? 0 : 1;
            }
            assertThat(present).isLessThan(keys.count() * 2 / 3);
            assertThat(index.size()).isEqualTo(present);
        }
    }

    @Test
    void loadingEndsAndGivesTheImageBack() throws Exception {
        IndexedKeys keys = numberedKeys(MANY);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        ArrayImage opened = new ArrayImage(image);
        try (PersistentKeyIndex index = openOther(keys)) {
            assertThat(index.load(opened, NO_REFILL)).isTrue();
            assertThat(index.size()).isEqualTo(keys.count() - (keys.count() + 2) / 3);
            int calls = 0;
            while (index.loadMore()) {
                calls++;
            }
            assertThat(calls).isLessThan(100_000);
            assertThat(opened.isClosed).isTrue();
            assertThat(index.loadMore()).isFalse();
            assertHoldsAllButEveryThird(index, keys);
        }
        ArrayImage dropped = new ArrayImage(image);
        PersistentKeyIndex index = openOther(keys);
        assertThat(index.load(dropped, NO_REFILL)).isTrue();
        index.close();
        assertThat(dropped.isClosed).isTrue();
        ArrayImage refused = new ArrayImage(new byte[0]);
        try (PersistentKeyIndex empty = openOther(keys)) {
            assertThat(empty.load(refused, NO_REFILL)).isFalse();
        }
        assertThat(refused.isClosed).isTrue();
    }

    @Test
    void everyCallIsRightBeforeAllIsLoaded() throws Exception {
        long seed = seed();
        Random random = new Random(seed);
        IndexedKeys keys = numberedKeys(MANY);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        for (int round = 0; round < 30; round++) {
            int number = random.nextInt(keys.count());
            long there = number % 3 == 0 ? KeyIndex.ABSENT : IndexedKeys.locator(number, 1);
            byte[] key = keys.key(number);
            try (PersistentKeyIndex index = openOther(keys)) {
                assertThat(index.load(new ArrayImage(image), NO_REFILL)).isTrue();
                switch (round % 7) {
                    case 0 -> assertThat(get(index, key)).as("seed=%d", seed).isEqualTo(there);
                    case 1 -> {
                        long candidate = index.candidate(key, 0, key.length);
                        assertThat(candidate).as("seed=%d", seed).isIn(there, candidate == there ? 0 : candidate);
                        assertThat(candidate == KeyIndex.ABSENT && there != KeyIndex.ABSENT)
                                .isFalse();
                    }
                    case 2 -> {
                        long[] locators = new long[1];
                        index.candidates(key, new int[1], new int[] {key.length}, 1, locators);
                        assertThat(locators[0] == KeyIndex.ABSENT && there != KeyIndex.ABSENT)
                                .as("seed=%d", seed)
                                .isFalse();
                    }
                    case 3 ->
                        assertThat(put(index, keys, number, 2))
                                .as("seed=%d", seed)
                                .isEqualTo(there);
                    case 4 ->
                        assertThat(index.putIfAbsent(key, 0, key.length, IndexedKeys.locator(number, 2)))
                                .as("seed=%d", seed)
                                .isEqualTo(there);
                    case 5 ->
                        assertThat(index.replace(
                                        key,
                                        0,
                                        key.length,
                                        IndexedKeys.locator(number, 1),
                                        IndexedKeys.locator(number, 2)))
                                .as("seed=%d", seed)
                                .isEqualTo(there != KeyIndex.ABSENT);
                    default ->
                        assertThat(remove(index, keys, number, 1))
                                .as("seed=%d", seed)
                                .isEqualTo(there != KeyIndex.ABSENT);
                }
                if (round % 7 < 3) {
                    assertHoldsAllButEveryThird(index, keys);
                }
            }
        }
    }

    @Test
    void manyThreadsMayFindTheSameDamage() throws Exception {
        long seed = seed();
        IndexedKeys keys = numberedKeys(MANY);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 8; round++) {
                try (PersistentKeyIndex index = openOther(keys)) {
                    try {
                        assertThat(index.load(
                                        new ArrayImage(image).failingAt((int) (image.length * (round + 0.5) / 8)),
                                        refillWithEveryThirdKeyRemoved(keys)))
                                .isTrue();
                    } catch (IOException e) {
                        assertThat(e).hasMessage("planned"); // it leaves nothing for later
                        continue;
                    }
                    List<Future<?>> readers = new ArrayList<>();
                    for (int thread = 0; thread < 4; thread++) {
                        Random random = new Random(seed + thread);
                        boolean isLoader = thread == 3;
                        readers.add(threads.submit(() -> {
                            while (isLoader && index.loadMore()) {
                                // Each call loads a part.
                            }
                            for (int i = 0; i < 20_000; i++) {
                                int number = random.nextInt(keys.count());
                                assertThat(get(index, keys.key(number)))
                                        .as("seed=%d", seed)
                                        .isEqualTo(number % 3 == 0 ? KeyIndex.ABSENT : IndexedKeys.locator(number, 1));
                            }
                            return null;
                        }));
                    }
                    for (Future<?> reader : readers) {
                        join(reader);
                    }
                    assertHoldsAllButEveryThird(index, keys);
                }
            }
        } finally {
            shutDown(threads);
        }
    }

    @Test
    void whatTheSinkThrowsComesOutAndTheIndexIsAsBefore() throws Exception {
        IndexedKeys keys = numberedKeys(1_000);
        try (PersistentKeyIndex index = newIndex(new KeyIndexContext(0, 0, 1, keys))) {
            put(index, keys, 5, 1);
            assertThatThrownBy(() -> index.save((source, offset, length) -> {
                        throw new IOException("planned");
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("planned");
            put(index, keys, 6, 1);
            assertThat(index.size()).isEqualTo(2);
        }
    }

    @Test
    void anImageSavedBesideAWriterHoldsTheStableKeys() throws Exception {
        long seed = seed();
        Random random = new Random(seed);
        IndexedKeys keys = numberedKeys(20_000);
        ExecutorService threads = Executors.newSingleThreadExecutor();
        AtomicBoolean stop = new AtomicBoolean();
        try (PersistentKeyIndex index = newIndex(new KeyIndexContext(0, 0, 1, keys))) {
            for (int i = 0; i < keys.count(); i += 2) {
                put(index, keys, i, 1);
            }
            CountDownLatch writing = new CountDownLatch(1);
            Future<Integer> writer = threads.submit(() -> {
                int step = 1;
                long[] versions = new long[keys.count()];
                while (!stop.get()) {
                    int number = random.nextInt(keys.count() / 2) * 2 + 1;
                    if (versions[number] == 0 || random.nextBoolean()) {
                        versions[number] = ++step;
                        put(index, keys, number, step);
                    } else {
                        assertThat(remove(index, keys, number, versions[number]))
                                .isTrue();
                        versions[number] = 0;
                    }
                    writing.countDown();
                }
                return step;
            });
            writing.await();
            byte[] image = save(index);
            stop.set(true);
            join(writer);
            try (PersistentKeyIndex loaded = openOther(keys)) {
                assertThat(load(loaded, image)).isTrue();
                for (int i = 0; i < keys.count(); i++) {
                    long locator = get(loaded, keys.key(i));
                    if (i % 2 == 0) {
                        assertThat(locator).as("seed=%d", seed).isEqualTo(IndexedKeys.locator(i, 1));
                    } else if (locator != KeyIndex.ABSENT) {
                        assertThat(IndexedKeys.number(locator))
                                .as("seed=%d", seed)
                                .isEqualTo(i);
                    }
                }
            }
        } finally {
            stop.set(true);
            shutDown(threads);
        }
    }

    @Test
    void imagesAfterCloseAreAnIllegalState() throws Exception {
        PersistentKeyIndex index = openOther(numberedKeys(1));
        byte[] image = save(index);
        index.close();
        assertThatThrownBy(() -> save(index)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> load(index, image)).isInstanceOf(IllegalStateException.class);
    }

    private PersistentKeyIndex openOther(IndexedKeys keys) throws IOException {
        return newIndex(new KeyIndexContext(0, 0, OTHER_SEED, keys));
    }

    private byte[] imageWithEveryThirdKeyRemoved(IndexedKeys keys) throws IOException {
        try (PersistentKeyIndex index = newIndex(new KeyIndexContext(0, 0, 1, keys))) {
            for (int i = 0; i < keys.count(); i++) {
                put(index, keys, i, 1);
            }
            for (int i = 0; i < keys.count(); i += 3) {
                remove(index, keys, i, 1);
            }
            return save(index);
        }
    }

    private static void assertHoldsAllButEveryThird(KeyIndex index, IndexedKeys keys) throws IOException {
        int present = 0;
        for (int i = 0; i < keys.count(); i++) {
            long expected = i % 3 == 0 ? KeyIndex.ABSENT : IndexedKeys.locator(i, 1);
            present += i % 3 == 0 ? 0 : 1;
            assertThat(get(index, keys.key(i))).isEqualTo(expected);
        }
        assertThat(index.size()).isEqualTo(present);
    }

    private void assertRefused(byte[] image, IndexedKeys keys, String story) throws IOException {
        try (PersistentKeyIndex index = openOther(keys)) {
            long empty = index.memoryBytes();
            assertThat(load(index, image)).as(story).isFalse();
            assertThat(index.size()).as(story).isZero();
            assertThat(index.memoryBytes()).as(story).isEqualTo(empty);
            for (int i = 0; i < keys.count(); i++) {
                assertThat(put(index, keys, i, 1)).as(story).isEqualTo(KeyIndex.ABSENT);
            }
            assertThat(index.size()).as(story).isEqualTo(keys.count());
        }
    }

    private static byte[] save(PersistentKeyIndex index) throws IOException {
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        index.save(image::write);
        return image.toByteArray();
    }

    private static boolean load(PersistentKeyIndex index, byte[] image) throws IOException {
        return index.load(new ArrayImage(image), NO_REFILL);
    }

    private static PersistentKeyIndex.Refill refillWithEveryThirdKeyRemoved(IndexedKeys keys) {
        return (index, wanted, cause) -> {
            for (int i = 0; i < keys.count(); i++) {
                byte[] key = keys.key(i);
                if (i % 3 != 0 && wanted.mayContain(key, 0, key.length)) {
                    put(index, keys, i, 1);
                }
            }
        };
    }

    /** An image in memory, of which one byte may not be readable. */
    private static final class ArrayImage implements PersistentKeyIndex.Image {
        private final byte[] image;
        private int badByte = -1;
        volatile boolean isClosed;

        ArrayImage(byte[] image) {
            this.image = image;
        }

        ArrayImage failingAt(int place) {
            badByte = place;
            return this;
        }

        @Override
        public long length() {
            return image.length;
        }

        @Override
        public PersistentKeyIndex.ImageSource source(long from, long length) throws IOException {
            assertThat(isClosed).as("read after it was given back").isFalse();
            if (from < 0 || length > image.length - from) {
                throw new EOFException("the image is cut");
            }
            return new Source((int) from, (int) (from + length));
        }

        @Override
        public void close() {
            isClosed = true;
        }

        private final class Source implements PersistentKeyIndex.ImageSource {
            private final int end;
            private int position;

            Source(int from, int end) {
                this.position = from;
                this.end = end;
            }

            @Override
            public long remaining() {
                return (long) end - position;
            }

            @Override
            public void read(byte[] target, int offset, int length) throws IOException {
                if (length > remaining()) {
                    throw new EOFException("the image is cut");
                }
                if (badByte >= position && badByte < position + length) {
                    throw new IOException("planned");
                }
                System.arraycopy(image, position, target, offset, length);
                position += length;
            }

            @Override
            public void close() {}
        }
    }
}
