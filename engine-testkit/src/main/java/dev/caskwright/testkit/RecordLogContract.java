package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.log.LogMerge;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.MergeOutput;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordScanner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * What every {@link RecordLog} promises. The test of an implementation is a class with one method:
 *
 * <pre>{@code
 * final class SegmentedLogTest extends RecordLogContract {
 *     @Override
 *     protected RecordLogFactory factory() {
 *         return new SegmentedLogFactory();
 *     }
 * }
 * }</pre>
 *
 * <p>The logs lie on simulated disks, which are killed, lose their power, fill up and fail.
 */
public abstract class RecordLogContract extends RecordLogRecoveryContract {
    private static final int POWER_LOSSES = 12;

    /** A merge that was not committed yet. */
    private record Merge(LogMerge begun, List<LogSegment> inputs, List<MergeOutput> outputs) {
        void commit() throws IOException {
            begun.commit(inputs, segments());
        }

        List<LogSegment> segments() {
            return new ArrayList<>(outputs.stream().map(MergeOutput::segment).toList());
        }
    }

    /** Writes keys, overwrites half of them and deletes a few, over several segments. */
    private Map<String, String> writeLife(RecordLog log) throws IOException {
        for (int i = 0; i < 60; i++) {
            put(log, "key" + i, "old " + "v".repeat(i), i % 7 == 0 ? 90 : 0);
        }
        for (int i = 0; i < 60; i += 2) {
            put(log, "key" + i, "new " + i);
        }
        for (int i = 0; i < 60; i += 5) {
            delete(log, "key" + i);
        }
        batch(log, batch -> {
            put(batch, "one", "1", 0);
            put(batch, "two", "2", 0);
        });
        return current(log);
    }

    /** Returns what the log says by its order: of two records of a key the later one counts. */
    private static Map<String, String> current(RecordLog log) throws IOException {
        Map<String, String> content = new TreeMap<>();
        for (Shown shown : scan(log)) {
            if (shown.value() == null) {
                content.remove(shown.key());
            } else {
                content.put(shown.key(), shown.value());
            }
        }
        return content;
    }

    /** Copies what counts of all segments; tombstones go, since every segment that could need them is an input. */
    private Merge merge(RecordLog log, Map<String, String> content) throws IOException {
        LogMerge begun = log.beginMerge(20);
        assertThat(log.active()).isNull();
        log.sealLeft();
        List<LogSegment> inputs = log.segments();
        List<MergeOutput> outputs = new ArrayList<>();
        MergeOutput output = null;
        for (LogSegment input : inputs) {
            RecordScanner scanner = log.scan(input, input.length());
            while (scanner.next()) {
                String value = scanner.isPut() ? content.get(new String(scanner.key(), UTF_8)) : null;
                if (value == null || !value.equals(new String(scanner.value(), UTF_8))) {
                    continue;
                }
                if (output == null || !output.hasRoomFor(scanner)) {
                    if (output != null) {
                        output.finish();
                    }
                    output = begun.newOutput();
                    assertThat(output.hasRoomFor(scanner)).isTrue();
                    outputs.add(output);
                }
                output.copy(scanner);
            }
        }
        if (output != null) {
            output.finish();
        }
        return new Merge(begun, inputs, outputs);
    }

    @Test
    void aMergeReplacesItsInputsByItsOutputs() throws IOException {
        RecordLog log = open();
        Map<String, String> content = writeLife(log);
        long lastVersion = scan(log).stream().mapToLong(Shown::version).max().orElseThrow();
        Merge merge = merge(log, content);
        assertThat(merge.outputs().size()).isBetween(1, merge.inputs().size() - 1);
        List<Shown> copied = new ArrayList<>();
        for (LogSegment output : merge.segments()) {
            assertThat(output.isMerged()).isTrue();
            assertThat(output.isSealed()).isTrue();
            assertThat(output.length()).isLessThanOrEqualTo(SEGMENT_BYTES);
            assertThat(output.lastVersion())
                    .isEqualTo(scan(log, output).stream()
                            .mapToLong(Shown::version)
                            .max()
                            .orElseThrow());
            copied.addAll(scan(log, output));
        }
        put(log, "one", "after");
        content.put("one", "after");
        merge.commit();
        assertThat(log.changesFrom()).isEqualTo(lastVersion);
        for (LogSegment input : merge.inputs()) {
            assertThat(scan(log, input))
                    .as("inputs stay readable until removed")
                    .isNotEmpty();
            log.remove(input);
        }
        assertThat(log.segments()).doesNotContainAnyElementsOf(merge.inputs());
        assertThat(current(log)).isEqualTo(content);
        assertThat(copied).extracting(Shown::key).doesNotHaveDuplicates();
        Opened reopened = open(disk.kill());
        assertThat(content(reopened)).isEqualTo(content);
        assertThat(scan(reopened.log()).subList(0, copied.size())).isEqualTo(copied);
        assertThat(reopened.log().changesFrom()).isEqualTo(lastVersion);
        reopened.log().close();
    }

    @Test
    void laterWritesAreLaterThanTheOutputs() throws IOException {
        RecordLog log = open();
        put(log, "key", "old");
        Map<String, String> content = current(log);
        LogMerge merge = log.beginMerge(3);
        long later = put(log, "key", "new");
        log.sealLeft();
        LogSegment input = log.segments().get(0);
        MergeOutput output = merge.newOutput();
        MergeOutput second = merge.newOutput();
        MergeOutput third = merge.newOutput();
        assertThat(input.id()).isLessThan(output.segment().id());
        assertThat(output.segment().id()).isLessThan(second.segment().id());
        assertThat(second.segment().id()).isLessThan(third.segment().id());
        assertThat(third.segment().id()).isLessThan(log.segment(later).id());
        assertThatThrownBy(merge::newOutput)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
        for (MergeOutput unused : List.of(second, third)) {
            unused.close();
            log.remove(unused.segment());
        }
        RecordScanner scanner = log.scan(input, input.length());
        assertThat(scanner.next()).isTrue();
        output.copy(scanner);
        output.finish();
        output.visitCopies((source, offset, length, oldLocator, newLocator) -> {
            assertThat(log.isAfter(later, newLocator)).isTrue();
            assertThat(log.isAfter(newLocator, oldLocator)).isTrue();
        });
        merge.commit(List.of(input), List.of(output.segment()));
        log.remove(input);
        assertThat(content).containsEntry("key", "old");
        assertThat(content(open(disk.kill()))).containsEntry("key", "new");
    }

    @Test
    void copiesKeepVersionAndExpiryAndStandForThemselves() throws IOException {
        RecordLog log = open();
        long[] old = batch(log, batch -> {
            put(batch, "a", "1", 55);
            put(batch, "gone", "2", 66);
            put(batch, "b", "v".repeat(70_000), 0);
        });
        LogMerge merge = log.beginMerge(2);
        log.sealLeft();
        LogSegment input = log.segments().get(0);
        MergeOutput output = merge.newOutput();
        MergeOutput second = merge.newOutput();
        RecordScanner scanner = log.scan(input, input.length());
        while (scanner.next()) {
            if (scanner.isPut()) {
                assertThat(scanner.isInBatch()).isTrue();
                MergeOutput target = output.hasRoomFor(scanner) ? output : second;
                if (new String(scanner.key(), UTF_8).equals("gone")) {
                    target.copyAsTombstone(scanner);
                } else {
                    target.copy(scanner);
                }
            }
        }
        output.finish();
        second.finish();
        Map<Long, Long> moved = new HashMap<>();
        Map<Long, String> keys = new HashMap<>();
        for (MergeOutput each : List.of(output, second)) {
            each.visitCopies((source, offset, length, oldLocator, newLocator) -> {
                moved.put(oldLocator, newLocator);
                keys.put(oldLocator, new String(source, offset, length, UTF_8));
                assertThat(log.segment(newLocator)).isSameAs(each.segment());
            });
            RecordScanner copies = log.scan(each.segment(), each.segment().length());
            while (copies.next()) {
                assertThat(copies.isInBatch()).isFalse();
            }
        }
        assertThat(keys).as("only puts are visited").isEqualTo(Map.of(old[0], "a", old[2], "b"));
        assertThat(valueAt(log, requireNonNull(moved.get(old[0])))).isEqualTo("1");
        assertThat(valueAt(log, requireNonNull(moved.get(old[2])))).hasSize(70_000);
        assertThat(log.expires(requireNonNull(moved.get(old[0])))).isTrue();
        assertThat(log.expires(requireNonNull(moved.get(old[2])))).isFalse();
        assertThat(scan(log, output.segment()))
                .containsExactly(new Shown("a", "1", 1, 55), new Shown("gone", null, 2, 0));
        assertThat(scan(log, second.segment()).get(0).version()).isEqualTo(3);
        merge.commit(List.of(input), List.of(output.segment(), second.segment()));
        log.remove(input);
        assertThat(content(open(disk.kill()))).containsOnlyKeys("a", "b");
    }

    @Test
    void outputsThatWereNotCommittedVanish() throws IOException {
        RecordLog log = open();
        Map<String, String> content = writeLife(log);
        merge(log, content);
        Set<String> before = new HashSet<>(disk.list());
        for (CrashableIoManager image : List.of(disk.peekKill(), disk.peekPowerLoss(1))) {
            Opened opened = open(image);
            assertThat(content(opened)).isEqualTo(content);
            assertThat(opened.log().segments()).noneMatch(LogSegment::isMerged);
            assertThat(image.list().size()).isLessThan(before.size());
        }
        log.close();
    }

    @Test
    void anOutputCanBeRemovedAgain() throws IOException {
        RecordLog log = open();
        Map<String, String> content = writeLife(log);
        Merge merge = merge(log, content);
        for (LogSegment output : merge.segments()) {
            log.remove(output);
        }
        assertThat(log.segments()).isEqualTo(merge.inputs());
        assertThat(current(log)).isEqualTo(content);
        put(log, "more", "");
        content.put("more", "");
        assertThat(content(open(disk.kill()))).isEqualTo(content);
    }

    @Test
    void aMergeSurvivesACrashAtEveryCall() throws IOException {
        RecordLog log = open();
        Map<String, String> content = writeLife(log);
        log.sync(log.position());
        Set<Boolean> merged = new HashSet<>();
        disk.observer(call -> {
            for (long seed = 0; seed < POWER_LOSSES; seed++) {
                merged.add(judge(disk.peekPowerLoss(seed), content, call + ", seed=" + seed));
            }
            merged.add(judge(disk.peekKill(), content, call + ", killed"));
        });
        Merge merge = merge(log, content);
        assertThat(merged).as("nothing counts before the commit").containsExactly(false);
        merge.commit();
        merged.clear();
        for (LogSegment input : merge.inputs()) {
            log.remove(input);
        }
        assertThat(merged).as("everything counts after the commit").containsExactly(true);
        disk.observer(null);
        log.close();
    }

    /** Returns whether the merge took place in this image. */
    private boolean judge(CrashableIoManager image, Map<String, String> content, String context) {
        try {
            Opened opened = open(image);
            assertThat(content(opened)).as(context).isEqualTo(content);
            List<LogSegment> segments = opened.log().segments();
            boolean isMerged = segments.get(0).isMerged();
            assertThat(segments).as("%s: all or nothing", context).allMatch(each -> each.isMerged() == isMerged);
            return isMerged;
        } catch (IOException e) {
            throw new AssertionError(context, e);
        }
    }

    @Test
    void aMergeWithoutRoomDidNotTakePlace() throws IOException {
        CrashableIoManager full = new CrashableIoManager();
        Map<String, String> content = writeLife(open(full).log());
        FaultPlan opening = spaceless(Long.MAX_VALUE);
        open(opening.wrap(full.peekKill())).log().abandon();
        int refusals = 0;
        for (long n = opening.calls(); ; n++) {
            CrashableIoManager own = full.peekKill();
            FaultPlan plan = spaceless(n);
            RecordLog log = open(plan.wrap(own)).log();
            boolean isRefused = false;
            try {
                Merge merge = merge(log, content);
                merge.commit();
            } catch (OutOfSpaceException e) {
                isRefused = true;
                refusals++;
            }
            // What had no room may have been a cache, which is no reason to refuse.
            assertThat(judge(own.kill(), content, plan.toString())).isEqualTo(!isRefused);
            if (!plan.hasFired()) {
                assertThat(refusals).isGreaterThan(2);
                return;
            }
        }
    }

    private static FaultPlan spaceless(long n) {
        return FaultPlan.failing(n).only(IoOperation.WRITE, IoOperation.CREATE).with(Fault.OUT_OF_SPACE);
    }

    @Test
    void theLastVersionOutlivesItsRecord() throws IOException {
        RecordLog log = open();
        put(log, "key", "");
        long tombstone = delete(log, "key");
        long version = scan(log, log.segment(tombstone)).get(1).version();
        Merge merge = merge(log, Map.of());
        assertThat(merge.outputs()).isEmpty();
        log.beginDrop().commit(merge.inputs(), List.of());
        for (LogSegment input : merge.inputs()) {
            log.remove(input);
        }
        log.close();
        Opened opened = open(disk);
        assertThat(opened.log().segments()).isEmpty();
        assertThat(opened.log().lastVersion()).isEqualTo(version);
        opened.log().close();
        assertThat(open(disk.powerLoss(0)).log().lastVersion()).isEqualTo(version);
    }
}
