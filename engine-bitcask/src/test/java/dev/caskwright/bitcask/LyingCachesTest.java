package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.bitcask.log.CacheForger;
import dev.caskwright.bitcask.log.CacheForger.Hint;
import dev.caskwright.bitcask.log.Sums;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoHook;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Hint files and images whose checksums are right and whose content is not, made by {@link CacheForger}. A lie costs time: it
 * is found, invents nothing, and no merge deletes by it; also if the manifest has the sum of the forged file.
 */
final class LyingCachesTest {
    private static final Path HOME = Path.of("store");
    private static final int KEYS = 40;
    private static final KeyIndexFactory SMALL = context -> new SmallImageIndex(() -> {});

    private final CrashableIoManager disk = new CrashableIoManager();
    private final Map<String, String> model = new TreeMap<>();
    private final Map<String, Set<String>> written = new HashMap<>();

    private EngineBuilder builder(boolean withImages) {
        return BitcaskEngine.builder(HOME)
                .io(disk.factory())
                .executor(TestTasks.executor())
                .autoMerge(false)
                .imageEveryBytes(withImages ? Long.MAX_VALUE : 0)
                .index(SMALL)
                .maxFileBytes(400);
    }

    private static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    private void put(BitcaskEngine engine, int i, String value) throws IOException {
        String key = "key %03d".formatted(i);
        engine.put(bytes(key), bytes(value));
        model.put(key, value);
        written.computeIfAbsent(key, k -> new HashSet<>()).add(value);
    }

    private void delete(BitcaskEngine engine, int i) throws IOException {
        String key = "key %03d".formatted(i);
        engine.delete(bytes(key));
        model.remove(key);
    }

    /** Makes a store with keys that were written once, overwritten, deleted, and written again, in many files. */
    private void fill(boolean withImages) throws IOException {
        try (BitcaskEngine engine = builder(withImages).open()) {
            for (int i = 0; i < KEYS; i++) {
                put(engine, i, "first " + i);
            }
            for (int i = 0; i < KEYS; i += 2) {
                put(engine, i, "second " + i);
            }
            for (int i = 0; i < KEYS; i += 5) {
                delete(engine, i);
            }
            for (int i = 0; i < KEYS; i += 10) {
                put(engine, i, "third " + i);
            }
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static Map<String, String> scan(BitcaskEngine engine) throws IOException {
        Map<String, String> found = new TreeMap<>();
        for (Entry entry : KeyValues.entries(engine).values()) {
            found.put(text(entry.key()), text(entry.value()));
        }
        return found;
    }

    private void assertContent(BitcaskEngine engine) throws IOException {
        assertThat(scan(engine)).isEqualTo(model);
        for (int i = 0; i < KEYS; i++) {
            String key = "key %03d".formatted(i);
            byte[] value = engine.get(bytes(key));
            assertThat(value == null ? null : text(value)).as(key).isEqualTo(model.get(key));
        }
    }

    private List<String> caches(String suffix) throws IOException {
        return disk.list().stream().filter(name -> name.endsWith(suffix)).toList();
    }

    /** What the log alone says is what was written: nothing lost, nothing back. */
    private void assertLogIsWhole() throws IOException {
        for (String suffix : List.of(".hint", ".image")) {
            for (String name : caches(suffix)) {
                disk.delete(name);
            }
        }
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
        try (BitcaskEngine engine = builder(false).open()) {
            assertContent(engine);
        }
    }

    /** Files with nothing but tombstones are not read by the merge: the proof looks for them, whatever file they are in. */
    @Test
    void keysThatWereDeletedInManyFilesAreNoLie() throws IOException {
        fill(false);
        try (BitcaskEngine engine = builder(false).open()) {
            for (int i = 0; i < KEYS; i++) {
                delete(engine, i * 7 % KEYS);
            }
            assertThat(engine.stats().space().files()).isGreaterThan(8);
            engine.merge();
            assertThat(engine.health()).isNull();
            assertContent(engine);
        }
        assertLogIsWhole();
    }

    /** The tombstones are in a file that was begun after the merge: they prove the deaths all the same. */
    @Test
    void keysThatAreDeletedDuringAMergeAreNoLie() throws Exception {
        fill(false);
        AtomicReference<@Nullable BitcaskEngine> open = new AtomicReference<>();
        IoHook hook = call -> {
            BitcaskEngine engine = open.get();
            if (engine != null
                    && call.operation() == IoOperation.WRITE
                    && call.file().endsWith(".merged")) {
                open.set(null);
                FutureTask<@Nullable Void> deletes = new FutureTask<>(() -> {
                    for (int i = 1; i < KEYS; i += 3) {
                        delete(engine, i);
                    }
                    return null;
                });
                new Thread(deletes).start();
                try {
                    deletes.get(1, TimeUnit.MINUTES);
                } catch (InterruptedException | ExecutionException | TimeoutException e) {
                    throw new IOException(e);
                }
            }
        };
        try (BitcaskEngine engine = builder(false).io(hook.wrap(disk.factory())).open()) {
            open.set(engine);
            engine.merge();
            assertThat(open.get()).as("keys were deleted").isNull();
            assertThat(engine.health()).isNull();
            engine.merge();
            assertContent(engine);
        }
        assertLogIsWhole();
    }

    // ---------------------------------------------------------------- lies

    /** A way in which the hint file of one data file lies. */
    private enum HintLie {
        PLACES_OF_OTHERS {
            @Override
            List<Hint> tell(List<Hint> truth) {
                List<Hint> lie = new ArrayList<>();
                for (int i = 0; i < truth.size(); i++) {
                    Hint other = truth.get((i + 1) % truth.size());
                    lie.add(new Hint(
                            truth.get(i).kind(), other.place(), truth.get(i).key()));
                }
                return lie;
            }
        },
        PLACES_OF_NOTHING {
            @Override
            Hint tell(Hint truth) {
                return new Hint(truth.kind(), truth.place() + (1L << 16), truth.key()); // eight bytes further
            }
        },
        TOMBSTONES_ARE_PUTS {
            @Override
            Hint tell(Hint truth) {
                return new Hint(1, truth.place(), truth.key());
            }
        },
        PUTS_ARE_TOMBSTONES {
            @Override
            Hint tell(Hint truth) {
                return new Hint(2, truth.place(), truth.key());
            }
        },
        OTHER_KEYS {
            @Override
            Hint tell(Hint truth) {
                byte[] key = truth.key().clone();
                key[0] ^= 1;
                return new Hint(truth.kind(), truth.place(), key);
            }
        },
        KEYS_OF_OTHERS {
            @Override
            Hint tell(Hint truth) {
                byte[] key = truth.key().clone();
                key[key.length - 1] ^= 1;
                return new Hint(truth.kind(), truth.place(), key);
            }
        },
        NO_TOMBSTONES {
            @Override
            List<Hint> tell(List<Hint> truth) {
                return truth.stream().filter(each -> each.kind() != 2).toList();
            }
        },
        NOTHING {
            @Override
            List<Hint> tell(List<Hint> truth) {
                return List.of();
            }
        },
        EVERY_SECOND {
            @Override
            List<Hint> tell(List<Hint> truth) {
                List<Hint> lie = new ArrayList<>();
                for (int i = 0; i < truth.size(); i += 2) {
                    lie.add(truth.get(i));
                }
                return lie;
            }
        };

        List<Hint> tell(List<Hint> truth) {
            return truth.stream().map(this::tell).toList();
        }

        Hint tell(Hint truth) {
            return truth;
        }
    }

    /** A way in which an image lies: what it says of each key. */
    private enum ImageLie {
        LOCATORS_OF_OTHERS,
        PLACES_OF_NOTHING,
        SLOTS_OF_OTHERS,
        /** Of files that are made later, which the forger can guess. */
        SLOTS_TO_COME,
        EVERY_SECOND,
        NO_KEYS;

        byte[] tell(byte[] truth) {
            List<byte[]> keys = new ArrayList<>();
            List<Long> locators = new ArrayList<>();
            ByteBuffer in = ByteBuffer.wrap(truth);
            while (in.hasRemaining()) {
                byte[] key = new byte[in.getShort()];
                in.get(key);
                keys.add(key);
                locators.add(in.getLong());
            }
            long slots =
                    1 + locators.stream().mapToLong(each -> each >>> 44).max().orElse(0);
            ByteBuffer out = ByteBuffer.allocate(truth.length);
            for (int i = 0; i < keys.size(); i++) {
                if (this == NO_KEYS || (this == EVERY_SECOND && i % 2 == 0)) {
                    continue;
                }
                long locator = locators.get(i);
                long next = locators.get((i + 1) % keys.size());
                out.putShort((short) keys.get(i).length)
                        .put(keys.get(i))
                        .putLong(
                                switch (this) {
                                    case LOCATORS_OF_OTHERS -> next;
                                    case PLACES_OF_NOTHING -> locator + (1L << 16);
                                    case SLOTS_OF_OTHERS -> locator & (1L << 44) - 1 | next >>> 44 << 44;
                                    case SLOTS_TO_COME ->
                                        i < keys.size() - 3 ? locator : locator & (1L << 44) - 1 | slots << 44;
                                    default -> locator;
                                });
            }
            byte[] lie = new byte[out.position()];
            out.get(0, lie);
            return lie;
        }
    }

    /** Forges all hint files, or every third from one on; returns which are not what they were. */
    private List<String> forgeHints(HintLie lie, int from, int step, boolean isBelieved) throws IOException {
        List<String> hints = caches(".hint");
        List<String> forged = new ArrayList<>();
        for (int i = from; i < hints.size(); i += step) {
            byte[] truth = disk.content(hints.get(i));
            List<Hint> entries = CacheForger.entries(truth);
            List<Hint> lies = lie.tell(entries);
            if (!lies.equals(entries)) {
                forged.add(hints.get(i));
            }
            disk.install(hints.get(i), CacheForger.hints(truth, lies));
            if (isBelieved) {
                Sums.believe(disk, hints.get(i));
            }
        }
        return forged;
    }

    private String forgeImage(ImageLie lie, boolean isBelieved) throws IOException {
        String image = caches(".image").get(0);
        disk.install(image, CacheForger.image(disk.content(image), lie::tell));
        if (isBelieved) {
            Sums.believe(disk, image);
        }
        return image;
    }

    // ---------------------------------------------------------------- the forger is worth something

    @Test
    void aForgedFileThatTellsTheTruthIsBelieved() throws IOException {
        fill(true);
        for (String hint : caches(".hint")) {
            byte[] truth = disk.content(hint);
            disk.install(hint, CacheForger.hints(truth, CacheForger.entries(truth)));
            Sums.believe(disk, hint);
        }
        String image = caches(".image").get(0);
        assertThat(CacheForger.image(disk.content(image), bytes -> bytes)).isEqualTo(disk.content(image));
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
        try (BitcaskEngine engine = builder(true).open()) {
            assertThat(engine.stats().opening().fromImage()).isTrue();
            assertContent(engine);
        }
        for (String name : caches(".image")) {
            disk.delete(name);
        }
        try (BitcaskEngine engine = builder(false).open()) {
            assertContent(engine);
            engine.merge();
            assertContent(engine);
            assertThat(engine.health()).isNull();
        }
        assertLogIsWhole();
    }

    // ---------------------------------------------------------------- the manifest has another sum

    @ParameterizedTest
    @EnumSource
    void aHintFileThatTheManifestDoesNotKnowIsNotRead(HintLie lie) throws IOException {
        fill(false);
        List<String> forged = forgeHints(lie, 0, 1, false);
        assertThat(forged).isNotEmpty();
        VerifyReport report = BitcaskEngine.verify(HOME, disk.factory());
        assertThat(report.damages()).extracting(VerifyReport.Damage::file).containsAll(forged);
        try (BitcaskEngine engine = builder(false).open()) {
            assertContent(engine);
            engine.merge();
            assertContent(engine);
        }
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
        assertLogIsWhole();
    }

    @ParameterizedTest
    @EnumSource
    void anImageThatTheManifestDoesNotKnowIsNotRead(ImageLie lie) throws IOException {
        fill(true);
        String image = forgeImage(lie, false);
        VerifyReport report = BitcaskEngine.verify(HOME, disk.factory());
        assertThat(report.damages()).extracting(VerifyReport.Damage::file).containsExactly(image);
        try (BitcaskEngine engine = builder(true).open()) {
            assertThat(engine.stats().opening().fromImage()).isFalse();
            assertContent(engine);
            engine.merge();
            assertContent(engine);
        }
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
        assertLogIsWhole();
    }

    // ---------------------------------------------------------------- the manifest has the forged sum

    /** Whatever the index was told: no answer is a value that nobody wrote for the key. */
    private void assertNothingInvented(BitcaskEngine engine) throws IOException {
        for (Map.Entry<String, Set<String>> each : written.entrySet()) {
            try {
                byte[] value = engine.get(bytes(each.getKey()));
                assertThat(value == null ? each.getValue().iterator().next() : text(value))
                        .as(each.getKey())
                        .isIn(each.getValue());
            } catch (CorruptRecordException e) {
                assertThat(e.file()).isNotEmpty();
            }
        }
        try {
            scan(engine).forEach((key, value) -> assertThat(value).as(key).isIn(written.get(key)));
        } catch (CorruptRecordException e) {
            assertThat(e.file()).isNotEmpty();
        }
    }

    /** Merges, however that ends; then the log is whole, and the next opening heals what the index was told. */
    private void assertMergeDeletesNothingByLies(boolean withImages) throws IOException {
        Throwable failure;
        BitcaskEngine engine = builder(withImages).open();
        try {
            assertNothingInvented(engine);
            failure = failureOf(engine);
            if (failure == null) {
                assertContent(engine);
            } else {
                assertThat(failure).isInstanceOf(EngineException.class);
            }
        } finally {
            engine.close();
        }
        if (failure != null) {
            try (BitcaskEngine again = builder(withImages).open()) {
                assertContent(again);
                again.merge();
                assertContent(again);
            }
        }
        assertLogIsWhole();
    }

    private static Throwable failureOf(BitcaskEngine engine) {
        try {
            engine.merge();
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    @ParameterizedTest
    @EnumSource
    void verificationFindsAHintFileThatTheManifestBelieves(HintLie lie) throws IOException {
        fill(false);
        List<String> forged = forgeHints(lie, 0, 1, true);
        VerifyReport report = BitcaskEngine.verify(HOME, disk.factory());
        assertThat(report.damages()).extracting(VerifyReport.Damage::file).containsAll(forged);
    }

    @ParameterizedTest
    @EnumSource
    void verificationFindsAnImageThatTheManifestBelieves(ImageLie lie) throws IOException {
        fill(true);
        assertThat(BitcaskEngine.verify(HOME, disk.factory(), SMALL).damages()).isEmpty();
        String image = forgeImage(lie, true);
        VerifyReport report = BitcaskEngine.verify(HOME, disk.factory(), SMALL);
        assertThat(report.damages()).extracting(VerifyReport.Damage::file).containsExactly(image);
    }

    /** The checksums are right and the index does not take the bytes for an image. */
    @Test
    void verificationFindsAnImageThatTheIndexRefuses() throws IOException {
        fill(true);
        String image = caches(".image").get(0);
        byte[] truth = disk.content(image);
        disk.install(image, CacheForger.image(truth, bytes -> Arrays.copyOf(bytes, bytes.length - 1)));
        Sums.believe(disk, image);
        VerifyReport report = BitcaskEngine.verify(HOME, disk.factory(), SMALL);
        assertThat(report.damages()).extracting(VerifyReport.Damage::file).containsExactly(image);
        try (BitcaskEngine engine = builder(true).open()) {
            assertContent(engine);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noMergeDeletesByTheWordOfHintFiles(HintLie lie) throws IOException {
        fill(false);
        forgeHints(lie, 0, 1, true);
        assertMergeDeletesNothingByLies(false);
    }

    /** The lie is about some files, and what it kills or brings back lies in others. */
    @ParameterizedTest
    @EnumSource
    void noMergeDeletesByTheWordOfSomeHintFiles(HintLie lie) throws IOException {
        for (int from = 0; from < 3; from++) {
            for (String name : disk.list()) {
                disk.delete(name);
            }
            model.clear();
            fill(false);
            forgeHints(lie, from, 3, true);
            assertMergeDeletesNothingByLies(false);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noMergeDeletesByTheWordOfAnImage(ImageLie lie) throws IOException {
        fill(true);
        forgeImage(lie, true);
        assertMergeDeletesNothingByLies(true);
    }

    /** What an index that leads to wrong places shows is not all there is, and no scan says so. */
    @ParameterizedTest
    @EnumSource(names = {"LOCATORS_OF_OTHERS", "PLACES_OF_NOTHING", "SLOTS_OF_OTHERS"})
    void aScanOverAnImageOfWrongPlacesFails(ImageLie lie) throws IOException {
        fill(true);
        forgeImage(lie, true);
        try (BitcaskEngine engine = builder(true).readOnly(true).open()) {
            assertThat(engine.stats().opening().fromImage()).isTrue();
            assertThatThrownBy(() -> scan(engine)).isInstanceOf(CorruptRecordException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"PLACES_OF_OTHERS", "PLACES_OF_NOTHING", "TOMBSTONES_ARE_PUTS", "OTHER_KEYS"})
    void aScanOverHintsOfWrongPlacesFails(HintLie lie) throws IOException {
        fill(false);
        forgeHints(lie, 0, 1, true);
        try (BitcaskEngine engine = builder(false).readOnly(true).open()) {
            assertThatThrownBy(() -> scan(engine)).isInstanceOf(CorruptRecordException.class);
        }
    }

    @Test
    void aTombstoneThatHintsCallAPutHasNoValue() throws IOException {
        fill(false);
        forgeHints(HintLie.TOMBSTONES_ARE_PUTS, 0, 1, true);
        try (BitcaskEngine engine = builder(false).readOnly(true).open()) {
            byte[] deleted = bytes("key 005");
            assertThatThrownBy(() -> engine.get(deleted)).isInstanceOf(CorruptRecordException.class);
            assertThatThrownBy(() -> engine.entry(deleted)).isInstanceOf(CorruptRecordException.class);
            ByteBuffer target = ByteBuffer.allocate(100);
            assertThatThrownBy(() -> engine.get(deleted, target)).isInstanceOf(CorruptRecordException.class);
            assertThat(target.position()).isZero();
        }
    }

    /** A merge that finds a lie leaves the files; all else goes on, and a reopening heals what the index was told. */
    @Test
    void aMergeThatFindsALieSaysWhatToDo() throws IOException {
        fill(true);
        forgeImage(ImageLie.NO_KEYS, true);
        try (BitcaskEngine engine = builder(true).open()) {
            for (int run = 1; run <= 2; run++) {
                assertThatThrownBy(engine::merge)
                        .isInstanceOf(CorruptRecordException.class)
                        .hasMessageContaining("does not agree with the log")
                        .hasMessageContaining("reopen the store");
                assertThat(engine.health()).isNull();
                assertThat(engine.retries()).singleElement().satisfies(retry -> {
                    assertThat(retry.task()).contains("merging files");
                    assertThat(retry.cause()).hasMessageContaining("reopen the store");
                });
                assertThat(engine.retries().get(0).failures()).isEqualTo(run);
                assertThat(caches(".image")).isEmpty();
                put(engine, KEYS + run, "written after the lie was found");
            }
        }
        try (BitcaskEngine engine = builder(true).open()) {
            assertThat(engine.retries()).isEmpty();
            assertContent(engine);
        }
        assertLogIsWhole();
    }

    /** What came later than the image's entries is in the log, and no merge drops it for them. */
    @Test
    void anImageOfAnEarlierMomentBringsNothingBackForGood() throws IOException {
        try (BitcaskEngine engine = builder(true).open()) {
            for (int i = 0; i < KEYS; i++) {
                put(engine, i, "first " + i);
            }
        }
        byte[] earlier = disk.content(caches(".image").get(0));
        try (BitcaskEngine engine = builder(true).open()) {
            for (int i = 0; i < KEYS; i += 2) {
                put(engine, i, "second " + i);
            }
            for (int i = 0; i < KEYS; i += 5) {
                delete(engine, i);
            }
        }
        String image = caches(".image").get(0);
        disk.install(image, CacheForger.image(disk.content(image), now -> CacheForger.indexBytes(earlier)));
        Sums.believe(disk, image);
        assertMergeDeletesNothingByLies(true);
    }

    /** The proof lets go of what is dead: by this opening, by one before, and by both. */
    @Test
    void deathsOfEveryKindAreProved() throws IOException {
        fill(true);
        for (int run = 0; run < 3; run++) {
            try (BitcaskEngine engine = builder(run == 1).open()) {
                for (int i = run; i < KEYS; i += 7) {
                    delete(engine, i);
                    if (i % 3 == 0) {
                        put(engine, i, "again " + i);
                    }
                }
                if (run > 0) {
                    engine.merge();
                    assertThat(engine.stats().space().deadBytes()).isLessThan(200);
                }
                assertContent(engine);
            }
        }
        assertLogIsWhole();
    }

    // ---------------------------------------------------------------- merges of a part of the files

    /**
     * Writes until the store merges some of its files by itself, again and again. Then the log alone says what was written,
     * and no deleted key is back.
     */
    private void assertPartialMergesDeleteNothingByLies(boolean withImages) throws IOException {
        try (BitcaskEngine engine = builder(withImages).autoMerge(true).open()) {
            assertNothingInvented(engine);
            for (int round = 0; round < 3; round++) {
                for (int i = round; i < KEYS; i += 3) {
                    if (model.containsKey("key %03d".formatted(i))) { // what was deleted stays away
                        put(engine, i, "round " + round + " of " + i);
                    }
                }
            }
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().merging().merges() > 0
                            || !engine.retries().isEmpty())
                    .as("files were merged, or a lie was found")
                    .isTrue();
        }
        assertLogIsWhole();
    }

    @ParameterizedTest
    @EnumSource
    void noPartialMergeDeletesByTheWordOfAnImage(ImageLie lie) throws IOException {
        fill(true);
        forgeImage(lie, true);
        assertPartialMergesDeleteNothingByLies(true);
    }

    /** The table of an image says how much of each file is live: nothing, or all of it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noMergeDeletesByTheLiveBytesOfAnImage(boolean isAllLive) throws IOException {
        for (boolean isPartial : new boolean[] {false, true}) {
            for (String name : disk.list()) {
                disk.delete(name);
            }
            model.clear();
            fill(true);
            String image = caches(".image").get(0);
            disk.install(
                    image, CacheForger.imageOfLiveBytes(disk.content(image), length -> isAllLive ? length - 64 : 0));
            Sums.believe(disk, image);
            assertThat(BitcaskEngine.verify(HOME, disk.factory(), SMALL).damages())
                    .extracting(VerifyReport.Damage::file)
                    .containsExactly(image);
            if (isPartial) {
                assertPartialMergesDeleteNothingByLies(true);
            } else {
                assertMergeDeletesNothingByLies(true);
            }
        }
    }

    /** A scan reads the files that have something live; an image may say that none has. */
    @Test
    void aScanOverAnImageWithoutLiveBytesShowsAllOrFails() throws IOException {
        fill(true);
        String image = caches(".image").get(0);
        disk.install(image, CacheForger.imageOfLiveBytes(disk.content(image), length -> 0));
        Sums.believe(disk, image);
        try (BitcaskEngine engine = builder(true).readOnly(true).open()) {
            assertThat(engine.stats().opening().fromImage()).isTrue();
            try {
                assertThat(scan(engine)).isEqualTo(model);
            } catch (CorruptRecordException e) {
                assertThat(e.file()).isNotEmpty();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void noPartialMergeDeletesByTheWordOfHintFiles(HintLie lie) throws IOException {
        fill(false);
        forgeHints(lie, 0, 2, true);
        assertPartialMergesDeleteNothingByLies(false);
    }

    /**
     * A filter without a key that is there would have a merge drop the key's tombstone, while the put stays in a file that is
     * not merged: the deleted key would be back for good.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noPartialMergeDropsTombstonesByTheWordOfAFilter(boolean isBelieved) throws IOException {
        try (BitcaskEngine engine = builder(false).open()) {
            for (int i = 0; i < KEYS; i++) {
                put(engine, i, "first " + i);
            }
            for (int i = 0; i < KEYS; i += 10) {
                delete(engine, i);
                for (int again = 0; again < 10; again++) {
                    put(engine, i + 1, "again " + again);
                }
            }
        }
        List<String> hints = caches(".hint");
        for (String hint : hints) {
            byte[] truth = disk.content(hint);
            disk.install(hint, CacheForger.hints(truth, CacheForger.entries(truth), (byte) 0));
            if (isBelieved) {
                Sums.believe(disk, hint);
            }
        }
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages())
                .extracting(VerifyReport.Damage::file)
                .containsAll(hints);
        try (BitcaskEngine engine =
                builder(false).autoMerge(true).maxSpaceAmplification(100).open()) {
            for (int i = 0; i < KEYS; i += 10) {
                for (int again = 0; again < 10; again++) {
                    put(engine, i + 1, "more " + again);
                }
            }
            assertThat(engine.stats().merging().merges() > 0
                            || !engine.retries().isEmpty())
                    .as("files were merged, or a lie was found")
                    .isTrue();
            assertContent(engine);
        }
        assertLogIsWhole();
    }
}
