package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a merge may drop, and when. Closing and opening a store goes on to a new file, so each test lays its records out
 * file by file.
 */
final class MergeSafetyTest {
    private static final byte[] VICTIM = KeyValues.bytes("victim");
    private static final byte[] OLD = KeyValues.bytes("old");
    private static final byte[] NEW = KeyValues.bytes("new");
    private static final byte[] NEIGHBOUR = KeyValues.bytes("neighbour");
    private static final byte[] FIRST = KeyValues.bytes("first");
    private static final byte[] FILLER = KeyValues.bytes("filler");
    private static final byte[] LARGE = new byte[300];

    /** Chooses only files of which half is dead. */
    private static final MergePolicy DEAD_FILES_ONLY = new MergePolicy(100, 4096);

    /** Chooses files of which an eighth is dead, such as one that has nothing but a tombstone. */
    private static final MergePolicy DEAD_EIGHTH = new MergePolicy(1.01, 4096);

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    private BitcaskEngine open() throws IOException {
        return open(disk);
    }

    private BitcaskEngine open(CrashableIoManager on) throws IOException {
        // Without images of the index: with one, what a merge should have kept or dropped in the log would not be read.
        return CrashFixture.builder(on.factory(HOME), clock)
                .imageEveryBytes(0)
                .maxFileBytes(4096)
                .open();
    }

    private List<String> dataFiles() throws IOException {
        List<String> names = disk.factory().open(HOME, false).list();
        names.removeIf(name -> !name.endsWith(".data") && !name.endsWith(".merged"));
        return names;
    }

    private interface Script {
        void run(BitcaskEngine engine) throws IOException;
    }

    /** Writes records into a file of their own; returns its name. */
    private String file(Script script) throws IOException {
        List<String> before = dataFiles();
        try (BitcaskEngine engine = open()) {
            script.run(engine);
        }
        List<String> added = dataFiles();
        added.removeAll(before);
        assertThat(added).hasSize(1);
        return added.get(0);
    }

    /** Makes a file of the victim's old record and enough that is live for the file to stay; returns its name. */
    private String olderFile(boolean isMerged) throws IOException {
        String name = file(engine -> {
            engine.put(VICTIM, OLD);
            engine.put(NEIGHBOUR, LARGE);
        });
        if (isMerged) {
            name = file(BitcaskEngine::merge);
        }
        return name;
    }

    /** Makes most of the last file dead. */
    private void supersedeFiller() throws IOException {
        file(engine -> engine.put(FILLER, LARGE));
    }

    /** Merges in the background, which takes one file and leaves another. */
    private void mergeOnly(String input, String staying) throws IOException {
        mergeOnly(input, staying, DEAD_FILES_ONLY);
    }

    private void mergeOnly(String input, String staying, MergePolicy policy) throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.mergeInBackground(policy);
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().merging().merges()).isEqualTo(1);
            assertThat(dataFiles()).contains(staying).doesNotContain(input);
            assertThat(engine.get(VICTIM)).isNull();
        }
    }

    private void checkVictimIsGone() throws IOException {
        try (BitcaskEngine engine = open()) {
            assertThat(engine.get(VICTIM)).isNull();
            assertThat(engine.get(NEIGHBOUR)).isEqualTo(LARGE);
        }
    }

    private long recordsOnDisk() throws IOException {
        VerifyReport report = BitcaskEngine.verify(HOME, disk.factory(HOME));
        assertThat(report.damages()).isEmpty();
        return report.records();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aTombstoneStaysWhileAnOlderFileHasTheKey(boolean isOlderMerged) throws IOException {
        String older = olderFile(isOlderMerged);
        String newer = file(engine -> {
            engine.delete(VICTIM);
            engine.put(FILLER, LARGE);
            engine.put(FIRST, NEW);
        });
        supersedeFiller();
        mergeOnly(newer, older);
        checkVictimIsGone();
    }

    /** What is damaged may have been a tombstone that an older file needs, and was one. */
    @Test
    void aFileStaysIfItsDamageCanHaveBeenATombstone() throws IOException {
        String older = olderFile(false);
        String newer = file(engine -> {
            engine.delete(VICTIM);
            engine.put(FILLER, LARGE);
            engine.put(FIRST, NEW);
        });
        supersedeFiller();
        byte[] damaged = disk.content(newer);
        damaged[64 + 8] ^= 1;
        disk.install(newer, damaged);
        try (BitcaskEngine engine = open()) {
            engine.mergeInBackground(DEAD_FILES_ONLY);
            engine.put(KeyValues.bytes("second"), NEW);
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().merging().merges()).isZero();
            assertThat(dataFiles()).contains(older, newer);
            assertThat(engine.get(FIRST)).isEqualTo(NEW);
        }
        checkVictimIsGone();
    }

    /** The file is in nobody's way, so a failed deletion is no reason to refuse writes. */
    @ParameterizedTest
    @EnumSource(names = {"IO_ERROR", "ERROR_AFTER_EFFECT"})
    void aFileThatCannotBeDeletedGoesLater(Fault fault) throws IOException {
        olderFile(false);
        supersedeFiller();
        List<String> inputs = dataFiles();
        FaultPlan plan =
                FaultPlan.failing(0).only(IoOperation.DELETE).with(fault).fromThenOn();
        BitcaskEngine engine =
                CrashFixture.builder(plan.wrap(disk.factory(HOME)), clock).open();
        engine.merge();
        assertThat(plan.hasFired()).isTrue();
        assertThat(engine.health()).isNull();
        engine.put(VICTIM, NEW, WriteOptions.SYNC);
        CrashableIoManager killed = disk.peekKill();
        plan.stop();
        engine.merge();
        assertThat(dataFiles()).doesNotContainAnyElementsOf(inputs);
        engine.close();
        for (CrashableIoManager each : List.of(disk, killed)) {
            try (BitcaskEngine next = open(each)) {
                assertThat(each.factory(HOME).open(HOME, false).list()).doesNotContainAnyElementsOf(inputs);
                assertThat(next.get(VICTIM)).isEqualTo(NEW);
                assertThat(next.get(NEIGHBOUR)).isEqualTo(LARGE);
            }
        }
    }

    @Test
    void aTombstoneStaysEvenIfNothingElseInItsFileIsNeeded() throws IOException {
        String older = olderFile(false);
        String newer = file(engine -> {
            engine.delete(VICTIM);
            engine.put(FILLER, LARGE);
        });
        supersedeFiller();
        mergeOnly(newer, older);
        checkVictimIsGone();
    }

    /** Its tombstone moves to a merged file, and from there to another. */
    @Test
    void aTombstoneThatWasMergedStaysInTheNextMerge() throws IOException {
        String older = olderFile(false);
        String newer = file(engine -> {
            engine.delete(VICTIM);
            engine.put(FILLER, LARGE);
        });
        supersedeFiller();
        mergeOnly(newer, older);
        String merged = dataFiles().stream()
                .filter(name -> name.endsWith(".merged"))
                .findFirst()
                .orElseThrow();
        mergeOnly(merged, older, DEAD_EIGHTH);
        checkVictimIsGone();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anExpiredPutBecomesATombstoneWhileAnOlderFileHasTheKey(boolean isOlderMerged) throws IOException {
        String older = olderFile(isOlderMerged);
        String newer = file(engine -> {
            engine.put(VICTIM, NEW, WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1)));
            engine.put(FILLER, LARGE);
        });
        supersedeFiller();
        clock.advance(Duration.ofSeconds(2));
        mergeOnly(newer, older);
        checkVictimIsGone();
    }

    @Test
    void aTombstoneGoesWhenNoFileThatStaysHasTheKey() throws IOException {
        String older = file(engine -> engine.put(NEIGHBOUR, LARGE));
        String newer = file(engine -> {
            engine.put(VICTIM, OLD);
            engine.delete(VICTIM);
            engine.put(FILLER, LARGE);
            engine.put(FIRST, NEW);
        });
        supersedeFiller();
        mergeOnly(newer, older);
        assertThat(recordsOnDisk())
                .as("records: the neighbour, the first, the filler")
                .isEqualTo(3);
    }

    @Test
    void noTombstoneIsLeftAfterEverythingWasMerged() throws IOException {
        olderFile(false);
        file(engine -> {
            for (int i = 0; i < 20; i++) {
                engine.put(KeyValues.key(i), OLD);
            }
            engine.put(FILLER, OLD, WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1)));
        });
        file(engine -> {
            engine.delete(VICTIM);
            for (int i = 0; i < 10; i++) {
                engine.delete(KeyValues.key(i));
            }
            engine.put(FIRST, NEW);
        });
        clock.advance(Duration.ofSeconds(2));
        try (BitcaskEngine engine = open()) {
            engine.merge();
            assertThat(engine.stats().space().deadBytes()).isZero();
        }
        assertThat(recordsOnDisk())
                .as("records: the neighbour, ten keys, the first")
                .isEqualTo(12);
        checkVictimIsGone();
    }

    /**
     * Merges, and writes once more while it copies; returns what a power loss at each of its calls and after it leaves
     * when nothing arrived that was not forced.
     */
    private List<CrashableIoManager> mergeWithAPutInside(boolean isFull) throws IOException {
        List<CrashableIoManager> images = new ArrayList<>();
        BitcaskEngine engine = open();
        boolean[] isPut = {false};
        disk.observer(call -> {
            images.add(disk.peekPowerLoss(0));
            if (!isPut[0] && isOutputCreated(call)) {
                isPut[0] = true;
                put(engine);
            }
        });
        if (isFull) {
            engine.merge();
        } else {
            engine.mergeInBackground(DEAD_FILES_ONLY);
        }
        images.add(disk.peekPowerLoss(0));
        disk.observer(null);
        assertThat(engine.health()).isNull();
        assertThat(engine.stats().merging().merges()).isEqualTo(1);
        assertThat(isPut[0]).isTrue();
        assertThat(engine.get(VICTIM)).isEqualTo(NEW);
        return images;
    }

    /** Of its records that the merge came to, nothing may be left in the outputs, or the test would show nothing. */
    private void assertVictimWasDropped() throws IOException {
        for (String name : dataFiles()) {
            if (name.endsWith(".merged")) {
                assertThat(new String(disk.content(name), StandardCharsets.ISO_8859_1))
                        .as(name)
                        .doesNotContain(new String(VICTIM, StandardCharsets.ISO_8859_1));
            }
        }
    }

    private static boolean isOutputCreated(IoCall call) {
        return call.operation() == IoOperation.CREATE && call.file().endsWith(".merged");
    }

    private static void put(BitcaskEngine engine) {
        try {
            engine.put(VICTIM, NEW, WriteOptions.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aRecordGoesOnlyWhenThePutThatSupersedesItIsDurable() throws IOException {
        // Live, so the output is created before the merge comes to the victim, whose file it has not looked up yet.
        file(engine -> engine.put(FIRST, OLD));
        file(engine -> engine.put(VICTIM, OLD));
        List<CrashableIoManager> images = mergeWithAPutInside(true);
        assertVictimWasDropped();
        for (int i = 0; i < images.size(); i++) {
            try (BitcaskEngine engine = open(images.get(i))) {
                assertThat(engine.get(VICTIM)).as("power loss at call %s", i).isIn(OLD, NEW);
                assertThat(engine.get(FIRST)).isEqualTo(OLD);
            }
        }
    }

    @Test
    void aTombstoneGoesOnlyWhenThePutThatSupersedesItIsDurable() throws IOException {
        olderFile(false);
        file(engine -> {
            engine.put(FIRST, NEW);
            engine.put(FILLER, LARGE);
        });
        file(engine -> {
            engine.delete(VICTIM);
            engine.put(FILLER, LARGE);
        });
        supersedeFiller();
        List<CrashableIoManager> images = mergeWithAPutInside(false);
        assertVictimWasDropped();
        for (int i = 0; i < images.size(); i++) {
            try (BitcaskEngine engine = open(images.get(i))) {
                assertThat(engine.get(VICTIM)).as("power loss at call %s", i).isIn(null, NEW);
                assertThat(engine.get(FIRST)).isEqualTo(NEW);
            }
        }
    }
}
