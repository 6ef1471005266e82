package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Sealing the files that writers have left: in which order, how often, and what becomes of failures. */
final class SealerTest {
    private final CrashableIoManager disk = new CrashableIoManager();
    private final List<Runnable> tasks = new ArrayList<>();
    private final AtomicInteger sealed = new AtomicInteger();
    private final AtomicInteger awaited = new AtomicInteger();
    private final List<Throwable> thrown = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final RecordLog log;
    private long version;

    SealerTest() throws IOException {
        RecordLogOpening opening = opening();
        opening.finish();
        log = opening.log();
        disk.clearLog();
    }

    private RecordLogOpening opening() throws IOException {
        return opening(disk);
    }

    private RecordLogOpening opening(IoManager io) throws IOException {
        return new SegmentedLogFactory()
                .open(
                        io,
                        io,
                        new RecordLogOptions(
                                32 << 10,
                                false,
                                true,
                                () -> 1,
                                tasks::add,
                                awaited::incrementAndGet,
                                sealed::incrementAndGet,
                                cause -> failure.compareAndSet(null, cause)));
    }

    /** Appends to a file of its own, and leaves it. */
    private DataFile file(String key) throws IOException {
        RecordDraft draft = log.newDraft();
        draft.put(KeyValues.bytes(key), new byte[100], 0);
        log.append(draft, ++version, false);
        DataFile file = (DataFile) log.active();
        assertThat(file).isNotNull();
        log.leaveActive();
        return file;
    }

    private void runTasks() {
        List<Runnable> due = new ArrayList<>(tasks);
        tasks.clear();
        for (Runnable each : due) {
            try {
                each.run();
            } catch (UncheckedIOException e) {
                thrown.add(e.getCause());
            } catch (RuntimeException e) {
                thrown.add(e);
            }
        }
    }

    @Test
    void allThatWaitAreSealedTogether() throws IOException {
        List<DataFile> files = List.of(file("a"), file("b"), file("c"));
        disk.clearLog();
        int before = awaited.get();
        log.sealLeft();
        assertThat(files).allMatch(LogSegment::isSealed);
        assertThat(sealed).hasValue(1);
        assertThat(awaited).as("readers change their handles together").hasValue(before + 1);
        List<String> calls = new ArrayList<>();
        for (IoCall call : disk.log()) {
            if (call.operation() != IoOperation.WRITE || call.file().equals(FileNames.MANIFEST)) {
                calls.add(call.operation() + " " + call.file());
            }
        }
        assertThat(calls)
                .containsExactly(
                        "FORCE " + FileNames.data(1),
                        "FORCE " + FileNames.data(2),
                        "FORCE " + FileNames.data(3),
                        "SYNC_DIRECTORY ",
                        "WRITE " + FileNames.MANIFEST, // room that is kept, then the edit
                        "WRITE " + FileNames.MANIFEST,
                        "WRITE " + FileNames.MANIFEST,
                        "WRITE " + FileNames.MANIFEST,
                        "WRITE " + FileNames.MANIFEST,
                        "WRITE " + FileNames.MANIFEST,
                        "FORCE " + FileNames.MANIFEST,
                        "CREATE " + FileNames.hint(1),
                        "CREATE " + FileNames.hint(2),
                        "CREATE " + FileNames.hint(3),
                        "WRITE " + FileNames.MANIFEST, // their sums, which need no force
                        "WRITE " + FileNames.MANIFEST);
        disk.clearLog();
        log.sealLeft();
        runTasks();
        assertThat(disk.log()).isEmpty();
        assertThat(sealed).as("nothing was sealed").hasValue(1);
        log.close();
    }

    @Test
    void hintsAreOfTheOneFile() throws IOException {
        for (String key : new String[] {"a", "b", "c"}) {
            file(key);
            log.sealLeft();
        }
        log.close();
        RecordLogOpening opening = opening();
        List<String> visited = new ArrayList<>();
        disk.observer(call -> {
            throw new AssertionError("hints are mended: " + call);
        });
        for (LogSegment segment : opening.log().segments()) {
            opening.replay(
                    segment,
                    (tombstone, locator, source, offset, length) ->
                            visited.add(segment.id() + new String(source, offset, length)));
        }
        disk.observer(null);
        assertThat(visited).containsExactly("1a", "2b", "3c");
        opening.log().abandon();
    }

    @Test
    void whatHadNoRoomIsSealedWithTheNextFile() throws IOException {
        DataFile first = file("a");
        for (int i = 0; i < 30; i++) {
            file("more" + i); // than fit into the room that is kept in the manifest
        }
        long used = 0;
        for (String name : disk.list()) {
            used += disk.length(name);
        }
        disk.capacity(used + 10);
        runTasks();
        assertThat(first.isSealed()).isFalse();
        assertThat(failure.get()).isNull();
        assertThat(thrown)
                .as("so that it is tried again")
                .isNotEmpty()
                .hasOnlyElementsOfType(OutOfSpaceException.class);
        assertThat(sealed).hasValue(0);
        disk.capacity(1 << 20);
        DataFile second = file("b");
        runTasks();
        assertThat(first.isSealed()).isTrue();
        assertThat(second.isSealed()).isTrue();
        assertThat(failure.get()).isNull();
        log.close();
    }

    /** A failed force tells nothing of what is on disk, whoever asked for it; a full disk does. */
    @Test
    void aFailureOfTheManifestIsToldUnlessItIsFull() throws IOException {
        file("a");
        log.sealLeft();
        log.close();
        for (Fault fault : new Fault[] {Fault.IO_ERROR, Fault.OUT_OF_SPACE}) {
            IoOperation operation = fault == Fault.IO_ERROR ? IoOperation.FORCE : IoOperation.WRITE;
            // After those of the opening come the file's header, record and end.
            int skipped = fault == Fault.IO_ERROR ? 1 : 3;
            FaultPlan counting = FaultPlan.counting().only(operation);
            opening(counting.wrap(disk.peekKill())).finish();
            FaultPlan plan = FaultPlan.failing(counting.calls() + skipped)
                    .only(operation)
                    .with(fault);
            CrashableIoManager copy = disk.peekKill();
            RecordLogOpening opening = opening(plan.wrap(copy));
            opening.finish();
            RecordDraft draft = opening.log().newDraft();
            draft.put(KeyValues.bytes("b"), new byte[100], 0);
            opening.log().append(draft, 9, false);
            opening.log().leaveActive();
            assertThat(failure.get()).isNull();
            if (fault == Fault.IO_ERROR) {
                assertThatThrownBy(opening.log()::sealLeft).isInstanceOf(IOException.class);
            } else {
                opening.log().sealLeft(); // it is tried again when the hint file is there
            }
            assertThat(plan.toString()).contains("MANIFEST");
            assertThat(failure.get() == null).as(plan.toString()).isEqualTo(fault == Fault.OUT_OF_SPACE);
            assertThat(opening.log().segments().get(1).isSealed()).isEqualTo(fault == Fault.OUT_OF_SPACE);
            opening.log().abandon();
            failure.set(null);
        }
    }
}
