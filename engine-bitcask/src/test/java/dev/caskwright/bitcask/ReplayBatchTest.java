package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.SegmentedLogFactory;
import dev.caskwright.bitcask.replay.ReplayBatch;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Entries of the log that are put into an index in any order, some at a time. */
final class ReplayBatchTest {
    private final CrashableIoManager disk = new CrashableIoManager();
    private final RecordLog log;
    private final Watched index = new Watched();
    private final List<String> counted = new ArrayList<>();
    private final ReplayBatch batch;
    private long version;

    ReplayBatchTest() throws IOException {
        RecordLogOpening opening = new SegmentedLogFactory()
                .open(
                        disk,
                        disk,
                        new RecordLogOptions(
                                1 << 20, false, true, () -> 1, Runnable::run, () -> {}, () -> {}, cause -> {
                                    throw new AssertionError(cause);
                                }));
        opening.finish();
        log = opening.log();
        batch = new ReplayBatch(log, index, new ReplayBatch.Counter() {
            @Override
            public void live(long locator) {
                counted.add("+" + locator);
            }

            @Override
            public void dead(long locator) {
                counted.add("-" + locator);
            }
        });
    }

    /** Notes how many keys were looked up together, and how it was changed. */
    private static final class Watched extends SmallImageIndex {
        final List<Integer> lookups = new ArrayList<>();
        final List<String> calls = new ArrayList<>();

        Watched() {
            super(() -> {});
        }

        @Override
        public void candidates(byte[] source, int[] offsets, int[] lengths, int count, long[] locators)
                throws IOException {
            lookups.add(count);
            super.candidates(source, offsets, lengths, count, locators);
        }

        @Override
        public long putIfAbsent(byte[] key, int offset, int length, long locator) {
            calls.add("put");
            return super.putIfAbsent(key, offset, length, locator);
        }

        @Override
        public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
            calls.add("replace");
            return super.replace(key, offset, length, expected, locator);
        }

        @Override
        public boolean remove(byte[] key, int offset, int length, long expected) {
            calls.add("remove");
            return super.remove(key, offset, length, expected);
        }
    }

    /** Appends a record, and returns its locator. */
    private long append() throws IOException {
        RecordDraft draft = log.newDraft();
        draft.put(new byte[8], new byte[8], 0);
        return log.append(draft, ++version, false);
    }

    private void add(byte[] key, long locator) throws IOException {
        batch.add(false, locator, key, 0, key.length);
    }

    private long get(byte[] key) {
        return index.get(key, 0, key.length);
    }

    @Test
    void asManyKeysAreLookedUpTogetherAsABatchHas() throws IOException {
        for (int i = 0; i < 150; i++) {
            add(KeyValues.key(i), append());
        }
        assertThat(index.lookups).containsExactly(64, 64);
        batch.flush();
        assertThat(index.lookups).containsExactly(64, 64, 22);
        assertThat(batch.entries()).isEqualTo(150);
        assertThat(index.size()).isEqualTo(150);
    }

    @Test
    void longKeysMakeABatchFullEarlier() throws IOException {
        byte[] key = new byte[4 << 10];
        for (int i = 0; i < 6; i++) {
            key[0] = (byte) i;
            add(key, append());
        }
        assertThat(index.lookups).as("16 KiB of keys").containsExactly(4);
        add(new byte[60_000], append());
        assertThat(index.lookups).containsExactly(4, 2);
        batch.flush();
        assertThat(index.lookups).containsExactly(4, 2, 1);
        for (int i = 0; i < 6; i++) {
            key[0] = (byte) i;
            assertThat(get(key)).isNotEqualTo(KeyIndex.ABSENT);
        }
        assertThat(get(new byte[60_000])).isNotEqualTo(KeyIndex.ABSENT);
    }

    @Test
    void theLaterRecordWinsInWhateverOrderTheyCome() throws IOException {
        byte[] key = KeyValues.bytes("key");
        long first = append();
        long second = append();
        long third = append();
        add(key, second);
        batch.flush();
        add(key, first);
        batch.flush();
        assertThat(get(key)).isEqualTo(second);
        assertThat(counted).containsExactly("+" + second);
        add(key, third);
        batch.flush();
        assertThat(get(key)).isEqualTo(third);
        assertThat(counted).containsExactly("+" + second, "+" + third, "-" + second);
        assertThat(index.calls).as("each once").containsExactly("put", "put", "replace");
        // What is there already is not counted again.
        add(key, third);
        batch.flush();
        assertThat(counted).hasSize(3);
        assertThat(index.calls).hasSize(3);
    }

    /** In one batch neither is there when the candidates are looked up. */
    @Test
    void twoRecordsOfAKeyInOneBatchAreTwo() throws IOException {
        byte[] one = KeyValues.bytes("one");
        byte[] other = KeyValues.bytes("other");
        long first = append();
        long second = append();
        add(one, first);
        add(one, second);
        add(other, second);
        add(other, first);
        add(other, second);
        batch.flush();
        assertThat(get(one)).isEqualTo(second);
        assertThat(get(other)).isEqualTo(second);
        assertThat(counted).containsExactly("+" + first, "+" + second, "-" + first, "+" + second);
        assertThat(index.calls).containsExactly("put", "put", "replace", "put", "put", "put");
    }

    @Test
    void aTombstoneStandsUntilTheEndAndGoesOnce() throws IOException {
        byte[] key = KeyValues.bytes("key");
        long first = append();
        long tombstone = append();
        batch.add(true, tombstone, key, 0, key.length);
        batch.flush();
        add(key, first);
        batch.flush();
        assertThat(get(key)).isEqualTo(tombstone);
        batch.removeTombstones();
        assertThat(get(key)).isEqualTo(KeyIndex.ABSENT);
        assertThat(counted).containsExactly("+" + tombstone, "-" + tombstone);
        batch.removeTombstones();
        assertThat(index.calls).containsExactly("put", "put", "remove");
    }

    @Test
    void aTombstoneThatWasSupersededIsNoBusinessOfItsOwn() throws IOException {
        byte[] key = KeyValues.bytes("key");
        long tombstone = append();
        long later = append();
        batch.add(true, tombstone, key, 0, key.length);
        add(key, later);
        batch.flush();
        batch.removeTombstones();
        assertThat(get(key)).isEqualTo(later);
        assertThat(counted).containsExactly("+" + tombstone, "+" + later, "-" + tombstone);
    }
}
