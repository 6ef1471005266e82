package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.api.spi.log.RecordScanner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The part of the log contract about appending, reading and scanning, in one life of a log. */
abstract class RecordLogAppendContract extends RecordLogFixture {
    private static final int[] LENGTHS = {0, 1, 7, 8, 4095, 65_535, 65_536, 65_537, 100 << 10, 300 << 10};

    @Test
    void whatIsAppendedIsRead() throws IOException {
        RecordLog log = open();
        long locator = log.append(draftPut(log, "key", "value", 77), 41, false);
        RecordReader reader = log.newReader();
        reader.read(locator);
        assertThat(reader.hasKey(bytes("a key"), 2, 3)).isTrue();
        assertThat(reader.hasKey(bytes("kex"), 0, 3)).isFalse();
        assertThat(reader.hasKey(bytes("ke"), 0, 2)).isFalse();
        assertThat(reader.hasKey(bytes("keyv"), 0, 4)).isFalse();
        assertThat(reader.version()).isEqualTo(41);
        assertThat(reader.expiresAt()).isEqualTo(77);
        assertThat(reader.valueLength()).isEqualTo(5);
        reader.verify();
        assertThat(reader.value()).isEqualTo(bytes("value"));
        ByteBuffer target = ByteBuffer.allocate(8).position(2);
        reader.copyValue(target);
        assertThat(target.position()).isEqualTo(7);
        assertThat(new String(target.array(), 2, 5, UTF_8)).isEqualTo("value");
        assertThat(reader.wrongKey())
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining(fileWith(disk, "value"));
        log.close();
    }

    @Test
    void keysAreComparedWithoutReadingTheValue() throws IOException {
        RecordLog log = open();
        String key = "k".repeat(500);
        long locator = put(log, key, "v".repeat(100_000));
        RecordReader reader = log.newReader();
        reader.readKey(locator, 500);
        assertThat(reader.hasKey(bytes(key), 0, 500)).isTrue();
        reader.readKey(locator, 3);
        assertThat(reader.hasKey(bytes("kkk"), 0, 3)).isFalse();
        reader.readKey(locator, 501);
        assertThat(reader.hasKey(bytes(key + "v"), 0, 501)).isFalse();
        log.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void valuesOfAllLengthsAreKept(boolean isMapped) throws IOException {
        disk.mapped(isMapped);
        RecordLog log = open();
        List<Long> locators = new ArrayList<>();
        List<byte[]> values = new ArrayList<>();
        Random random = new Random(11);
        for (int length : LENGTHS) {
            byte[] value = new byte[length];
            random.nextBytes(value);
            RecordDraft draft = log.newDraft();
            draft.put(bytes("key" + length), value, length % 2);
            locators.add(log.append(draft, nextVersion(), false));
            values.add(value);
        }
        RecordReader reader = log.newReader();
        for (int i = 0; i < LENGTHS.length; i++) {
            reader.read(locators.get(i));
            assertThat(reader.valueLength()).isEqualTo(LENGTHS[i]);
            assertThat(reader.value()).isEqualTo(values.get(i));
            reader.read(locators.get(i));
            ByteBuffer target = ByteBuffer.allocate(LENGTHS[i]);
            reader.copyValue(target);
            assertThat(target.array()).isEqualTo(values.get(i));
            reader.read(locators.get(i));
            reader.verify();
        }
        int next = 0;
        for (LogSegment segment : log.segments()) {
            RecordScanner scanner = log.scan(segment, segment.length());
            while (scanner.next()) {
                if (scanner.isPut()) {
                    assertThat(scanner.valueLength()).isEqualTo(LENGTHS[next]);
                    assertThat(scanner.value()).isEqualTo(values.get(next));
                    assertThat(scanner.locator()).isEqualTo(locators.get(next++));
                }
            }
        }
        assertThat(next).isEqualTo(LENGTHS.length);
        log.close();
    }

    @Test
    void theLongestKeyIsKept() throws IOException {
        RecordLog log = open();
        String key = "k".repeat(65_535);
        long put = put(log, key, "value");
        long tombstone = delete(log, key);
        assertThat(valueAt(log, put)).isEqualTo("value");
        RecordReader reader = log.newReader();
        reader.read(tombstone);
        assertThat(reader.hasKey(bytes(key), 0, key.length())).isTrue();
        assertThat(keys(log)).containsExactly(key, key);
        log.close();
    }

    @Test
    void locatorsAreDistinctAndNeverZero() throws IOException {
        RecordLog log = open();
        Set<Long> locators = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            assertThat(locators.add(put(log, "key" + i % 3, ""))).isTrue();
        }
        assertThat(log.segments().size()).isGreaterThan(1);
        assertThat(locators).doesNotContain(0L);
        log.close();
    }

    @Test
    void aDraftIsUsedAgain() throws IOException {
        RecordLog log = open();
        RecordDraft draft = log.newDraft();
        draft.put(bytes("a"), bytes("x".repeat(70_000)), 5);
        assertThat(draft.isTombstone()).isFalse();
        assertThat(draft.length()).isGreaterThan(70_000);
        log.append(draft, nextVersion(), false);
        draft.delete(bytes("b"));
        assertThat(draft.isTombstone()).isTrue();
        assertThat(draft.length()).isLessThan(100);
        log.append(draft, nextVersion(), false);
        draft.put(bytes("c"), bytes("y"), 0);
        assertThat(draft.isTombstone()).isFalse();
        log.append(draft, nextVersion(), false);
        assertThat(scan(log))
                .containsExactly(
                        new Shown("a", "x".repeat(70_000), 1, 5),
                        new Shown("b", null, 2, 0),
                        new Shown("c", "y", 3, 0));
        log.close();
    }

    @Test
    void aDraftTellsTheLengthOfItsRecord() throws IOException {
        RecordLog log = open();
        put(log, "first", "");
        for (RecordDraft draft :
                List.of(draftPut(log, "k", "", 0), draftPut(log, "key", "value", 99), draftDelete(log, "key"))) {
            LogSegment segment = active(log);
            long before = segment.length();
            long written = log.writtenBytes();
            log.append(draft, nextVersion(), false);
            assertThat(segment.length() - before).isEqualTo(draft.length());
            assertThat(log.writtenBytes() - written).isEqualTo(draft.length());
        }
        log.close();
    }

    static LogSegment active(RecordLog log) {
        LogSegment active = log.active();
        if (active == null) {
            throw new AssertionError("no active segment");
        }
        return active;
    }

    @Test
    void locatorsTellWhetherRecordsExpire() throws IOException {
        RecordLog log = open();
        assertThat(log.expires(put(log, "a", "", 1))).isTrue();
        assertThat(log.expires(put(log, "b", "", Long.MAX_VALUE))).isTrue();
        assertThat(log.expires(put(log, "c", ""))).isFalse();
        assertThat(log.expires(delete(log, "a"))).isFalse();
        assertThat(scan(log).get(1).expiresAt()).isEqualTo(Long.MAX_VALUE);
        log.close();
    }

    @Test
    void aScanShowsRecordsInTheirOrder() throws IOException {
        RecordLog log = open();
        long put = put(log, "key", "value", 9);
        long tombstone = delete(log, "key");
        RecordScanner scanner = log.scan(active(log), active(log).length());
        assertThat(scanner.next()).isTrue();
        assertThat(scanner.isPut()).isTrue();
        assertThat(scanner.isTombstone()).isFalse();
        assertThat(scanner.isInBatch()).isFalse();
        assertThat(scanner.locator()).isEqualTo(put);
        assertThat(scanner.keyLength()).isEqualTo(3);
        assertThat(Arrays.copyOfRange(scanner.buffer(), scanner.keyOffset(), scanner.keyOffset() + 3))
                .isEqualTo(bytes("key"));
        assertThat(scanner.expiresAt()).isEqualTo(9);
        assertThat(scanner.next()).isTrue();
        assertThat(scanner.isPut()).isFalse();
        assertThat(scanner.isTombstone()).isTrue();
        assertThat(scanner.locator()).isEqualTo(tombstone);
        assertThat(scanner.key()).isEqualTo(bytes("key"));
        assertThat(scanner.next()).isFalse();
        assertThat(scanner.next()).isFalse();
        log.close();
    }

    @Test
    void aScanEndsWhereItIsTold() throws IOException {
        RecordLog log = open();
        put(log, "first", "");
        long end = active(log).length();
        put(log, "second", "");
        RecordScanner scanner = log.scan(active(log), end);
        assertThat(scanner.next()).isTrue();
        assertThat(scanner.key()).isEqualTo(bytes("first"));
        assertThat(scanner.next()).isFalse();
        log.close();
    }

    @Test
    void batchesAreMarkedInAScan() throws IOException {
        RecordLog log = open();
        put(log, "before", "");
        long[] one = batch(log, batch -> {
            put(batch, "a", "1", 0);
            delete(batch, "b");
        });
        long[] two = batch(log, batch -> put(batch, "c", "3", 8));
        put(log, "after", "");
        assertThat(valueAt(log, one[0])).isEqualTo("1");
        assertThat(valueAt(log, two[0])).isEqualTo("3");
        StringBuilder marks = new StringBuilder();
        RecordScanner scanner = log.scan(active(log), active(log).length());
        while (scanner.next()) {
            boolean isRecord = scanner.isPut() || scanner.isTombstone();
            marks.append(scanner.isInBatch() ? "(" : "|").append(isRecord ? new String(scanner.key(), UTF_8) : "");
        }
        assertThat(marks.toString()).isEqualTo("|before(a(b|(c||after");
        assertThat(scan(log))
                .extracting(Shown::version)
                .as("each record of a batch has a version of its own")
                .containsExactly(1L, 2L, 3L, 4L, 5L);
        log.close();
    }

    @Test
    void aBatchMayHaveLongValues() throws IOException {
        RecordLog log = open();
        long[] locators = batch(log, batch -> {
            for (int length : LENGTHS) {
                put(batch, "key" + length, "v".repeat(length), 0);
            }
        });
        for (int i = 0; i < LENGTHS.length; i++) {
            assertThat(valueAt(log, locators[i])).hasSize(LENGTHS[i]);
        }
        assertThat(keys(log)).hasSize(LENGTHS.length);
        assertThat(log.maxBatchLength()).isGreaterThan(SEGMENT_BYTES);
        log.close();
    }

    // ---------------------------------------------------------------- segments

    @Test
    void segmentsAreLeftAtTheirGreatestLength() throws IOException {
        RecordLog log = open();
        assertThat(log.maxSegmentBytes()).isEqualTo(SEGMENT_BYTES);
        int count = fill(log, 4, 100);
        for (LogSegment segment : log.segments()) {
            assertThat(segment.length()).isLessThanOrEqualTo(SEGMENT_BYTES);
        }
        assertThat(count).isGreaterThan(60); // and they are not left long before
        put(log, "long", "v".repeat((int) SEGMENT_BYTES));
        assertThat(scan(log, active(log)))
                .as("a record that is too long has its own")
                .hasSize(1);
        put(log, "next", "");
        assertThat(scan(log, active(log))).hasSize(1);
        batch(log, batch -> {
            put(batch, "a", "v".repeat(3000), 0);
            put(batch, "b", "v".repeat(3000), 0);
        });
        assertThat(scan(log, active(log)))
                .as("a batch is never spread over segments")
                .hasSize(2);
        log.close();
    }

    @Test
    void segmentsAreInTheOrderOfTheLog() throws IOException {
        RecordLog log = open();
        long previous = 0;
        long position = log.position();
        for (int i = 0; i < 200; i++) {
            long locator = put(log, "key", "v".repeat(50));
            assertThat(log.position()).isGreaterThan(position);
            position = log.position();
            if (previous != 0) {
                assertThat(log.isAfter(locator, previous)).isTrue();
                assertThat(log.isAfter(previous, locator)).isFalse();
            }
            assertThat(log.isAfter(locator, locator)).isFalse();
            previous = locator;
        }
        assertThat(log.segments().size()).isGreaterThan(3);
        assertThat(log.segments()).extracting(LogSegment::id).isSorted().doesNotHaveDuplicates();
        assertThat(scan(log)).extracting(Shown::version).isSorted().hasSize(200);
        log.close();
    }

    @Test
    void segmentsAreFoundByTheSlotInALocator() throws IOException {
        RecordLog log = open();
        long first = put(log, "first", "");
        @Nullable LogSegment[] before = log.slots();
        @Nullable LogSegment[] copy = before.clone();
        fill(log, 3, 100);
        long last = put(log, "last", "");
        assertThat(before).as("the array does not change").containsExactly(copy);
        assertThat(log.segment(first)).isSameAs(log.segments().get(0));
        assertThat(log.segment(last)).isSameAs(log.active());
        for (LogSegment segment : log.segments()) {
            assertThat(log.slots()[segment.slot()]).isSameAs(segment);
        }
        log.close();
    }

    @Test
    void aLeftSegmentIsSealedAndStaysReadable() throws IOException {
        List<Runnable> tasks = new ArrayList<>();
        RecordLog log = open(disk, options(tasks::add, false, true)).log();
        assertThat(log.active()).isNull();
        long locator = put(log, "key", "value");
        RecordReader reader = log.newReader();
        LogSegment segment = active(log);
        assertThat(segment.isSealed()).isFalse();
        assertThat(segment.isMerged()).isFalse();
        assertThat(segment.lastVersion()).isEqualTo(1);
        log.leaveActive();
        assertThat(log.active()).isNull();
        assertThat(segment.isSealed()).as("sealing is for the background").isFalse();
        long position = log.position();
        log.sealLeft();
        assertThat(segment.isSealed()).isTrue();
        assertThat(sealed.get()).isEqualTo(1);
        assertThat(log.position()).isGreaterThanOrEqualTo(position);
        reader.read(locator);
        assertThat(reader.value()).isEqualTo(bytes("value"));
        put(log, "next", "");
        assertThat(active(log)).isNotSameAs(segment);
        assertThat(active(log).id()).isGreaterThan(segment.id());
        tasks.forEach(Runnable::run);
        assertThat(keys(log)).containsExactly("key", "next");
        log.close();
    }

    @Test
    void readersAreAwaitedBeforeAHandleIsClosed() throws IOException {
        RecordLog log = open();
        put(log, "key", "");
        LogSegment segment = active(log);
        int before = awaited.get();
        log.leaveActive();
        log.sealLeft();
        assertThat(awaited.get()).as("sealing exchanges the handle").isGreaterThan(before);
        int atRemoval = awaited.get();
        disk.observer(call -> {
            if (call.operation() == IoOperation.DELETE) {
                assertThat(awaited.get()).isGreaterThan(atRemoval);
            }
        });
        log.remove(segment);
        assertThat(awaited.get()).isGreaterThan(atRemoval);
        assertThat(log.segments()).isEmpty();
        log.abandon();
    }

    // ---------------------------------------------------------------- accounting

    @Test
    void liveAndDeadBytesAreCounted() throws IOException {
        RecordLog log = open();
        RecordDraft draft = draftPut(log, "key", "value", 0);
        long locator = log.append(draft, nextVersion(), false);
        LogSegment segment = active(log);
        assertThat(segment.liveBytes()).isEqualTo(draft.length());
        assertThat(segment.deadBytes()).isZero();
        log.markDead(locator);
        assertThat(segment.liveBytes()).isZero();
        assertThat(segment.deadBytes()).isEqualTo(draft.length());
        log.markLive(locator);
        assertThat(segment.liveBytes()).isEqualTo(draft.length());
        RecordDraft tombstone = draftDelete(log, "other");
        log.append(tombstone, nextVersion(), false);
        assertThat(segment.liveBytes()).isEqualTo(draft.length());
        assertThat(segment.deadBytes()).as("a tombstone is dead").isEqualTo(tombstone.length());
        long[] locators = batch(log, batch -> {
            put(batch, "a", "", 0);
            delete(batch, "b");
        });
        assertThat(segment.liveBytes())
                .isEqualTo(draft.length() + draftPut(log, "a", "", 0).length());
        log.markDead(locators[0]);
        assertThat(segment.liveBytes()).isEqualTo(draft.length());
        log.close();
    }

    @Test
    void aFilterNeverDeniesAKeyOfItsSegment() throws IOException {
        RecordLog log = open();
        for (int i = 0; i < 500; i++) {
            if (i % 5 == 0) {
                delete(log, "key" + i);
            } else {
                put(log, "key" + i, "");
            }
        }
        log.leaveActive();
        log.sealLeft();
        for (LogSegment segment : log.segments()) {
            KeyFilter filter = log.keyFilter(segment);
            if (filter != null) {
                for (Shown shown : scan(log, segment)) {
                    byte[] key = bytes(shown.key());
                    assertThat(filter.mayContain(key, 0, key.length))
                            .as(shown.key())
                            .isTrue();
                    assertThat(filter.mayContain(bytes("x" + shown.key()), 1, key.length))
                            .isTrue();
                }
            }
        }
        log.close();
    }

    // ---------------------------------------------------------------- failures

    @Test
    void onAFullDiskNothingIsAppendedNowOrLater() throws IOException {
        RecordLog log = open();
        put(log, "key", "value");
        long used = 0;
        for (String name : disk.list()) {
            used += disk.length(name);
        }
        disk.capacity(used + 20).shortWrites(true);
        long position = log.position();
        assertThatThrownBy(() -> put(log, "lost", "v".repeat(100))).isInstanceOf(OutOfSpaceException.class);
        assertThatThrownBy(() -> batch(log, batch -> put(batch, "lost", "v".repeat(70_000), 0)))
                .isInstanceOf(OutOfSpaceException.class);
        assertThat(log.position()).isGreaterThanOrEqualTo(position);
        assertThat(keys(log)).containsExactly("key");
        assertThat(content(open(disk.peekKill().capacity(1 << 20)))).containsOnlyKeys("key");
        disk.capacity(1 << 20);
        put(log, "next", "value");
        assertThat(keys(log)).containsExactly("key", "next");
        assertThat(content(open(disk.kill()))).containsOnlyKeys("key", "next");
    }

    @Test
    void aFailedForceIsToldToWriterAndOwner() throws IOException {
        FaultPlan counting = FaultPlan.counting().only(IoOperation.FORCE);
        open(counting.wrap(disk.peekKill())).log().abandon();
        FaultPlan plan = FaultPlan.failing(counting.calls()).only(IoOperation.FORCE);
        RecordLog log = open(plan.wrap(disk)).log();
        put(log, "key", "value");
        assertThat(failure.get()).isNull();
        assertThatThrownBy(() -> log.sync(log.position())).isInstanceOf(IOException.class);
        assertThat(failure.get()).isNotNull();
        log.abandon();
    }
}
