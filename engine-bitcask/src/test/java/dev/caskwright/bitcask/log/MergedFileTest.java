package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.log.LogMerge;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.merge.MergedFile;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a merge writes: how, and what the file says of itself when it is done. */
final class MergedFileTest {
    private static final int PIECE = 2 << 20; // what is written at once

    private final CrashableIoManager disk = new CrashableIoManager();
    private RecordLog log = open(1 << 30);
    private long version;

    private RecordLog open(long maxSegmentBytes) {
        try {
            RecordLogOpening opening = new SegmentedLogFactory()
                    .open(
                            disk,
                            disk,
                            new RecordLogOptions(
                                    maxSegmentBytes,
                                    false,
                                    true,
                                    () -> 1,
                                    Runnable::run,
                                    () -> {},
                                    () -> {},
                                    cause -> {}));
            opening.finish();
            return opening.log();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void close() throws IOException {
        log.close();
    }

    private static byte[] key(int number) {
        return KeyValues.bytes("key" + number);
    }

    private long append(int number, int valueLength, long expiry) throws IOException {
        RecordDraft draft = log.newDraft();
        draft.put(key(number), new byte[valueLength], expiry);
        return log.append(draft, ++version, false);
    }

    /** Leaves the active file, and returns it with the output of a merge. */
    private MergedFile beginMerge() throws IOException {
        LogMerge merge = log.beginMerge(1);
        log.sealLeft();
        disk.clearLog();
        return (MergedFile) merge.newOutput();
    }

    private FileScanner scanInput() {
        LogSegment input = log.segments().get(0);
        return (FileScanner) log.scan(input, input.length());
    }

    private List<IoCall> calls(IoOperation operation, String name) {
        return disk.log().stream()
                .filter(call -> call.operation() == operation && call.file().equals(name))
                .toList();
    }

    @Test
    void manyRecordsAreWrittenInLongPieces() throws IOException {
        Map<Long, Integer> numbers = new HashMap<>();
        int records = 20_000; // more than fit into a piece, and one that is longer
        for (int i = 0; i < records; i++) {
            numbers.put(append(i, i == 15_000 ? 2 * PIECE : i % 400, i % 5), i);
        }
        MergedFile output = beginMerge();
        DataFile file = output.segment();
        FileScanner scanner = scanInput();
        while (scanner.next()) {
            if (scanner.isPut()) {
                output.copy(scanner);
            }
        }
        long beforeTheEnd = file.length();
        output.finish();
        assertPieces(calls(IoOperation.WRITE, file.name()), file.length());
        assertThat(beforeTheEnd).as("what is written so far").isLessThan(file.length());

        RecordReader reader = log.newReader();
        List<Integer> copied = new ArrayList<>();
        long[] live = {0};
        output.visitCopies((source, offset, length, oldLocator, newLocator) -> {
            int number = numbers.get(oldLocator);
            copied.add(number);
            assertThat(log.segment(newLocator)).isSameAs(file);
            assertThat(log.expires(newLocator)).isEqualTo(number % 5 != 0);
            reader.read(newLocator);
            assertThat(reader.hasKey(key(number), 0, key(number).length)).isTrue();
            assertThat(new String(source, offset, length)).isEqualTo("key" + number);
            assertThat(reader.version()).isEqualTo(number + 1);
            assertThat(reader.expiresAt()).isEqualTo(number % 5);
            reader.verify();
            live[0] += Locator.size(newLocator);
        });
        assertThat(copied).hasSize(records).isSorted().doesNotHaveDuplicates();
        assertThat(file.liveBytes()).as("the index does not refer to it yet").isZero();
        assertThat(live[0]).isPositive();
        assertThat(file.sealedEntry())
                .isEqualTo(new Manifest.Sealed(file.id(), true, file.length(), 1, records, file.history()));
    }

    private static void assertPieces(List<IoCall> writes, long end) {
        assertThat(writes.get(0).length()).isEqualTo(DataFile.HEADER_LENGTH);
        long next = DataFile.HEADER_LENGTH;
        for (IoCall write : writes.subList(1, writes.size())) {
            assertThat(write.offset()).isEqualTo(next);
            next += write.length();
        }
        assertThat(next).isEqualTo(end);
        // The header, a piece, what came with the long record up to the next multiple, a piece, and the rest.
        assertThat(writes).hasSize(5);
        assertThat(writes.subList(2, 5)).allMatch(write -> write.offset() % PIECE == 0);
        assertThat(writes.get(2).length()).isEqualTo(2 * PIECE);
        assertThat(writes.get(4).length()).isLessThan(PIECE);
    }

    /** A piece ends where it has to, in the middle of a record if need be. */
    @Test
    void piecesEndAtMultiplesOfTheirLength() throws IOException {
        int length = 1 << 10;
        for (int i = 0; i < 2 * PIECE / length; i++) {
            append(1_000 + i, length - RecordFormat.SHORT_HEADER - key(1_000).length, 0);
        }
        MergedFile output = beginMerge();
        FileScanner scanner = scanInput();
        while (scanner.next()) {
            if (scanner.isPut()) {
                assertThat(scanner.length()).isEqualTo(length);
                output.copy(scanner);
            }
        }
        output.finish();
        assertThat(calls(IoOperation.WRITE, output.segment().name()))
                .extracting(IoCall::length)
                .containsExactly(64L, PIECE - 64L, (long) PIECE, 64L);
    }

    @Test
    void whatHasRoomFillsTheFileToTheLastByte() throws IOException {
        log.close();
        log = open(4_096);
        int length = (4_096 - DataFile.HEADER_LENGTH) / 4;
        for (int i = 0; i < 5; i++) {
            append(i, length - RecordFormat.SHORT_HEADER - key(i).length, 0);
        }
        MergedFile output = beginMerge();
        List<Boolean> hadRoom = new ArrayList<>();
        for (LogSegment input : log.segments()) {
            FileScanner scanner = (FileScanner) log.scan(input, input.length());
            while (!input.isMerged() && scanner.next()) {
                if (scanner.isPut()) {
                    assertThat(scanner.length()).isEqualTo(length);
                    hadRoom.add(output.hasRoomFor(scanner));
                    output.copy(scanner);
                }
            }
        }
        assertThat(hadRoom).containsExactly(true, true, true, true, false);
        output.finish();
    }

    /** Or it would have none anywhere. */
    @Test
    void anEmptyFileHasRoomForTheLongestRecord() throws IOException {
        log.close();
        log = open(4_096);
        append(1, 10_000, 0);
        append(2, 10, 0);
        MergedFile output = beginMerge();
        FileScanner scanner = scanInput();
        assertThat(scanner.next()).isTrue();
        assertThat(output.hasRoomFor(scanner)).isTrue();
        output.copy(scanner);
        scanner = (FileScanner)
                log.scan(log.segments().get(1), log.segments().get(1).length());
        assertThat(scanner.next()).isTrue();
        assertThat(output.hasRoomFor(scanner)).isFalse();
        output.finish();
    }

    @Test
    void aCopyDoesNotSayHowFarTheLogWasDurable() throws IOException {
        append(1, 10, 0);
        log.sync(log.position());
        append(2, 10, 7);
        append(3, 10, 7);
        MergedFile output = beginMerge();
        FileScanner scanner = scanInput();
        assertThat(scanner.next()).isTrue();
        assertThat(scanner.next()).isTrue();
        assertThat(scanner.distance()).isNotEqualTo(RecordFormat.DISTANCE_UNKNOWN);
        output.copy(scanner);
        assertThat(scanner.next()).isTrue();
        output.copyAsTombstone(scanner);
        output.finish();
        DataFile file = output.segment();
        FileScanner copies = (FileScanner) log.scan(file, file.length());
        assertThat(copies.next()).isTrue();
        assertThat(copies.distance()).isEqualTo(RecordFormat.DISTANCE_UNKNOWN);
        assertThat(copies.next()).isTrue();
        assertThat(copies.distance()).isEqualTo(RecordFormat.DISTANCE_UNKNOWN);
        assertThat(copies.isTombstone()).isTrue();
        assertThat(copies.key()).isEqualTo(key(3));
        assertThat(copies.version()).isEqualTo(3);
        assertThat(copies.next()).isFalse();
    }

    @Test
    void afterItsEndItIsDurableHasHintsAndIsNotWrittenToAnyMore() throws IOException {
        append(1, 10, 0);
        MergedFile output = beginMerge();
        DataFile file = output.segment();
        FileScanner scanner = scanInput();
        assertThat(scanner.next()).isTrue();
        output.copy(scanner);
        assertThat(file.isSealed()).isFalse();
        assertThat(file.hasHints()).isFalse();
        assertThat(log.keyFilter(file)).isNull();
        output.finish();
        assertThat(file.isSealed()).isTrue();
        assertThat(disk.list()).contains(FileNames.hint(file.id()));
        KeyFilter filter = log.keyFilter(file);
        assertThat(filter).isNotNull();
        assertThat(filter.mayContain(key(1), 0, key(1).length)).isTrue();
        assertThat(file.hasReadersHandle()).isTrue();
        assertThatThrownBy(file::writable).isInstanceOf(IllegalStateException.class);
        // What it forced is all that it wrote.
        List<IoCall> calls = disk.log().stream()
                .filter(call -> call.file().equals(file.name()))
                .toList();
        assertThat(calls)
                .extracting(IoCall::operation)
                .startsWith(IoOperation.CREATE)
                .endsWith(IoOperation.FORCE)
                .containsOnlyOnce(IoOperation.FORCE);
    }
}
