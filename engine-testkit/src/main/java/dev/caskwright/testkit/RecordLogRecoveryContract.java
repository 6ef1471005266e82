package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The part of the log contract about what is there when a log is opened again. */
abstract class RecordLogRecoveryContract extends RecordLogAppendContract {
    private static final int POWER_LOSSES = 40;

    // ---------------------------------------------------------------- secret

    @Test
    void theSecretIsTheLogsOwnAndStays() throws IOException {
        Opened opened = open(disk);
        long secret = opened.opening().secret();
        put(opened.log(), "key", "value");
        opened.log().close();
        CrashableIoManager other = new CrashableIoManager();
        SplittableRandom random = new SplittableRandom(8);
        RecordLogOptions options = new RecordLogOptions(
                SEGMENT_BYTES, false, true, random::nextLong, Runnable::run, () -> {}, () -> {}, cause -> {});
        assertThat(open(other, options).opening().secret()).isNotEqualTo(secret);
        // Nothing is drawn to open a log that is there.
        RecordLogOptions drawingNothing = new RecordLogOptions(
                SEGMENT_BYTES,
                false,
                true,
                () -> {
                    throw new AssertionError("a random number was drawn");
                },
                Runnable::run,
                () -> {},
                () -> {},
                cause -> {});
        assertThat(open(disk, drawingNothing).opening().secret()).isEqualTo(secret);
    }

    // ---------------------------------------------------------------- durability

    @Test
    void whatWasSyncedSurvivesAPowerLoss() throws IOException {
        RecordLog log = open();
        List<String> written = new ArrayList<>();
        int durable = 0;
        for (int i = 0; i < 60; i++) {
            String key = "key" + i;
            log.append(draftPut(log, key, "v".repeat(i * 7 % 300), 0), nextVersion(), i % 10 == 9);
            written.add(key);
            if (i % 10 == 9) {
                log.sync(log.position());
                durable = written.size();
            }
            for (long seed = 0; seed < POWER_LOSSES; seed++) {
                assertPrefix(disk.peekPowerLoss(seed), written, durable, "seed=" + seed + ", written=" + i);
            }
            assertPrefix(disk.peekKill(), written, written.size(), "killed, written=" + i);
        }
        log.close();
    }

    private void assertPrefix(CrashableIoManager image, List<String> written, int atLeast, String context)
            throws IOException {
        Opened opened = open(image);
        List<String> found = keys(opened.log());
        assertThat(found.size()).as(context).isGreaterThanOrEqualTo(atLeast);
        assertThat(found).as(context).isEqualTo(written.subList(0, found.size()));
        assertThat(opened.index().keySet()).as(context).isEqualTo(new TreeSet<>(found));
        // What recovery accepts is durable when the opening ends.
        assertThat(keys(open(image.peekPowerLoss(0)).log()))
                .as("%s, power lost after the recovery", context)
                .isEqualTo(found);
    }

    @Test
    void aSyncReachesAsFarAsItsPosition() throws IOException {
        List<Runnable> tasks = new ArrayList<>();
        RecordLog log = open(disk, options(tasks::add, false, true)).log();
        put(log, "first", "");
        long position = log.position();
        fill(log, 3, 100);
        log.sync(position);
        assertThat(keys(open(disk.peekPowerLoss(0)).log())).contains("first");
        log.sync(log.position());
        assertThat(keys(open(disk.peekPowerLoss(0)).log())).isEqualTo(keys(log));
        long forces = forces();
        log.sync(position);
        assertThat(forces()).as("what is durable is not forced again").isEqualTo(forces);
        log.close();
    }

    private long forces() {
        return disk.log().stream()
                .filter(call -> call.operation() == IoOperation.FORCE)
                .count();
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 3_000, 70_000})
    void aBatchIsThereAsAWholeOrNotAtAll(int valueLength) throws IOException {
        RecordLog log = open();
        put(log, "before", "");
        log.sync(log.position());
        Set<Integer> found = new HashSet<>();
        disk.observer(call -> {
            for (long seed = 0; seed < POWER_LOSSES; seed++) {
                found.add(countAfter(disk.peekPowerLoss(seed), call + ", seed=" + seed));
            }
            found.add(countAfter(disk.peekKill(), call + ", killed"));
        });
        batch(log, batch -> {
            for (int i = 0; i < 6; i++) {
                put(batch, "key" + i, "v".repeat(valueLength), 0);
            }
        });
        disk.observer(null);
        for (long seed = 0; seed < POWER_LOSSES; seed++) {
            found.add(countAfter(disk.peekPowerLoss(seed), "appended, seed=" + seed));
        }
        assertThat(countAfter(disk.peekKill(), "appended")).isEqualTo(7);
        log.sync(log.position());
        assertThat(countAfter(disk.peekPowerLoss(0), "synced")).isEqualTo(7);
        assertThat(found).containsExactlyInAnyOrder(1, 7);
        log.close();
    }

    private int countAfter(CrashableIoManager image, String context) {
        try {
            Opened opened = open(image);
            assertThat(opened.index()).as(context).containsKey("before");
            assertThat(keys(opened.log())).as(context).hasSize(opened.index().size());
            return opened.index().size();
        } catch (IOException e) {
            throw new AssertionError(context, e);
        }
    }

    @Test
    void aTornTailIsCutAndReported() throws IOException {
        RecordLog log = open();
        put(log, "first", "the first value");
        LogSegment segment = active(log);
        long length = segment.length();
        put(log, "second", "the second value");
        int recordLength = (int) (segment.length() - length);
        for (int cut = 0; cut <= recordLength; cut++) {
            CrashableIoManager image = disk.peekKill();
            String name = fileWith(image, "the first value");
            byte[] content = image.content(name);
            assertThat(content).hasSize((int) segment.length());
            image.install(name, Arrays.copyOf(content, content.length - cut));
            Opened opened = open(image);
            boolean isTorn = cut > 0 && cut < recordLength;
            assertThat(keys(opened.log()))
                    .as("cut=%s", cut)
                    .isEqualTo(cut == 0 ? List.of("first", "second") : List.of("first"));
            assertThat(opened.opening().tornBytesCut() > 0).as("cut=%s", cut).isEqualTo(isTorn);
            // The log goes on where the cut is.
            put(opened.log(), "third", "");
            assertThat(keys(open(image.kill()).log())).as("cut=%s", cut).last().isEqualTo("third");
        }
        log.close();
    }

    @Test
    void anAbandonedLogIsRecovered() throws IOException {
        RecordLog log = open();
        int count = fill(log, 3, 50);
        delete(log, "key0");
        long written = log.writtenBytes();
        assertThat(written).isPositive();
        log.abandon();
        Opened opened = open(disk);
        assertThat(opened.index()).hasSize(count - 1).doesNotContainKey("key0");
        assertThat(opened.opening().tornBytesCut()).isZero();
        assertThat(opened.log().writtenBytes()).isZero();
        opened.log().close();
    }

    @Test
    void closingTwiceIsFine() throws IOException {
        RecordLog log = open();
        put(log, "key", "value");
        log.close();
        long operations = disk.operations();
        log.close();
        assertThat(disk.operations()).isEqualTo(operations);
        assertThat(content(open(disk.powerLoss(0)))).containsOnlyKeys("key");
    }

    // ---------------------------------------------------------------- opening

    @Test
    void aReplayVisitsEverything() throws Exception {
        RecordLog log = open();
        int count = fill(log, 6, 50);
        for (int i = 0; i < count; i += 3) {
            delete(log, "key" + i);
        }
        put(log, "key0", "again", 5);
        List<Shown> expected = scan(log);
        log.abandon();
        for (int run = 0; run < 2; run++) { // after a crash, and after that recovery
            RecordLogOpening opening = factory().open(disk, disk, options());
            Set<String> visited = ConcurrentHashMap.newKeySet();
            ExecutorService executor = Executors.newFixedThreadPool(3);
            List<Future<?>> replays = new ArrayList<>();
            for (LogSegment segment : opening.log().segments()) {
                replays.add(executor.submit(() -> {
                    opening.replay(
                            segment,
                            (tombstone, locator, source, offset, length) ->
                                    visited.add(new String(source, offset, length, UTF_8)
                                            + (tombstone ? " gone" : " put") + " " + locator));
                    return segment;
                }));
            }
            for (Future<?> replay : replays) {
                replay.get();
            }
            executor.shutdown();
            assertThat(visited).hasSize(expected.size());
            opening.finish();
            assertThat(scan(opening.log())).isEqualTo(expected);
            long deletes =
                    visited.stream().filter(each -> each.contains(" gone")).count();
            assertThat(deletes)
                    .isEqualTo(expected.stream()
                            .filter(each -> each.value() == null)
                            .count());
            opening.log().close();
        }
    }

    @Test
    void theStateSurvivesAReopening() throws IOException {
        RecordLog log = open();
        assertThat(log.lastVersion()).isZero();
        assertThat(log.changesFrom()).isZero();
        log.append(draftPut(log, "key", "value", 99), 17, false);
        log.append(draftDelete(log, "other"), 23, false);
        log.close();
        Opened opened = open(disk);
        assertThat(opened.log().lastVersion()).isEqualTo(23);
        assertThat(opened.log().changesFrom()).isZero();
        long locator = requireNonNull(opened.index().get("key"));
        assertThat(opened.log().expires(locator)).isTrue();
        assertThat(scan(opened.log()))
                .containsExactly(new Shown("key", "value", 17, 99), new Shown("other", null, 23, 0));
        assertThat(opened.log().segments()).allMatch(LogSegment::isSealed);
        opened.log().close();
    }

    @Test
    void theClockSurvivesTheProcess() throws IOException {
        RecordLog log = open();
        assertThat(log.clockNotes().clockNote()).isEmpty();
        log.clockNotes().noteClock(() -> new long[] {1_000, 2});
        log.clockNotes().noteClock(() -> new long[] {900});
        assertThat(log.clockNotes().clockNote()).containsExactly(900);
        assertThat(open(disk.peekKill()).log().clockNotes().clockNote()).containsExactly(900);
        long used = bytesOnDisk();
        for (long i = 0; i < 1_000; i++) {
            long each = i;
            log.clockNotes().noteClock(() -> new long[] {each, each});
        }
        assertThat(bytesOnDisk()).as("a note takes the place of the one before").isEqualTo(used);
        log.clockNotes().noteClock(() -> new long[] {1_000});
        put(log, "key", "");
        log.leaveActive();
        log.sealLeft();
        log.close();
        RecordLog reopened = open(disk.powerLoss(0)).log();
        assertThat(reopened.clockNotes().clockNote()).containsExactly(1_000);
    }

    private long bytesOnDisk() throws IOException {
        long bytes = 0;
        for (String name : disk.list()) {
            bytes += disk.length(name);
        }
        return bytes;
    }

    @Test
    void openingForReadingChangesNothing() throws IOException {
        RecordLog log = open();
        fill(log, 3, 50);
        put(log, "last", "");
        List<Shown> expected = scan(log);
        CrashableIoManager killed = disk.kill();
        for (int run = 0; run < 2; run++) {
            long operations = killed.operations();
            Opened opened = open(killed, options(Runnable::run, true, false));
            assertThat(scan(opened.log())).isEqualTo(expected);
            assertThat(content(opened)).containsKey("last");
            opened.log().close();
            assertThat(killed.operations()).isEqualTo(operations);
        }
    }

    @Test
    void aDirectoryWithoutAStoreIsRefusedUnlessOneMayBeMade() throws IOException {
        assertThatThrownBy(() -> open(disk, options(Runnable::run, false, false)))
                .isInstanceOf(UnsupportedFormatException.class);
        assertThatThrownBy(() -> open(disk, options(Runnable::run, true, true)))
                .isInstanceOf(UnsupportedFormatException.class);
        assertThat(disk.operations()).isZero();
        open().close();
        open(disk, options(Runnable::run, false, false)).log().close();
    }

    @Test
    void filesOfOthersAreLeftAlone() throws IOException {
        disk.install("notes.txt", bytes("mine"));
        disk.install("00000001.txt", bytes("mine, too"));
        RecordLog log = open();
        put(log, "key", "value");
        log.close();
        open().close();
        assertThat(disk.content("notes.txt")).isEqualTo(bytes("mine"));
        assertThat(disk.content("00000001.txt")).isEqualTo(bytes("mine, too"));
    }

    @Test
    void theStartupManagerReadsUntilTheOpeningEnds() throws IOException {
        RecordLog log = open();
        fill(log, 3, 50);
        List<Shown> expected = scan(log);
        log.close();
        FaultPlan startup = FaultPlan.counting().only(IoOperation.READ);
        FaultPlan running = FaultPlan.counting().only(IoOperation.READ);
        RecordLogOpening opening = factory().open(running.wrap(disk), startup.wrap(disk), options());
        long before = running.calls();
        assertThat(replay(opening)).isNotEmpty();
        assertThat(running.calls()).as("a replay reads through the other one").isEqualTo(before);
        opening.finish();
        long during = startup.calls();
        assertThat(during).isPositive();
        assertThat(scan(opening.log())).isEqualTo(expected);
        assertThat(startup.calls()).isEqualTo(during);
        opening.log().close();
    }

    // ---------------------------------------------------------------- damage

    @Test
    void aRecordWhoseValueChangedIsNeverReturned() throws IOException {
        RecordLog log = open();
        put(log, "key", "a value like no other");
        put(log, "next", "");
        log.close();
        String name = flipIn(disk, "a value like no other");
        assertThatThrownBy(() -> {
                    Opened opened = open(disk);
                    valueAt(opened.log(), requireNonNull(opened.index().get("key")));
                })
                .isInstanceOfSatisfying(
                        CorruptRecordException.class, e -> assertThat(e.file()).isEqualTo(name));
        assertThatThrownBy(() -> scan(open(disk).log())).isInstanceOf(CorruptRecordException.class);
    }

    @Test
    void aRecordWhoseKeyChangedIsNeverTakenForAnother() throws IOException {
        RecordLog log = open();
        put(log, "a key like no other", "value");
        put(log, "next", "");
        log.leaveActive();
        log.sealLeft();
        log.abandon();
        String data = disk.list().stream()
                .filter(name -> hasValue(name, "value"))
                .findFirst()
                .orElseThrow();
        byte[] content = disk.content(data);
        content[indexOf(content, bytes("a key like"))] ^= 1;
        disk.install(data, content);
        assertThatThrownBy(() -> {
                    Opened opened = open(disk);
                    scan(opened.log());
                })
                .isInstanceOf(CorruptRecordException.class);
    }

    private boolean hasValue(String name, String text) {
        try {
            return indexOf(disk.content(name), bytes(text)) >= 0;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aCheckFindsADamagedByteAndChangesNothing() throws IOException {
        RecordLog log = open();
        put(log, "first", "the first value");
        fill(log, 3, 100);
        put(log, "last", "the last value");
        log.close();
        List<String> damages = new ArrayList<>();
        long records = verify(damages);
        assertThat(damages).isEmpty();
        assertThat(records).isGreaterThan(2);
        String name = flipIn(disk, "the first value");
        long operations = disk.operations();
        assertThat(verify(damages)).isPositive();
        assertThat(damages).hasSize(1);
        assertThat(damages.get(0)).startsWith(name + " ");
        flipIn(disk, "the last value");
        damages.clear();
        verify(damages);
        assertThat(damages).hasSize(2);
        assertThat(disk.operations()).isEqualTo(operations);
    }

    private long verify(List<String> damages) throws IOException {
        long[] sound = new long[2];
        factory().verify(disk, new RecordLogFactory.VerifyListener() {
            @Override
            public void damaged(String file, long offset, String what) {
                damages.add(file + " at " + offset + ": " + what);
            }

            @Override
            public void sound(long records, long bytes) {
                sound[0] += records;
                sound[1] += bytes;
            }
        });
        assertThat(sound[1]).isPositive();
        return sound[0];
    }

    // ---------------------------------------------------------------- copies

    @Test
    void aCopyIsALog() throws IOException {
        RecordLog log = open();
        fill(log, 3, 50);
        List<Shown> first = copyTo(log, 500);
        long links = links();
        assertThat(links).isPositive();
        Opened copy = open(target());
        assertThat(scan(copy.log())).isEqualTo(first);
        assertThat(copy.log().clockNotes().clockNote()).containsExactly(500);
        assertThat(copy.log().lastVersion()).isEqualTo(1_000);
        copy.log().abandon();
        put(log, "more", "");
        List<Shown> second = copyTo(log, 600);
        assertThat(links() - links).as("only what is new is brought").isLessThan(links);
        copy = open(target());
        assertThat(scan(copy.log()))
                .isEqualTo(second)
                .last()
                .isEqualTo(scan(log).get(second.size() - 1));
        assertThat(copy.log().clockNotes().clockNote()).containsExactly(600);
        copy.log().close();
        log.close();
        Map<String, String> content = content(open(disk));
        assertThat(content).containsKey("more");
    }

    private IoManager target() throws IOException {
        return disk.factory(Path.of("log")).open(Path.of("copy"), true);
    }

    private List<Shown> copyTo(RecordLog log, long clockMillis) throws IOException {
        log.leaveActive();
        log.sealLeft();
        List<LogCopy.Part> parts = new ArrayList<>();
        for (LogSegment segment : log.segments()) {
            parts.add(new LogCopy.Part(segment, segment.length()));
        }
        log.copyTo(target(), new LogCopy(LogCopy.Form.CHECKPOINT, parts, new long[] {clockMillis}, 1_000));
        return scan(log);
    }

    private long links() {
        return disk.log().stream()
                .filter(call -> call.operation() == IoOperation.LINK)
                .count();
    }
}
