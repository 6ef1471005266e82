package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What opening a store does with the files that it finds, and what it leaves behind when it fails. */
final class OpeningTest {
    private static final int WRITES = 60;

    private final ManualClock clock = new ManualClock();
    private CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), clock).imageEveryBytes(0);
    }

    private static byte[] key(int number) {
        return KeyValues.bytes(String.format("key%03d", number));
    }

    private static void write(BitcaskEngine engine) throws IOException {
        for (int i = 0; i < WRITES; i++) {
            engine.put(key(i), KeyValues.bytes("value " + i));
        }
    }

    /** Leaves a store whose files are all unsealed, as after a kill right after the writes. */
    private List<String> killedBeforeSealing() throws IOException {
        try (BitcaskEngine engine = builder().executor(task -> {}).open()) {
            write(engine);
            disk = disk.peekKill();
        }
        List<String> files = files(".data");
        assertThat(files).hasSizeGreaterThan(4);
        return files;
    }

    private List<String> files(String end) throws IOException {
        return disk.list().stream().filter(name -> name.endsWith(end)).sorted().toList();
    }

    /** Returns how many of the writes are there, which must be the first ones. */
    private int count(BitcaskEngine engine) throws IOException {
        int count = CrashFixture.content(engine).size();
        for (int i = 0; i < count; i++) {
            assertThat(engine.get(key(i))).as("write %s", i).isEqualTo(KeyValues.bytes("value " + i));
        }
        return count;
    }

    private int openAndCount() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            return count(engine);
        }
    }

    /** How many writes there are up to the end of each file, found by taking the later ones away. */
    private List<Integer> writesUpTo(List<String> files) throws IOException {
        CrashableIoManager all = disk;
        List<Integer> counts = new ArrayList<>();
        for (int last = 0; last < files.size(); last++) {
            disk = all.peekKill();
            for (String later : files.subList(last + 1, files.size())) {
                disk.delete(later);
            }
            counts.add(openAndCount());
        }
        disk = all;
        assertThat(counts).isSorted().doesNotHaveDuplicates().endsWith(WRITES);
        return counts;
    }

    @Test
    void theLogEndsWhereAFileOfItsTailIsMissingTornOrNotLeft() throws IOException {
        List<String> files = killedBeforeSealing();
        List<Integer> counts = writesUpTo(files);
        CrashableIoManager all = disk;
        for (int i = 1; i < files.size() - 1; i++) {
            String name = files.get(i);
            byte[] content = all.content(name);
            int before = counts.get(i - 1);

            disk = all.peekKill();
            disk.delete(name);
            assertEndsAt(before, files, i, "missing: " + name);

            disk = all.peekKill();
            byte[] torn = content.clone();
            torn[64] ^= 1;
            disk.install(name, torn);
            assertEndsAt(before, files, i + 1, "first record torn: " + name);

            disk = all.peekKill();
            byte[] headless = content.clone();
            headless[8] ^= 1;
            disk.install(name, headless);
            assertEndsAt(before, files, i, "header torn: " + name);

            disk = all.peekKill();
            int end = content.length;
            while (content[end - 1] == 0) {
                end--;
            }
            // The last record, of 24 bytes, says that writers left the file; only zeros of its end were taken above.
            int mark = (end + 7) / 8 * 8 - 24;
            disk.install(name, Arrays.copyOf(content, mark));
            assertThat(openAndCount()).as("not left: " + name).isEqualTo(counts.get(i));
        }
    }

    /** Opens the store twice: what the first opening drops must not come back, and its files are gone. */
    private void assertEndsAt(int writes, List<String> files, int kept, String story) throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            assertThat(count(engine)).as(story).isEqualTo(writes);
            assertThat(engine.stats().opening().tornBytesCut()).as(story).isPositive();
            assertThat(disk.list()).as(story).doesNotContainAnyElementsOf(files.subList(kept, files.size()));
        }
        assertThat(openAndCount()).as("%s, opened again", story).isEqualTo(writes);
    }

    @Test
    void filesOfTheTailAreSealedWithHints() throws IOException {
        List<String> files = killedBeforeSealing();
        assertThat(files(".hint")).isEmpty();
        try (BitcaskEngine engine = builder().open()) {
            assertThat(count(engine)).isEqualTo(WRITES);
            assertThat(engine.stats().opening().tornBytesCut()).isZero();
            assertThat(files(".hint"))
                    .containsAll(files.stream()
                            .map(name -> name.replace(".data", ".hint"))
                            .toList());
            disk = disk.peekKill();
        }
        // They are no tail any more: one that is missing is damage.
        disk.delete(files.get(2));
        assertThatThrownBy(this::openAndCount)
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("data file is missing")
                .hasMessageContaining(files.get(2));
    }

    @Test
    void missingAndDamagedHintFilesAreMendedUnlessReadOnly() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine);
        }
        List<String> hints = files(".hint");
        Map<String, byte[]> sound = new HashMap<>();
        for (String name : hints) {
            sound.put(name, disk.content(name));
        }
        byte[] damaged = disk.content(hints.get(1));
        damaged[damaged.length - 20] ^= 1;
        disk.delete(hints.get(0));
        disk.install(hints.get(1), damaged);
        try (BitcaskEngine engine = builder().readOnly(true).open()) {
            assertThat(count(engine)).isEqualTo(WRITES);
        }
        assertThat(disk.list()).doesNotContain(hints.get(0));
        assertThat(disk.content(hints.get(1))).isEqualTo(damaged);
        assertThat(openAndCount()).isEqualTo(WRITES);
        for (String name : hints) {
            assertThat(disk.content(name)).as(name).isEqualTo(sound.get(name));
        }
    }

    @Test
    void aDirectoryWithFilesAndNoManifestIsDamage() throws IOException {
        assertThatThrownBy(() -> builder().createIfMissing(false).open())
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("no store");
        try (BitcaskEngine engine = builder().open()) {
            write(engine);
        }
        disk.delete("MANIFEST");
        assertThatThrownBy(this::openAndCount)
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("manifest is missing");
    }

    /** An index that fails when it is filled, and when it is closed. */
    private static final class FailingIndex extends SmallImageIndex {
        boolean isClosed;

        FailingIndex() {
            super(() -> {});
        }

        @Override
        public long putIfAbsent(byte[] key, int offset, int length, long locator) {
            throw new IllegalStateException("planted");
        }

        @Override
        public boolean allowsConcurrentWriters() {
            return true;
        }

        @Override
        public void close() throws IOException {
            isClosed = true;
            throw new IOException("planted, too");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void anOpeningThatFailsSaysWhyAndGivesAllBack(int threads) throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine);
        }
        FailingIndex index = new FailingIndex();
        assertThatThrownBy(() ->
                        builder().index(context -> index).replayThreads(threads).open())
                .hasMessage("planted")
                .satisfies(e -> assertThat(e.getSuppressed())
                        .extracting(Throwable::getMessage)
                        .containsExactly("planted, too"));
        assertThat(index.isClosed).isTrue();
        // The lock, too.
        assertThat(openAndCount()).isEqualTo(WRITES);
    }

    @Test
    void whatFailsWhileClosingIsThrownOnceAllIsGivenBack() throws IOException {
        BitcaskEngine engine = builder().index(context -> new FailingIndex()).open();
        assertThatThrownBy(engine::close).isInstanceOf(IOException.class).hasMessage("planted, too");
        assertThat(openAndCount()).isZero();
    }

    @Test
    void versionsGoOn() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine);
        }
        try (BitcaskEngine engine = builder().open()) {
            assertThat(engine.stats().lastVersion()).isEqualTo(WRITES);
            engine.put(key(WRITES), new byte[0]);
            assertThat(engine.stats().lastVersion()).isEqualTo(WRITES + 1);
        }
    }

    @Test
    void aMergeIsLookedForAtOnceIfMergesAreAutomatic() throws IOException {
        for (boolean isAutomatic : new boolean[] {false, true}) {
            for (boolean isReadOnly : new boolean[] {false, true}) {
                List<Runnable> tasks = new ArrayList<>();
                builder().open().close();
                try (BitcaskEngine engine = builder()
                        .autoMerge(isAutomatic)
                        .readOnly(isReadOnly)
                        .executor(tasks::add)
                        .open()) {
                    assertThat(tasks).hasSize(isAutomatic && !isReadOnly ? 1 : 0);
                    assertThat(engine.health()).isNull();
                }
            }
        }
    }
}
