package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.log.BatchDraft;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.api.spi.log.LogMerge;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.MergeOutput;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.LogPosition;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The files of a log: where they begin and end, what their records say of the log, and when they are forced. */
final class SegmentedLogFilesTest {
    private static final int MAX = 4_096;
    private static final int KEY = 4;
    private static final int UNKNOWN = RecordFormat.DISTANCE_UNKNOWN;

    /** A record whose value is this much shorter has just the length. */
    private static final int OVERHEAD = RecordFormat.SHORT_HEADER + KEY;

    private final CrashableIoManager disk = new CrashableIoManager();
    private final List<Runnable> tasks = new ArrayList<>();
    private final AtomicInteger awaited = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private long version;

    private RecordLog open() throws IOException {
        return open(disk, tasks::add);
    }

    private RecordLog open(IoManager io, Executor maintenance) throws IOException {
        RecordLogOpening opening = new SegmentedLogFactory()
                .open(
                        io,
                        io,
                        new RecordLogOptions(
                                MAX,
                                false,
                                true,
                                () -> 1,
                                maintenance,
                                awaited::incrementAndGet,
                                () -> {},
                                cause -> failure.compareAndSet(null, cause)));
        for (LogSegment segment : opening.log().segments()) {
            opening.replay(segment, (tombstone, locator, source, offset, length) -> {});
        }
        opening.finish();
        disk.clearLog();
        return opening.log();
    }

    /** Appends a record of this length. */
    private long append(RecordLog log, int length) throws IOException {
        RecordDraft draft = log.newDraft();
        draft.put(new byte[KEY], new byte[length - OVERHEAD], 0);
        assertThat(draft.length()).isEqualTo(length);
        return log.append(draft, ++version, false);
    }

    /** Appends a batch of records of this length. */
    private void appendBatch(RecordLog log, int count, int length) throws IOException {
        BatchDraft batch = log.newBatchDraft();
        for (int i = 0; i < count; i++) {
            batch.put(new byte[length], 0, KEY, length - OVERHEAD, 0);
        }
        log.appendBatch(batch, version + 1, false);
        version += count;
    }

    private static DataFile active(RecordLog log) {
        DataFile active = (DataFile) log.active();
        assertThat(active).isNotNull();
        return active;
    }

    private static DataFile file(RecordLog log, int index) {
        return (DataFile) log.segments().get(index);
    }

    private List<String> calls(IoOperation operation) {
        return disk.log().stream()
                .filter(call -> call.operation() == operation)
                .map(IoCall::file)
                .toList();
    }

    /** Returns what the records of a file say of how far behind them the log was durable, as size classes. */
    private static List<Integer> distances(RecordLog log, LogSegment file) throws IOException {
        List<Integer> distances = new ArrayList<>();
        FileScanner scanner = (FileScanner) log.scan(file, file.length());
        while (scanner.next()) {
            distances.add(scanner.distance());
        }
        return distances;
    }

    // ---------------------------------------------------------------- where files begin and end

    @Test
    void aFileIsFilledToItsLastByte() throws IOException {
        int room = MAX - DataFile.HEADER_LENGTH - RecordFormat.END_OF_FILE_LENGTH;
        RecordLog log = open();
        int half = 2_000;
        append(log, half);
        append(log, room - half);
        assertThat(log.segments()).hasSize(1);
        append(log, half);
        assertThat(file(log, 0).length()).isEqualTo(MAX);
        assertThat(log.segments()).hasSize(2);
        append(log, room - half + 8);
        assertThat(log.segments()).hasSize(3);
        appendBatch(log, 1, half - 8 - RecordFormat.BATCH_END_LENGTH);
        assertThat(log.segments()).hasSize(3);
        assertThat(active(log).length()).isEqualTo(MAX - RecordFormat.END_OF_FILE_LENGTH);
        append(log, 1_000);
        appendBatch(log, 2, (room - 1_000) / 2);
        assertThat(log.segments()).as("the end of the batch would not fit").hasSize(5);
        log.close();
    }

    @Test
    void whatIsLongerThanAFileHasOneOfItsOwn() throws IOException {
        RecordLog log = open();
        append(log, 2 * MAX);
        assertThat(log.segments()).hasSize(1);
        appendBatch(log, 2, MAX);
        assertThat(log.segments()).hasSize(2);
        append(log, 2 * MAX);
        append(log, 40);
        assertThat(log.segments()).hasSize(4);
        log.close();
    }

    @Test
    void aFileThatIsLeftEndsWithAMarkAndNamesTheOneBefore() throws IOException {
        RecordLog log = open();
        append(log, 1_000);
        append(log, 1_000);
        DataFile first = active(log);
        assertThat(log.writtenBytes()).isEqualTo(2_000);
        long position = log.position();
        log.leaveActive();
        log.leaveActive(); // there is none
        assertThat(log.position()).isEqualTo(position + RecordFormat.END_OF_FILE_LENGTH);
        assertThat(log.writtenBytes()).isEqualTo(2_000 + RecordFormat.END_OF_FILE_LENGTH);
        FileScanner scanner = (FileScanner) log.scan(first, first.length());
        for (int i = 0; i < 3; i++) {
            assertThat(scanner.next()).isTrue();
        }
        assertThat(scanner.isEndOfFile()).isTrue();
        assertThat(scanner.version()).isEqualTo(2);
        assertThat(scanner.next()).isFalse();
        append(log, 1_000);
        DataFile second = active(log);
        assertThat(log.position()).isEqualTo(LogPosition.of(second.id(), second.length()));
        assertThat(DataFile.header(first.handle()).previousId()).isZero();
        assertThat(DataFile.header(second.handle()).previousId()).isEqualTo(first.id());
        assertThat(second.id()).isEqualTo(first.id() + 1);
        // An output of a merge is none of this row.
        MergeOutput output = log.beginMerge(3).newOutput();
        long id = output.segment().id();
        assertThat(id).isEqualTo(second.id() + 1);
        assertThat(DataFile.header(((DataFile) output.segment()).handle()).previousId())
                .isZero();
        output.finish();
        append(log, 1_000);
        assertThat(active(log).id()).isEqualTo(id + 3);
        assertThat(DataFile.header(active(log).handle()).previousId()).isEqualTo(second.id());
        log.close();
    }

    @Test
    void theVersionsOfAFileAreKnown() throws IOException {
        RecordLog log = open();
        append(log, 104);
        appendBatch(log, 3, 104);
        DataFile first = active(log);
        assertThat(first.firstVersion()).isEqualTo(1);
        assertThat(first.lastVersion()).isEqualTo(4);
        log.leaveActive();
        appendBatch(log, 3, 104);
        append(log, 104);
        assertThat(active(log).sealedEntry())
                .isEqualTo(new Manifest.Sealed(
                        active(log).id(),
                        false,
                        active(log).length(),
                        5,
                        8,
                        active(log).history()));
        assertThat(log.lastVersion()).isEqualTo(8);
        log.close();
        RecordLog next = open();
        assertThat(next.lastVersion()).isEqualTo(8);
        assertThat(file(next, 0).sealedEntry().firstVersion()).isEqualTo(1);
        assertThat(file(next, 1).sealedEntry().lastVersion()).isEqualTo(8);
        assertThat(next.position())
                .as("after all that is there")
                .isGreaterThan(LogPosition.of(file(next, 1).id(), file(next, 1).length()));
        next.close();
    }

    @Test
    void aFileWhoseHeaderCannotBeWrittenIsNone() throws IOException {
        FaultPlan counting = FaultPlan.counting().only(IoOperation.WRITE);
        open(counting.wrap(new CrashableIoManager()), tasks::add).close();
        FaultPlan plan =
                FaultPlan.failing(counting.calls()).only(IoOperation.WRITE).with(Fault.OUT_OF_SPACE);
        RecordLog log = open(plan.wrap(disk), tasks::add);
        assertThatThrownBy(() -> append(log, 104)).isInstanceOf(OutOfSpaceException.class);
        assertThat(plan.hasFired()).isTrue();
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".data"));
        assertThat(log.segments()).isEmpty();
        assertThat(log.active()).isNull();
        append(log, 104);
        assertThat(log.segments()).hasSize(1);
        log.close();
    }

    @Test
    void aWriterSealsFilesItselfWhenTooManyWait() throws IOException {
        RecordLog log = open();
        for (int i = 1; i <= 32; i++) {
            append(log, 104);
            log.leaveActive();
        }
        assertThat(log.segments()).hasSize(32).noneMatch(LogSegment::isSealed);
        assertThat(tasks).hasSize(32);
        append(log, 104);
        assertThat(log.segments()).hasSize(33);
        assertThat(log.segments().subList(0, 32)).allMatch(LogSegment::isSealed);
        assertThat(tasks).hasSize(32);
        for (LogSegment file : log.segments().subList(0, 32)) {
            assertThatThrownBy(((DataFile) file)::writable).isInstanceOf(IllegalStateException.class);
        }
        log.close();
    }

    // ---------------------------------------------------------------- how far the log was durable

    @Test
    void recordsTellHowFarBehindThemTheLogWasDurable() throws IOException {
        RecordLog log = open();
        append(log, 1_000);
        append(log, 800);
        log.sync(log.position());
        append(log, 400);
        appendBatch(log, 2, 160);
        assertThat(distances(log, active(log)))
                .containsExactly(
                        UNKNOWN, UNKNOWN, 0, Locator.sizeClass(400), Locator.sizeClass(560), Locator.sizeClass(720));
        DataFile first = active(log);
        log.leaveActive();
        assertThat(distances(log, first)).last().isEqualTo(Locator.sizeClass(720 + RecordFormat.BATCH_END_LENGTH));
        // In the next file, nothing is known before it was forced.
        append(log, 1_000);
        appendBatch(log, 1, 160);
        log.sync(log.position());
        append(log, 160);
        assertThat(distances(log, active(log))).containsExactly(UNKNOWN, UNKNOWN, UNKNOWN, 0);
        log.close();
    }

    @Test
    void nothingOfTheFirstFileAfterAnOpeningIsDurableBeforeItIsForced() throws IOException {
        RecordLog log = open();
        append(log, 1_000);
        log.close();
        RecordLog next = open();
        append(next, 1_000);
        append(next, 1_000);
        assertThat(distances(next, active(next))).containsExactly(UNKNOWN, UNKNOWN);
        next.close();
    }

    // ---------------------------------------------------------------- forces

    @Test
    void eachFileIsForcedOnceAndTheDirectoryWhenItHasNewNames() throws IOException {
        RecordLog log = open();
        for (int i = 0; i < 3; i++) {
            append(log, 3_000);
        }
        log.sync(log.position());
        assertThat(calls(IoOperation.FORCE))
                .as("those that were left are listed before the last is forced")
                .containsExactly(FileNames.data(1), FileNames.data(2), FileNames.MANIFEST, FileNames.data(3));
        assertThat(calls(IoOperation.SYNC_DIRECTORY)).hasSize(1);
        disk.clearLog();
        append(log, 504);
        log.sync(log.position());
        assertThat(disk.log()).extracting(IoCall::operation).containsExactly(IoOperation.WRITE, IoOperation.FORCE);
        assertThat(calls(IoOperation.FORCE)).containsExactly(FileNames.data(3));
        disk.clearLog();
        append(log, 3_000);
        log.sync(log.position());
        assertThat(calls(IoOperation.FORCE))
                .as("the third got its end")
                .containsExactly(FileNames.data(3), FileNames.MANIFEST, FileNames.data(4));
        assertThat(calls(IoOperation.SYNC_DIRECTORY)).hasSize(1);
        log.close();
    }

    @Test
    void filesThatWereLeftAreForcedThoughNoneIsActive() throws IOException {
        RecordLog log = open();
        append(log, 3_000);
        append(log, 3_000);
        log.leaveActive();
        log.sync(log.position());
        assertThat(calls(IoOperation.FORCE)).containsExactly(FileNames.data(1), FileNames.data(2), FileNames.MANIFEST);
        disk.clearLog();
        log.sync(log.position());
        assertThat(disk.log()).isEmpty();
        log.sealLeft();
        assertThat(calls(IoOperation.FORCE)).as("all is durable and listed").isEmpty();
        log.close();
    }

    @Test
    void aForceThatFailsIsToldToTheOwner() throws IOException {
        RecordLog log = open();
        append(log, 104);
        disk.observer(call -> {
            if (call.operation() == IoOperation.FORCE) {
                throw new IllegalStateException("planted");
            }
        });
        assertThatThrownBy(() -> log.sync(log.position())).hasMessageContaining("planted");
        disk.observer(null);
        assertThat(failure.get()).hasMessage("planted");
        log.abandon();
    }

    // ---------------------------------------------------------------- batches

    @Test
    void batchesAreFoundAgainWithAllTheirRecords() throws IOException {
        RecordLog log = open();
        for (int round = 0; round < 2; round++) { // the second one has a checksum of its own
            BatchDraft batch = log.newBatchDraft();
            byte[] source = new byte[70_000];
            long live = 0;
            for (int i = 0; i < 3; i++) {
                source[0] = (byte) (10 * round + i);
                batch.put(source, 0, KEY, i == 1 ? 69_000 : 100, i);
                batch.delete(new byte[] {(byte) (100 + 10 * round + i)}, 0, 1);
            }
            long[] locators = log.appendBatch(batch, version + 1, false);
            version += 6;
            assertThat(locators).hasSize(6).doesNotHaveDuplicates();
            RecordReader reader = log.newReader();
            for (int i = 0; i < 6; i++) {
                reader.read(locators[i]);
                assertThat(reader.version()).isEqualTo(version - 5 + i);
                reader.verify();
                live += i % 2 == 0 ? Locator.size(locators[i]) : 0;
                assertThat(i == 0 || log.isAfter(locators[i], locators[i - 1])).isTrue();
                assertThat(log.isAfter(locators[0], locators[i])).isFalse();
            }
            assertThat(active(log).liveBytes()).isEqualTo(live);
            log.leaveActive();
        }
        log.sealLeft();
        for (int round = 0; round < 2; round++) {
            DataFile file = file(log, round);
            KeyFilter filter = log.keyFilter(file);
            assertThat(filter).isNotNull();
            for (int i = 0; i < 3; i++) {
                assertThat(filter.mayContain(new byte[] {(byte) (10 * round + i), 0, 0, 0}, 0, KEY))
                        .isTrue();
                assertThat(filter.mayContain(new byte[] {(byte) (100 + 10 * round + i)}, 0, 1))
                        .isTrue();
            }
        }
        log.close();
        assertThat(log.maxBatchLength())
                .isEqualTo(RecordFormat.MAX_FILE_LENGTH
                        - DataFile.HEADER_LENGTH
                        - RecordFormat.BATCH_END_LENGTH
                        - RecordFormat.END_OF_FILE_LENGTH);
    }

    @Test
    void batchesAreFoundAgainAfterAKill() throws IOException {
        RecordLog log = open();
        appendBatch(log, 2, 104);
        appendBatch(log, 3, 104);
        RecordLog next = open(disk.kill(), tasks::add);
        assertThat(next.lastVersion()).isEqualTo(5);
        assertThat(distances(next, file(next, 0))).as("records and two ends").hasSize(7);
        next.close();
    }

    @Test
    void aFileWithoutRecordsIsUsed() throws IOException {
        FaultPlan counting = FaultPlan.counting().only(IoOperation.WRITE);
        open(counting.wrap(new CrashableIoManager()), tasks::add).close();
        FaultPlan plan = FaultPlan.failing(counting.calls() + 1) // the header is written
                .only(IoOperation.WRITE)
                .with(Fault.OUT_OF_SPACE);
        RecordLog log = open(plan.wrap(disk), tasks::add);
        assertThatThrownBy(() -> append(log, 104)).isInstanceOf(OutOfSpaceException.class);
        assertThat(log.segments()).hasSize(1);
        append(log, 2 * MAX);
        assertThat(log.segments()).hasSize(1);
        log.close();
    }

    // ---------------------------------------------------------------- space held ready

    /** Appends as writers do who force, until zeros are asked for. */
    private void appendForced(RecordLog log, boolean isBatch) throws IOException {
        tasks.clear();
        for (int i = 0; i < 5 && tasks.isEmpty(); i++) {
            if (isBatch) {
                BatchDraft batch = log.newBatchDraft();
                batch.put(new byte[100], 0, KEY, 50, 0);
                log.appendBatch(batch, ++version, true);
            } else {
                RecordDraft draft = log.newDraft();
                draft.put(new byte[KEY], new byte[50], 0);
                log.append(draft, ++version, true);
            }
        }
        assertThat(tasks).hasSize(1);
    }

    private void runTasks() {
        List<Runnable> due = new ArrayList<>(tasks);
        tasks.clear();
        due.forEach(Runnable::run);
        assertThat(failure.get()).isNull();
    }

    @Test
    void spaceIsHeldReadyForWritersWhoForce() throws IOException {
        for (boolean isBatch : new boolean[] {false, true}) {
            RecordLog log = open();
            appendForced(log, isBatch);
            runTasks();
            assertThat(calls(IoOperation.RESERVE)).containsExactly(active(log).name());
            log.close();
        }
    }

    @Test
    void noneIsHeldReadyOnceWritersHaveLeft() throws IOException {
        RecordLog log = open();
        appendForced(log, false);
        log.leaveActive();
        log.sealLeft();
        runTasks();
        assertThat(calls(IoOperation.RESERVE)).as("left").isEmpty();
        appendForced(log, false);
        log.close();
        runTasks();
        assertThat(calls(IoOperation.RESERVE)).as("closed").isEmpty();
        RecordLog next = open();
        appendForced(next, false);
        next.abandon();
        runTasks();
        assertThat(calls(IoOperation.RESERVE)).as("abandoned").isEmpty();
    }

    // ---------------------------------------------------------------- state

    @Test
    void theClockIsKept() throws IOException {
        RecordLog log = open();
        log.clockNotes().noteClock(() -> new long[] {1_000});
        assertThat(log.clockNotes().clockNote()).containsExactly(1_000);
        log.close();
        assertThatThrownBy(() -> log.clockNotes().noteClock(() -> new long[] {2_000}))
                .as("closed")
                .isInstanceOf(IllegalStateException.class);
        RecordLog next = open();
        assertThat(next.clockNotes().clockNote()).containsExactly(1_000);
        next.close();
    }

    @Test
    void sealingWaitsForReaders() throws IOException {
        RecordLog log = open();
        append(log, 104);
        log.leaveActive();
        assertThat(awaited).hasValue(0);
        log.sealLeft();
        assertThat(awaited).hasValue(1);
        log.close();
    }

    @Test
    void aLocatorThatLeadsNowhereNamesTheManifest() throws IOException {
        RecordLog log = open();
        long locator = append(log, 104);
        assertThat(log.segment(locator)).isSameAs(log.active());
        assertThatThrownBy(() -> log.segment(Locator.of(7, 4_096, 104, false)))
                .isInstanceOfSatisfying(
                        CorruptRecordException.class, e -> assertThat(e.file()).isEqualTo(FileNames.MANIFEST))
                .hasMessageContaining("slot=7, place=4096");
        log.close();
    }

    @Test
    void aCopyHasTheSealedFiles() throws IOException {
        RecordLog log = open();
        append(log, 104);
        append(log, 104);
        log.leaveActive();
        log.sealLeft();
        IoManager target = disk.factory(Path.of("log")).open(Path.of("copy"), true);
        LogSegment only = log.segments().get(0);
        log.copyTo(
                target,
                new LogCopy(LogCopy.Form.BACKUP, List.of(new LogCopy.Part(only, only.length())), new long[] {77}, 9));
        RecordLog copy = open(target, tasks::add);
        assertThat(copy.segments()).hasSize(1);
        assertThat(copy.clockNotes().clockNote()).containsExactly(77);
        assertThat(copy.lastVersion()).isEqualTo(9);
        copy.close();
        log.close();
    }

    // ---------------------------------------------------------------- merging

    @Test
    void aMergeIsListedWhenItsNamesAreDurable() throws IOException {
        RecordLog log = open();
        append(log, 104);
        appendBatch(log, 2, 104);
        LogMerge merge = log.beginMerge(2);
        append(log, 104);
        log.leaveActive();
        log.sealLeft();
        MergeOutput output = merge.newOutput();
        FileScanner scanner = (FileScanner) log.scan(file(log, 0), file(log, 0).length());
        assertThat(scanner.next()).isTrue();
        output.copy(scanner);
        output.finish();
        disk.clearLog();
        List<LogSegment> inputs = List.of(file(log, 0), file(log, 2));
        assertThat(inputs).noneMatch(LogSegment::isMerged);
        merge.commit(inputs, List.of(output.segment()));
        assertThat(disk.log().get(0).operation()).isEqualTo(IoOperation.SYNC_DIRECTORY);
        assertThat(disk.log()).last().extracting(IoCall::operation).isEqualTo(IoOperation.FORCE);
        assertThat(log.changesFrom()).as("the greatest version of the inputs").isEqualTo(4);
        log.abandon();
        RecordLog next = open();
        assertThat(next.segments())
                .extracting(LogSegment::id)
                .containsExactly(output.segment().id());
        assertThat(next.lastVersion()).isEqualTo(4);
        assertThat(disk.list()).doesNotContain(FileNames.data(1), FileNames.hint(1));
        next.close();
    }

    @Test
    void aFileIsRemovedWithItsHintsWhenReadersHaveLeft() throws IOException {
        RecordLog log = open();
        append(log, 104);
        DataFile file = active(log);
        assertThat(log.keyFilter(file)).as("not sealed, so there are none").isNull();
        log.leaveActive();
        log.sealLeft();
        KeyFilter filter = log.keyFilter(file);
        assertThat(filter).isNotNull();
        assertThat(filter.mayContain(new byte[KEY], 0, KEY)).isTrue();
        assertThat(filter.mayContain(KeyValues.bytes("other"), 0, 5)).isFalse();
        assertThat(disk.list()).contains(file.name(), FileNames.hint(file.id()));
        ReadableFile handle = file.handle();
        assertThat(handle.length()).isEqualTo(file.length());
        int before = awaited.get();
        log.remove(file);
        assertThat(awaited).hasValueGreaterThan(before);
        assertThat(disk.list()).doesNotContain(file.name(), FileNames.hint(file.id()));
        assertThat(log.segments()).isEmpty();
        assertThatThrownBy(handle::length).as("closed").isInstanceOf(IOException.class);
        log.abandon();
    }

    // ---------------------------------------------------------------- closing

    @Test
    void closingMakesAllDurableSealsItAndClosesTheHandles() throws IOException {
        RecordLog log = open();
        append(log, 3_000);
        append(log, 3_000);
        DataFile first = file(log, 0);
        DataFile second = file(log, 1);
        log.close();
        assertThat(first.isSealed()).isTrue();
        assertThat(second.isSealed()).isTrue();
        assertThatThrownBy(first.handle()::length).isInstanceOf(IOException.class);
        assertThatThrownBy(second.handle()::length).isInstanceOf(IOException.class);
        assertThat(log.active()).isNull();
        assertThat(failure.get()).isNull();
        RecordLog next = open(disk.powerLoss(0), tasks::add);
        assertThat(next.segments()).hasSize(2).allMatch(LogSegment::isSealed);
        next.close();
    }

    @Test
    void anAbandonedLogIsLeftAsItIs() throws IOException {
        RecordLog log = open();
        append(log, 3_000);
        DataFile file = active(log);
        disk.clearLog();
        log.abandon();
        assertThat(disk.log()).isEmpty();
        assertThat(file.isSealed()).isFalse();
        assertThatThrownBy(file.handle()::length).isInstanceOf(IOException.class);
    }

    /** The edit that lists the file goes into the room kept in the manifest; the hint file is for the next opening. */
    @Test
    void closingWithoutRoomForHintsIsFine() throws IOException {
        RecordLog log = open();
        append(log, 3_000);
        long used = 0;
        for (String name : disk.list()) {
            used += disk.length(name);
        }
        disk.capacity(used + 10);
        DataFile file = active(log);
        log.close();
        assertThat(file.isSealed()).isTrue();
        assertThat(failure.get()).isNull();
        assertThat(disk.list()).doesNotContain(FileNames.hint(file.id()));
        RecordLog next = open(disk.powerLoss(0).capacity(1 << 20), tasks::add);
        assertThat(next.segments()).hasSize(1);
        assertThat(next.lastVersion()).isEqualTo(1);
        next.close();
    }
}
