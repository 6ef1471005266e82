package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.log.ImageOutput;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.SmallImageIndex;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.image.ImageFile;
import dev.caskwright.bitcask.log.keys.KeyRing;
import dev.caskwright.bitcask.log.segmented.SegmentedLog;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoOperation;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of an index as the log keeps them: what is written, what is read of them, and which one counts. */
final class ImageWriterTest {
    private static final int BLOCK = ImageFile.BLOCK_LENGTH;
    private static final String FORMAT = "a format";

    private final CrashableIoManager disk = new CrashableIoManager();
    private final Random random = new Random(3);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private SegmentedLog log;
    private long version;

    ImageWriterTest() throws IOException {
        log = open(disk);
    }

    private RecordLogOpening opening(CrashableIoManager from) throws IOException {
        return new SegmentedLogFactory()
                .open(
                        from,
                        from,
                        new RecordLogOptions(
                                4_096,
                                false,
                                true,
                                () -> 4_711,
                                Runnable::run,
                                () -> {},
                                () -> {},
                                cause -> failure.compareAndSet(null, cause)));
    }

    private SegmentedLog open(CrashableIoManager from) throws IOException {
        RecordLogOpening opening = opening(from);
        opening.finish();
        return (SegmentedLog) opening.log();
    }

    private long append(RecordLog target) throws IOException {
        RecordDraft draft = target.newDraft();
        draft.put(new byte[4], new byte[76], 0);
        return target.append(draft, ++version, false);
    }

    private byte[] random(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private ImageOutput begin() throws IOException {
        ImageOutput output = log.images().begin(FORMAT);
        assertThat(output).isNotNull();
        return output;
    }

    /** Saves an image of these bytes, written in pieces. */
    private void save(byte[] bytes) throws IOException {
        try (ImageOutput output = begin()) {
            byte[] shifted = new byte[bytes.length + 1];
            System.arraycopy(bytes, 0, shifted, 1, bytes.length);
            for (int at = 0; at < bytes.length; ) {
                int count = Math.min(bytes.length - at, 1 + random.nextInt(400_000));
                output.write(shifted, 1 + at, count);
                at += count;
            }
            output.end(log.segments());
            output.commit();
        }
    }

    private @Nullable ImageFile read() throws IOException {
        Manifest.Image image = log.manifest().image();
        return image == null
                ? null
                : ImageFile.read(
                        disk, log.manifest().store(), image, disk.list().size(), new KeyRing(null));
    }

    private List<String> images() throws IOException {
        return disk.list().stream().filter(name -> name.endsWith(".image")).toList();
    }

    /** An index that is a part of its image. */
    private abstract static class Part extends SmallImageIndex {
        final byte[] bytes;
        private final long from;

        Part(long from, int length) {
            super(() -> {});
            this.from = from;
            bytes = new byte[length];
        }

        abstract void fill(ImageSource source) throws IOException;

        @Override
        public boolean load(Image image, Refill refill) throws IOException {
            try (image;
                    ImageSource source = image.source(from, bytes.length)) {
                fill(source);
                assertThatThrownBy(() -> image.source(-1, 1)).isInstanceOf(EOFException.class);
                assertThatThrownBy(() -> image.source(0, -1)).isInstanceOf(EOFException.class);
                assertThatThrownBy(() -> image.source(1, image.length())).isInstanceOf(EOFException.class);
                image.source(image.length(), 0).close();
            }
            return true;
        }
    }

    /** Reads its part in pieces of random lengths. */
    private static final class Copy extends Part {
        Copy(long from, int length) {
            super(from, length);
        }

        @Override
        void fill(ImageSource source) throws IOException {
            Random random = new Random(8);
            for (int at = 0; at < bytes.length; ) {
                assertThat(source.remaining()).isEqualTo(bytes.length - at);
                int count = Math.min(bytes.length - at, 1 + random.nextInt(100_000));
                source.read(bytes, at, count);
                at += count;
            }
            assertThat(source.remaining()).isZero();
            assertThatThrownBy(() -> source.read(new byte[1], 0, 1)).isInstanceOf(EOFException.class);
        }
    }

    private byte[] load(ImageFile image, long from, int length) throws IOException {
        Copy copy = new Copy(from, length);
        assertThat(image.load(disk, copy, (index, wanted, cause) -> {})).isTrue();
        return copy.bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1_000, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 77, 65 * BLOCK + 5})
    void whatWasWrittenIsReadAgain(int length) throws IOException {
        append(log);
        byte[] bytes = random(length);
        save(bytes);
        ImageFile image = read();
        assertThat(image).isNotNull();
        assertThat(image.isWhole(disk)).isTrue();
        assertThat(image.table().indexBytes()).isEqualTo(length);
        assertThat(load(image, 0, length)).isEqualTo(bytes);
        for (int i = 0; i < 10 && length > 0; i++) {
            int from = random.nextInt(length);
            int count = random.nextInt(Math.min(length - from, 2 * BLOCK)) + 1;
            assertThat(load(image, from, count)).isEqualTo(Arrays.copyOfRange(bytes, from, from + count));
        }
    }

    @Test
    void theTableTellsOfTheLog() throws IOException {
        long from = log.position();
        ImageOutput output = begin();
        append(log);
        log.leaveActive();
        append(log);
        log.markDead(append(log));
        output.write(new byte[5], 0, 5);
        output.end(log.segments());
        long to = log.position();
        append(log);
        output.commit();
        ImageFile image = read();
        assertThat(image).isNotNull();
        DataFile first = (DataFile) log.segments().get(0);
        DataFile second = (DataFile) log.segments().get(1);
        assertThat(image.table())
                .isEqualTo(new ImageFile.Table(
                        from,
                        to,
                        5,
                        List.of(
                                new ImageFile.Known(first.id(), first.slot(), 64 + 104 + 24, 104),
                                new ImageFile.Known(second.id(), second.slot(), 64 + 2 * 104, 104)),
                        FORMAT));
        assertThat(log.images().bytesWithout()).as("the one past its end").isEqualTo(104);
        log.close();
    }

    /** Only the last write makes it an image. */
    @Test
    void theHeaderIsWrittenLastAndForced() throws IOException {
        for (int length : new int[] {100, BLOCK - 1, BLOCK, 2 * BLOCK + 9}) {
            append(log);
            disk.clearLog();
            save(random(length));
            String name = images().get(0);
            List<IoCall> calls = new ArrayList<>(disk.log());
            calls.removeIf(call -> !call.file().equals(name));
            assertThat(calls.get(0).operation()).isEqualTo(IoOperation.CREATE);
            // What is as long as a block is announced as long.
            assertThat(calls.get(0).length()).isEqualTo(length < BLOCK ? 64 + length : 1L << 30);
            assertThat(calls.get(1)).extracting(IoCall::offset, IoCall::length).containsExactly(0L, 64L);
            long next = 64;
            for (IoCall call : calls.subList(2, calls.size() - 2)) {
                assertThat(call.operation()).isEqualTo(IoOperation.WRITE);
                assertThat(call.offset()).isEqualTo(next);
                next += call.length();
            }
            assertThat(calls.get(calls.size() - 2))
                    .extracting(IoCall::operation, IoCall::offset, IoCall::length)
                    .containsExactly(IoOperation.WRITE, 0L, 64L);
            assertThat(calls.get(calls.size() - 1).operation()).isEqualTo(IoOperation.FORCE);
            // The blocks, and the table with one file or more.
            assertThat(calls).hasSize(5 + (length + BLOCK - 1) / BLOCK);
        }
    }

    @Test
    void damageIsFoundWhereverItIs() throws IOException {
        append(log);
        byte[] bytes = random(2 * BLOCK + 100);
        save(bytes);
        String name = images().get(0);
        byte[] sound = disk.content(name);
        ImageFile image = read();
        assertThat(image).isNotNull();
        int block = Block.HEADER_LENGTH + BLOCK;
        int tableAt = 64 + 2 * block + Block.HEADER_LENGTH + 100;
        for (int at : new int[] {64, 68, 72, 64 + block - 1, 64 + block, tableAt - 1}) {
            byte[] damaged = sound.clone();
            damaged[at] ^= 1;
            disk.install(name, damaged);
            assertThat(read()).as("the table is sound").isNotNull();
            assertThat(image.isWhole(disk)).as("at=%s", at).isFalse();
            assertThatThrownBy(() -> load(image, 0, bytes.length)).isInstanceOf(ImageFile.DamagedImageException.class);
            if (at < 64 + block) {
                assertThat(load(image, BLOCK, 100)).isEqualTo(Arrays.copyOfRange(bytes, BLOCK, BLOCK + 100));
            }
        }
        for (int at : new int[] {0, 8, 16, 32, 40, 48, 56, 60, tableAt, tableAt + 4, tableAt + 8, sound.length - 1}) {
            byte[] damaged = sound.clone();
            damaged[at] ^= 1;
            disk.install(name, damaged);
            assertThat(read()).as("at=%s", at).isNull();
        }
        for (int length : new int[] {0, 63, 64, tableAt, sound.length - 1}) {
            disk.install(name, Arrays.copyOf(sound, length));
            assertThat(read()).as("length=%s", length).isNull();
        }
        disk.install(name, Arrays.copyOf(sound, 64 + block));
        assertThat(image.isWhole(disk)).isFalse();
        assertThat(load(image, 5, BLOCK - 5)).isEqualTo(Arrays.copyOfRange(bytes, 5, BLOCK));
    }

    @Test
    void oneThatDoesNotComeToItsEndLeavesNothing() throws IOException {
        append(log);
        ImageOutput untouched = begin();
        disk.clearLog();
        untouched.close();
        assertThat(disk.log()).isEmpty();
        ImageOutput output = begin();
        output.write(new byte[BLOCK], 0, BLOCK);
        assertThat(images()).hasSize(1);
        assertThatThrownBy(output::commit).isInstanceOf(IllegalStateException.class);
        output.close();
        output.close();
        assertThat(images()).isEmpty();
        assertThat(log.manifest().image()).isNull();
    }

    @Test
    void theNewestImageCountsAndThereIsNoneOfNothing() throws IOException {
        assertThat(log.images().bytesWithout()).isZero();
        append(log);
        append(log);
        assertThat(log.images().bytesWithout()).as("no image, so the whole log").isEqualTo(64 + 2 * 104);
        save(random(100));
        String first = images().get(0);
        assertThat(log.images().bytesWithout()).isZero();
        assertThat(log.images().begin(FORMAT)).as("nothing was written since").isNull();
        append(log);
        assertThat(log.images().bytesWithout()).isEqualTo(104);
        save(random(200));
        assertThat(images()).hasSize(1).doesNotContain(first);
        Manifest.Image second = log.manifest().image();
        assertThat(second).isNotNull();
        assertThat(images()).containsExactly(second.name());
        assertThat(second.nonce()).isEqualTo(4_711);
        // Their numbers are those of files: what comes later has a higher one.
        log.leaveActive();
        append(log);
        assertThat(log.segments().get(1).id()).isGreaterThan(second.number());
        assertThat(failure.get()).isNull();
        CrashableIoManager lost = disk.peekPowerLoss(0);
        assertThat(open(lost).manifest().image()).as("not loaded").isNull();
    }

    @Test
    void whatIsBehindTheImageIsKnownAfterAnOpening() throws IOException {
        append(log);
        append(log);
        save(new byte[0]);
        append(log);
        log.sync(log.position());
        for (boolean isBehind : new boolean[] {true, false}) {
            CrashableIoManager copy = disk.peekKill();
            RecordLogOpening opening = opening(copy);
            assertThat(opening.loadImage(new Plain(), (index, wanted, cause) -> {}))
                    .isTrue();
            opening.finish();
            RecordLog next = opening.log();
            assertThat(next.images().bytesWithout()).isEqualTo(isBehind ? 104 : 0);
            assertThat(next.images().begin(FORMAT) == null).isEqualTo(!isBehind);
            next.abandon();
            log.abandon();
            log = open(copy);
            if (isBehind) {
                log.abandon();
                log = open(disk);
                save(new byte[0]);
            }
        }
    }

    // ---------------------------------------------------------------- right checksums, wrong content

    /** Changes what the table of an image without bytes says, under right checksums. */
    private void changeTable(UnaryOperator<ImageFile.Table> change) throws IOException {
        ImageFile image = read();
        assertThat(image).isNotNull();
        byte[] table = ImageFile.encodeTable(change.apply(image.table()), new int[0]);
        int length = table.length - Block.HEADER_LENGTH;
        StoreId store = log.manifest().store();
        Block.seal(table, length, ImageFile.mask(store, image.image(), ImageFile.HEADER_LENGTH));
        byte[] header = ImageFile.encodeHeader(store, image.image(), ImageFile.HEADER_LENGTH, length, false);
        byte[] content = Arrays.copyOf(header, header.length + table.length);
        System.arraycopy(table, 0, content, header.length, table.length);
        disk.install(image.image().name(), content);
        believe(content);
    }

    /** Has the manifest believe the image as it is: what is attacked here comes after the sum. */
    private void believe(byte[] content) throws IOException {
        Manifest.Image image = log.manifest().image();
        assertThat(image).isNotNull();
        log.manifest().publish(image.withSum(Sums.ofImage(content)));
    }

    private static UnaryOperator<ImageFile.Table> withFirst(UnaryOperator<ImageFile.Known> change) {
        return table -> {
            List<ImageFile.Known> files = new ArrayList<>(table.files());
            files.set(0, change.apply(files.get(0)));
            return withFiles(table, files);
        };
    }

    private static ImageFile.Table withFiles(ImageFile.Table table, List<ImageFile.Known> files) {
        return new ImageFile.Table(table.from(), table.to(), table.indexBytes(), files, table.format());
    }

    private static ImageFile.Known known(ImageFile.Known file, long id, int slot, long length) {
        return new ImageFile.Known(id, slot, length, file.liveBytes());
    }

    private static Map<String, UnaryOperator<ImageFile.Table>> impossibleTables() {
        Map<String, UnaryOperator<ImageFile.Table>> changes = new LinkedHashMap<>();
        changes.put("a negative slot", withFirst(file -> known(file, file.id(), -1, file.length())));
        changes.put("a slot too high", withFirst(file -> known(file, file.id(), Locator.MAX_SLOTS, file.length())));
        changes.put("one slot for two", withFirst(file -> known(file, file.id(), 1, file.length())));
        changes.put("an unknown file", withFirst(file -> known(file, 99, file.slot(), file.length())));
        changes.put("a longer file", withFirst(file -> known(file, file.id(), file.slot(), file.length() + 8)));
        changes.put("a file twice", table -> {
            List<ImageFile.Known> files = new ArrayList<>(table.files());
            files.add(known(files.get(0), files.get(0).id(), 7, files.get(0).length()));
            return withFiles(table, files);
        });
        changes.put("a file less", table -> withFiles(table, table.files().subList(1, 2)));
        changes.put(
                "an end before the beginning",
                table -> new ImageFile.Table(
                        table.to() + 1, table.to(), table.indexBytes(), table.files(), table.format()));
        changes.put(
                "more bytes than there are",
                table -> new ImageFile.Table(table.from(), table.to(), 5, table.files(), table.format()));
        changes.put(
                "less than no bytes",
                table -> new ImageFile.Table(table.from(), table.to(), -8, table.files(), table.format()));
        changes.put(
                "another format",
                table -> new ImageFile.Table(table.from(), table.to(), table.indexBytes(), table.files(), "other"));
        return changes;
    }

    @Test
    void anImageThatCannotBeOfThisLogIsIgnored() throws IOException {
        append(log);
        log.leaveActive();
        append(log);
        save(new byte[0]);
        log.sync(log.position());
        String name = images().get(0);
        byte[] sound = disk.content(name);
        changeTable(table -> table);
        assertThat(disk.content(name)).isEqualTo(sound);
        assertThat(isLoaded()).isTrue();
        // A slot that no other file has is as good as its own.
        changeTable(withFirst(file -> known(file, file.id(), 7, file.length())));
        assertThat(isLoaded()).isTrue();
        for (Map.Entry<String, UnaryOperator<ImageFile.Table>> each :
                impossibleTables().entrySet()) {
            disk.install(name, sound);
            believe(sound);
            changeTable(each.getValue());
            assertThat(isLoaded()).as(each.getKey()).isFalse();
        }
    }

    /** Opens a copy of the disk; returns whether its image counts. */
    private boolean isLoaded() throws IOException {
        CrashableIoManager copy = disk.peekKill();
        RecordLogOpening opening = opening(copy);
        boolean isLoaded = opening.loadImage(new Plain(), (index, wanted, cause) -> {});
        int[] visited = {0};
        for (LogSegment segment : opening.log().segments()) {
            opening.replay(segment, (tombstone, locator, source, offset, length) -> visited[0]++);
        }
        assertThat(visited[0]).as("records that are not in the image").isEqualTo(isLoaded ? 0 : 2);
        opening.finish();
        boolean isKept = copy.list().stream().anyMatch(name -> name.endsWith(".image"));
        assertThat(isKept).isEqualTo(isLoaded);
        assertThat(((SegmentedLog) opening.log()).manifest().image() != null).isEqualTo(isLoaded);
        RecordDraft draft = opening.log().newDraft();
        draft.put(new byte[4], new byte[4], 0);
        opening.log().append(draft, 9, false);
        assertThat(opening.log().segments()).hasSize(3);
        opening.log().close();
        return isLoaded;
    }

    @Test
    void aTableOfAnotherLengthIsNone() throws IOException {
        append(log);
        save(new byte[0]);
        ImageFile image = read();
        assertThat(image).isNotNull();
        byte[] table = ImageFile.encodeTable(image.table(), new int[0]);
        StoreId store = log.manifest().store();
        for (int at : new int[] {24, 28}) { // the number of files, and the length of the format's name
            for (int value : new int[] {-1, 0, 2, 9, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                byte[] changed = table.clone();
                RecordFormat.INT.set(changed, Block.HEADER_LENGTH + at, value);
                Block.seal(
                        changed,
                        table.length - Block.HEADER_LENGTH,
                        ImageFile.mask(store, image.image(), ImageFile.HEADER_LENGTH));
                byte[] content = Arrays.copyOf(disk.content(images().get(0)), 64 + table.length);
                System.arraycopy(changed, 0, content, 64, table.length);
                disk.install(images().get(0), content);
                believe(content);
                assertThat(read()).as("%s at %s", value, at).isNull();
            }
        }
    }

    /** So many that a thread of its own reads them ahead, and none that is not asked for. */
    @Test
    void onlyTheBlocksOfASliceAreRead() throws IOException {
        append(log);
        byte[] bytes = random(67 * BLOCK + 5);
        save(bytes);
        ImageFile image = read();
        assertThat(image).isNotNull();
        int[][] slices = {
            {0, 66 * BLOCK, 66},
            {BLOCK, 66 * BLOCK, 66},
            {BLOCK - 1, 65 * BLOCK + 2, 67},
            {BLOCK + 1, 65 * BLOCK, 66},
            {2 * BLOCK, 65 * BLOCK + 5, 66},
            {0, bytes.length, 68}
        };
        for (int[] slice : slices) {
            FaultPlan counting = FaultPlan.counting().only(IoOperation.READ);
            Slice index = new Slice(slice[0], slice[1]);
            assertThat(image.load(counting.wrap(disk), index, (part, wanted, cause) -> {}))
                    .isTrue();
            assertThat(index.bytes).isEqualTo(Arrays.copyOfRange(bytes, slice[0], slice[0] + slice[1]));
            assertThat(counting.calls()).as("slice=%s", slice).isEqualTo(slice[2]);
        }
    }

    /** Waits until nothing more is read of its part. */
    private static final class Slice extends Part {
        Slice(long from, int length) {
            super(from, length);
        }

        @Override
        void fill(ImageSource source) throws IOException {
            source.read(bytes, 0, bytes.length);
            while (readers().anyMatch(Thread::isAlive)) {
                Thread.onSpinWait(); // it has nothing left to read
            }
        }

        private static Stream<Thread> readers() {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("caskwright-image"));
        }
    }

    @Test
    void aSourceThatIsClosedReadsNothingMore() throws IOException {
        append(log);
        save(random(80 * BLOCK));
        ImageFile image = read();
        assertThat(image).isNotNull();
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            @Override
            public boolean load(Image from, Refill refill) throws IOException {
                try (from) {
                    ImageSource source = from.source(0, from.length());
                    source.read(new byte[9], 0, 9);
                    assertThat(Slice.readers()).isNotEmpty();
                    source.close();
                    assertThat(Slice.readers()).isEmpty();
                }
                return true;
            }
        };
        assertThat(image.load(disk, index, (part, wanted, cause) -> {})).isTrue();
    }

    /** As the first record of a file had no room. A crash may take it, and with it an image that knew it. */
    @Test
    void aFileWithoutRecordsIsNotInTheTable() throws IOException {
        append(log);
        log.leaveActive();
        long used = 0;
        for (String name : disk.list()) {
            used += disk.length(name);
        }
        disk.capacity(used + 64 + 10);
        assertThatThrownBy(() -> append(log)).isInstanceOf(OutOfSpaceException.class);
        disk.capacity(Long.MAX_VALUE);
        List<LogSegment> segments = log.segments();
        assertThat(segments).hasSize(2);
        assertThat(segments.get(1).length()).isEqualTo(64);
        save(new byte[0]);
        ImageFile image = read();
        assertThat(image).isNotNull();
        assertThat(image.table().files())
                .singleElement()
                .satisfies(
                        file -> assertThat(file.id()).isEqualTo(segments.get(0).id()));
    }

    /** What a header says of its table is compared with the file before so much is allocated. */
    @Test
    void aTableThatCannotBeThereIsNotLookedFor() throws IOException {
        append(log);
        save(new byte[0]);
        ImageFile image = read();
        assertThat(image).isNotNull();
        byte[] sound = disk.content(images().get(0));
        int length = sound.length - 64 - Block.HEADER_LENGTH;
        assertThat(withHeader(sound, image, 64, length)).isEqualTo(sound);
        long[] places = {Long.MIN_VALUE, -1, 0, 63, 65, sound.length, Long.MAX_VALUE};
        for (long tableAt : places) {
            disk.install(images().get(0), withHeader(sound, image, tableAt, length));
            believe(withHeader(sound, image, tableAt, length));
            assertThat(read()).as("tableAt=%s", tableAt).isNull();
        }
        int[] lengths = {Integer.MIN_VALUE, -1, 0, 31, length - 1, length + 1, 1 << 30, Integer.MAX_VALUE};
        for (int each : lengths) {
            disk.install(images().get(0), withHeader(sound, image, 64, each));
            believe(withHeader(sound, image, 64, each));
            assertThat(read()).as("length=%s", each).isNull();
        }
    }

    private byte[] withHeader(byte[] content, ImageFile image, long tableAt, int length) {
        byte[] changed = content.clone();
        byte[] header = ImageFile.encodeHeader(log.manifest().store(), image.image(), tableAt, length, false);
        System.arraycopy(header, 0, changed, 0, header.length);
        return changed;
    }

    @Test
    void theShortestTableIsOne() throws IOException {
        append(log);
        save(new byte[0]);
        changeTable(table -> new ImageFile.Table(table.from(), table.to(), 0, List.of(), ""));
        assertThat(disk.length(images().get(0))).isEqualTo(64 + Block.HEADER_LENGTH + 32);
        ImageFile image = read();
        assertThat(image).isNotNull();
        assertThat(image.table().files()).isEmpty();
        assertThat(image.table().format()).isEmpty();
        assertThat(image.isWhole(disk)).isTrue();
    }

    @Test
    void blocksInEachOthersPlaceAreNone() throws IOException {
        append(log);
        save(random(2 * BLOCK));
        ImageFile image = read();
        assertThat(image).isNotNull();
        byte[] content = disk.content(images().get(0));
        byte[] swapped = content.clone();
        int length = Block.HEADER_LENGTH + BLOCK;
        System.arraycopy(content, 64, swapped, 64 + length, length);
        System.arraycopy(content, 64 + length, swapped, 64, length);
        disk.install(images().get(0), swapped);
        assertThat(image.isWhole(disk)).isFalse();
    }

    /** So a block that lies on the disk from another file is none of this one. */
    @Test
    void everyBlockOfEveryFileHasAMaskOfItsOwn() {
        StoreId store = new StoreId(0x1234_5678_9ABCL, 0x0F1E_2D3CL);
        StoreId other = new StoreId(0x1234_5678_9ABCL, 0x0F1E_2D3DL);
        int mask = ImageFile.mask(store, new Manifest.Image(5, 0, 0), 64);
        assertThat(ImageFile.mask(store, new Manifest.Image(5, 0, 0), 64)).isEqualTo(mask);
        assertThat(ImageFile.mask(other, new Manifest.Image(5, 0, 0), 64)).isNotEqualTo(mask);
        assertThat(ImageFile.mask(store, new Manifest.Image(6, 0, 0), 64)).isNotEqualTo(mask);
        assertThat(ImageFile.mask(store, new Manifest.Image(5, 1, 0), 64)).isNotEqualTo(mask);
        assertThat(ImageFile.mask(store, new Manifest.Image(5, 0, 0), 72)).isNotEqualTo(mask);
        assertThat(RecordFormat.mask(RecordFormat.fileSeed(store.seed(), 5), 64))
                .as("of a data file with the same number")
                .isNotEqualTo(mask);
    }

    /** Takes any image of this format. */
    private static final class Plain extends SmallImageIndex {
        Plain() {
            super(() -> {});
        }

        @Override
        public String imageFormat() {
            return FORMAT;
        }

        @Override
        public boolean load(PersistentKeyIndex.Image image, PersistentKeyIndex.Refill refill) throws IOException {
            image.close();
            return true;
        }
    }
}
