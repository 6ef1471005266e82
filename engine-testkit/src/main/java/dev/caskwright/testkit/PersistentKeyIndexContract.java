package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.KeyIndexContext;
import dev.caskwright.api.spi.PersistentKeyIndex;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What every {@link PersistentKeyIndex} must do, beside what every {@link KeyIndex} must. */
public abstract class PersistentKeyIndexContract extends KeyIndexContract {
    private static final long OTHER_SEED = 0xF00D;

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
    void whatTheSourceThrowsComesOutAndTheIndexIsEmpty() throws Exception {
        IndexedKeys keys = numberedKeys(3_000);
        byte[] image = imageWithEveryThirdKeyRemoved(keys);
        try (PersistentKeyIndex index = openOther(keys)) {
            ArraySource good = new ArraySource(image);
            assertThatThrownBy(() -> index.load(new PersistentKeyIndex.ImageSource() {
                        @Override
                        public long remaining() {
                            return good.remaining();
                        }

                        @Override
                        public void read(byte[] target, int offset, int length) throws IOException {
                            if (good.remaining() < image.length / 2) {
                                throw new IOException("planned");
                            }
                            good.read(target, offset, length);
                        }
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("planned");
            assertThat(index.size()).isZero();
            assertThat(load(index, image)).isTrue();
            assertHoldsAllButEveryThird(index, keys);
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
        return index.load(new ArraySource(image));
    }

    private static final class ArraySource implements PersistentKeyIndex.ImageSource {
        private final byte[] image;
        private int position;

        ArraySource(byte[] image) {
            this.image = image;
        }

        @Override
        public long remaining() {
            return (long) image.length - position;
        }

        @Override
        public void read(byte[] target, int offset, int length) throws IOException {
            if (length > remaining()) {
                throw new EOFException("the image is cut");
            }
            System.arraycopy(image, position, target, offset, length);
            position += length;
        }
    }
}
