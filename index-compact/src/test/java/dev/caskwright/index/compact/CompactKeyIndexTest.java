package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.testkit.PersistentKeyIndexContract;
import java.io.ByteArrayOutputStream;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What every index must do, with many keys and threads, and what this one promises of its memory. The tests of its parts are
 * {@link BucketTest}, {@link DirectoryTest}, {@link BlockMemoryTest}, {@link SegmentImageTest}, {@link LoadingTest}, {@link
 * GrowthTest} and {@link LookupTest}.
 */
@Tag("slow") // takes half a minute
final class CompactKeyIndexTest extends PersistentKeyIndexContract {
    @Override
    protected PersistentKeyIndex newIndex(KeyIndexContext context) {
        return new CompactKeyIndex(context);
    }

    @Override
    protected KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) {
        return new CompactKeyIndex(context, (bytes, held) -> {
            if (held + bytes > maxBytes) {
                throw new IndexMemoryException("planned", null);
            }
            return DirectMemory.allocate(bytes, held);
        });
    }

    @Test
    void isFoundByName() {
        assertThat(Backends.keyIndex("compact")).isInstanceOf(CompactKeyIndex.Provider.class);
    }

    @Test
    void aKeyTakesTwelveToFifteenBytes() throws Exception {
        // Few keys cost more: the small blocks of the first growth stay behind. It is half a megabyte, whatever comes.
        KeyIndexContext context = new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> false);
        try (CompactKeyIndex index = new CompactKeyIndex(context)) {
            double worst = 0;
            for (int i = 1; i <= 1_500_000; i++) {
                byte[] key = ByteBuffer.allocate(16).putInt(9, i).array();
                index.put(key, 0, key.length, i);
                if (i >= 1_000_000 && i % 10_000 == 0) {
                    worst = Math.max(worst, (double) index.memoryBytes() / index.size());
                }
            }
            assertThat(worst).isBetween(11.0, 15.0);
        }
    }

    @Test
    void closingGivesBackAllMemoryAtOnce() throws Exception {
        BufferPoolMXBean direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .findFirst()
                .orElseThrow();
        long before = direct.getMemoryUsed();
        KeyIndexContext context = new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> false);
        CompactKeyIndex index = new CompactKeyIndex(context);
        for (int i = 1; i <= 100_000; i++) {
            index.put(ByteBuffer.allocate(8).putInt(i).array(), 0, 8, i);
        }
        assertThat(direct.getMemoryUsed()).isGreaterThan(before + 1_000_000);
        index.close();
        assertThat(direct.getMemoryUsed()).isLessThanOrEqualTo(before);
    }

    @Test
    void growthWithoutMemoryIsATypedErrorAndChangesNothing() throws Exception {
        KeyIndexContext context = new KeyIndexContext(
                0,
                0,
                1,
                (key, offset, length, locator) ->
                        ByteBuffer.wrap(key, offset, length).getInt() == locator);
        AtomicInteger slabsLeft = new AtomicInteger(10);
        try (CompactKeyIndex index = new CompactKeyIndex(context, (bytes, held) -> {
            if (slabsLeft.getAndDecrement() <= 0) {
                throw new IndexMemoryException("planned", null);
            }
            return DirectMemory.allocate(bytes, held);
        })) {
            int refused = 0;
            int stored = 0;
            boolean[] isThere = new boolean[100_001];
            for (int i = 1; i < isThere.length; i++) {
                try {
                    index.put(key(i), 0, 4, i);
                    isThere[i] = true;
                    stored++;
                } catch (IndexMemoryException e) {
                    refused++;
                }
            }
            assertThat(refused).isPositive();
            assertThat(index.size()).isEqualTo(stored);
            long held = index.memoryBytes();
            slabsLeft.set(3);
            assertThatThrownBy(() -> index.ensureRoom(1_000_000)).isInstanceOf(IndexMemoryException.class);
            assertThat(index.memoryBytes()).isEqualTo(held);
            for (int i = 1; i < isThere.length; i++) {
                assertThat(index.get(key(i), 0, 4)).isEqualTo(isThere[i] ? i : 0);
            }
            slabsLeft.set(1_000);
            for (int i = 1; i < isThere.length; i++) {
                assertThat(index.put(key(i), 0, 4, i)).isEqualTo(isThere[i] ? i : 0);
            }
            assertThat(index.size()).isEqualTo(isThere.length - 1);
        }
    }

    @Test
    void loadingWithoutMemoryIsATypedErrorThatNamesTheNeedAndIsTriedAgain() throws Exception {
        KeyIndexContext context = new KeyIndexContext(
                0,
                0,
                1,
                (key, offset, length, locator) ->
                        ByteBuffer.wrap(key, offset, length).getInt() == locator);
        ByteArrayOutputStream image = new ByteArrayOutputStream();
        try (CompactKeyIndex index = new CompactKeyIndex(context)) {
            for (int i = 1; i <= 100_000; i++) {
                index.put(key(i), 0, 4, i);
            }
            index.save(image::write);
        }
        AtomicInteger slabsLeft = new AtomicInteger(8);
        try (CompactKeyIndex index = new CompactKeyIndex(context, (bytes, held) -> {
            if (slabsLeft.getAndDecrement() <= 0) {
                throw new IndexMemoryException("planned", null);
            }
            return DirectMemory.allocate(bytes, held);
        })) {
            assertThat(index.load(new ArrayImage(image.toByteArray()), (into, wanted, cause) -> {
                        throw new AssertionError(cause);
                    }))
                    .isTrue();
            int refused = 0;
            for (int i = 1; i <= 100_000; i++) {
                try {
                    assertThat(index.get(key(i), 0, 4)).isEqualTo(i);
                } catch (IndexMemoryException e) {
                    assertThat(e)
                            .hasMessageContaining("keys=100000, needed=")
                            .hasMessageContaining("MaxDirectMemorySize");
                    refused++;
                }
            }
            assertThat(refused).isBetween(10_000, 90_000);
            assertThatThrownBy(() -> index.ensureRoom(1)).isInstanceOf(IndexMemoryException.class);
            assertThatThrownBy(() -> index.save(image::write)).isInstanceOf(IndexMemoryException.class);
            assertThat(index.size()).isEqualTo(100_000);
            slabsLeft.set(1_000);
            index.ensureRoom(1);
            for (int i = 1; i <= 100_000; i++) {
                assertThat(index.put(key(i), 0, 4, i)).isEqualTo(i);
            }
        }
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(4).putInt(number).array();
    }
}
