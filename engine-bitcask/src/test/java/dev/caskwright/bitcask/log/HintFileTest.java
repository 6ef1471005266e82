package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.BlockSums;
import dev.caskwright.bitcask.log.format.BloomFilter;
import dev.caskwright.bitcask.log.format.Expiries;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.bitcask.log.hint.HintFile;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HintFileTest {
    private static final long LENGTH = RecordFormat.MAX_FILE_LENGTH;

    private static final StoreId STORE = new StoreId(11, 22);
    private static final String HINT = FileNames.hint(5);

    private final CrashableIoManager disk = new CrashableIoManager();
    private long sum; // that the manifest has

    private DataFile data(long id, long length, StoreId store) throws IOException {
        String name = FileNames.data(id);
        if (!disk.list().contains(name)) {
            disk.install(name, new byte[64]);
        }
        DataFile data = new DataFile(id, 0, false, store.seed(), disk.open(name), length);
        data.setHintSum(sum);
        return data;
    }

    private DataFile data() throws IOException {
        return data(5, LENGTH, STORE);
    }

    /** Writes a hint file of these keys; every third is a tombstone's. */
    private void write(List<byte[]> keys) throws IOException {
        HintBuilder builder = new HintBuilder();
        for (int i = 0; i < keys.size(); i++) {
            byte[] key = keys.get(i);
            builder.add(kind(i), place(i), key, 0, key.length);
        }
        assertThat(builder.count()).isEqualTo(keys.size());
        writeOnce(builder);
    }

    private void writeOnce(HintBuilder builder) throws IOException {
        DataFile data = data();
        builder.writeOnce(disk, STORE, data);
        sum = data.hintSum();
    }

    private static int kind(int i) {
        return i % 3 == 2 ? RecordFormat.DELETE : RecordFormat.PUT;
    }

    private static long place(int i) {
        return i == 0 ? Locator.of(0, 2_000_000_000, 146_800_632, true) : place(64L * i, 64);
    }

    /** Visits the hint file, checks what is visited, and returns how many entries there were; -1 less that if not sound. */
    private int visit(List<byte[]> keys, DataFile file, StoreId store) throws IOException {
        int[] next = {0};
        boolean isSound = HintFile.visit(disk, store, file, (kind, place, source, offset, length) -> {
            int i = next[0]++;
            assertThat(kind).isEqualTo(kind(i));
            assertThat(place).isEqualTo(place(i));
            assertThat(Arrays.copyOfRange(source, offset, offset + length)).isEqualTo(keys.get(i));
        });
        return isSound ? next[0] : -1 - next[0];
    }

    private int visit(List<byte[]> keys) throws IOException {
        return visit(keys, data(), STORE);
    }

    private @Nullable BloomFilter filter() throws IOException {
        return HintFile.filter(disk, STORE, data());
    }

    private static List<byte[]> keys(int... lengths) {
        Random random = new Random(1);
        List<byte[]> keys = new ArrayList<>();
        for (int length : lengths) {
            byte[] key = new byte[length];
            random.nextBytes(key);
            keys.add(key);
        }
        return keys;
    }

    private static int[] lengths() {
        int[] lengths = new int[2_000];
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = 1 + i % 700;
        }
        int at = 0;
        for (int length : new int[] {1, 2, 255, 256, 4096, 65_534, 65_535, 65_535, 65_535, 65_535, 65_535, 1}) {
            lengths[100 + at++] = length;
        }
        return lengths;
    }

    @Test
    void entriesComeBackInTheirOrder() throws IOException {
        List<byte[]> keys = keys(lengths());
        write(keys);
        assertThat(disk.length(HINT)).isGreaterThan(3L * HintFile.BLOCK_LENGTH);
        assertThat(visit(keys)).isEqualTo(keys.size());
        BloomFilter filter = filter();
        assertThat(filter).isNotNull();
        for (byte[] key : keys) {
            assertThat(filter.mayContain(key, 0, key.length)).isTrue();
        }
    }

    private HintBuilder filled(IoManager io, List<byte[]> keys, AtomicInteger asked, boolean isAnswered)
            throws IOException {
        AtomicReference<HintBuilder> builder = new AtomicReference<>();
        builder.set(new HintBuilder(io, STORE, data(), () -> {
            asked.incrementAndGet();
            if (isAnswered) {
                builder.get().writeAhead();
            }
        }));
        for (int i = 0; i < keys.size(); i++) {
            builder.get().add(kind(i), place(i), keys.get(i), 0, keys.get(i).length);
        }
        return builder.get();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void blocksThatWaitForAnotherThreadAreWrittenInOrder(boolean isAnswered) throws IOException {
        List<byte[]> keys = keys(lengths());
        AtomicInteger asked = new AtomicInteger();
        HintBuilder builder = filled(disk, keys, asked, isAnswered);
        assertThat(asked).hasValueGreaterThan(3);
        assertThat(builder.isHeld()).isFalse();
        writeOnce(builder);
        assertThat(visit(keys)).isEqualTo(keys.size());
    }

    private HintBuilder reserved(IoManager io, List<byte[]> keys) throws IOException {
        HintBuilder builder = new HintBuilder(io, STORE, data());
        builder.reserve(64 << 10, 1);
        for (int i = 0; i < keys.size(); i++) {
            builder.add(kind(i), place(i), keys.get(i), 0, keys.get(i).length);
        }
        return builder;
    }

    @Test
    void whatIsHeldReadyIsGivenBackWhenTheFileIsComplete() throws IOException {
        for (List<byte[]> keys : List.of(keys(5, 9), keys(lengths()), keys())) {
            HintBuilder builder = reserved(disk, keys);
            assertThat(disk.length(HINT)).isGreaterThanOrEqualTo(64 << 10);
            writeOnce(builder);
            assertThat(visit(keys)).isEqualTo(keys.size());
            assertThat(filter()).isNotNull();
            if (keys.size() < 10) {
                assertThat(disk.length(HINT)).isLessThan(1_000);
            }
            disk.delete(HINT);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = "INTERRUPT", mode = EnumSource.Mode.EXCLUDE)
    void nothingIsHeldReadyWhereThereIsNoRoomForIt(Fault fault) throws IOException {
        List<byte[]> keys = keys(5, 9, 300);
        for (IoOperation failing : new IoOperation[] {IoOperation.CREATE, IoOperation.WRITE}) {
            FaultPlan plan = FaultPlan.failing(0).only(failing).with(fault);
            HintBuilder builder = reserved(plan.wrap(disk), keys);
            assertThat(plan.hasFired()).isTrue();
            assertThat(disk.list()).doesNotContain(HINT);
            writeOnce(builder);
            assertThat(visit(keys)).isEqualTo(keys.size());
            disk.delete(HINT);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = "INTERRUPT", mode = EnumSource.Mode.EXCLUDE)
    void aBlockThatWaitsIsKeptWhereThereIsNoRoomToHoldReady(Fault fault) throws IOException {
        int[] lengths = new int[250];
        Arrays.fill(lengths, 700);
        List<byte[]> keys = keys(lengths);
        for (IoOperation failing : new IoOperation[] {IoOperation.CREATE, IoOperation.WRITE}) {
            AtomicInteger asked = new AtomicInteger();
            FaultPlan plan = FaultPlan.failing(0).only(failing).with(fault);
            HintBuilder builder = filled(plan.wrap(disk), keys, asked, false);
            assertThat(asked).hasValue(1);
            assertThat(plan.hasFired()).isFalse();
            builder.reserve(1 << 20, 1);
            assertThat(plan.hasFired()).isTrue();
            writeOnce(builder);
            assertThat(visit(keys)).isEqualTo(keys.size());
            disk.delete(HINT);
        }
    }

    @Test
    void hintsThatWereGivenUpAreNotWritten() throws IOException {
        HintBuilder builder = reserved(disk, keys(5, 9, 300));
        assertThat(builder.discard()).isTrue();
        assertThat(disk.list()).doesNotContain(HINT);
        assertThat(builder.discard()).as("again").isFalse();
        DataFile file = data();
        assertThatThrownBy(() -> builder.writeOnce(disk, STORE, file)).isInstanceOf(IOException.class);
        assertThat(file.hasHints()).isFalse();
        assertThat(disk.list()).doesNotContain(HINT);
    }

    @Test
    void aBlockThatAnotherThreadCannotWriteEndsTheKeepingOfHints() throws IOException {
        List<byte[]> keys = keys(lengths());
        AtomicInteger asked = new AtomicInteger();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.WRITE);
        HintBuilder builder = filled(plan.wrap(disk), keys, asked, true);
        assertThat(asked).hasValue(1); // at the next full block the failure is met
        assertThat(builder.isHeld()).isFalse();
        builder.abandon();
        assertThat(HintFile.visit(disk, STORE, data(), (kind, place, source, offset, length) -> {}))
                .isFalse();
    }

    @Test
    void aFileWithoutRecordsHasAnEmptyHintFile() throws IOException {
        write(List.of());
        assertThat(visit(List.of())).isZero();
        assertThat(filter()).isNotNull();
    }

    @Test
    void aFileIsWrittenOnce() throws IOException {
        DataFile file = data();
        HintBuilder builder = new HintBuilder();
        builder.writeOnce(disk, STORE, file);
        assertThat(file.hasHints()).isTrue();
        long operations = disk.operations();
        builder.writeOnce(disk, STORE, file);
        assertThat(disk.operations()).isEqualTo(operations);
    }

    @Test
    void whatWasCutOffIsNotWritten() throws IOException {
        List<byte[]> keys = keys(5, 9, 7, 300, 20);
        HintBuilder builder = new HintBuilder();
        for (int i = 0; i < 3; i++) {
            builder.add(kind(i), place(i), keys.get(i), 0, keys.get(i).length);
        }
        int length = builder.length();
        for (int i = 3; i < keys.size(); i++) {
            builder.add(kind(i), place(i), keys.get(i), 0, keys.get(i).length);
        }
        builder.cutTo(length, 2);
        assertThat(builder.count()).isEqualTo(3);
        writeOnce(builder);
        assertThat(visit(keys)).isEqualTo(3);
    }

    @Test
    void oneThatCannotBeWrittenIsTakenAway() throws IOException {
        DataFile file = data();
        HintBuilder builder = new HintBuilder();
        byte[] key = keys(5).get(0);
        builder.add(RecordFormat.PUT, 64, key, 0, key.length);
        for (int failing = 0;
                failing < 6;
                failing++) { // room for its header, entries, expiries, filter, sums, its header
            FaultPlan plan = FaultPlan.failing(failing).only(IoOperation.WRITE);
            assertThatThrownBy(() -> builder.writeOnce(plan.wrap(disk), STORE, file))
                    .isInstanceOf(IOException.class);
            assertThat(disk.list()).doesNotContain(HINT);
            assertThat(file.hasHints()).isFalse();
            assertThat(file.hintSum()).isZero();
        }
        builder.writeOnce(disk, STORE, file);
        assertThat(disk.list()).contains(HINT);
        assertThat(file.hasHints()).isTrue();
    }

    @Test
    void everyDamagedByteIsFound() throws IOException {
        List<byte[]> keys = keys(1, 20, 3, 65, 8);
        write(keys);
        byte[] sound = disk.content(HINT);
        for (int at = 0; at < sound.length; at++) {
            for (int bit : new int[] {1, 0x80}) {
                byte[] damaged = sound.clone();
                damaged[at] ^= (byte) bit;
                disk.install(HINT, damaged);
                boolean isSound = visit(keys) == keys.size() && filter() != null;
                assertThat(isSound).as("offset=%s", at).isFalse();
            }
        }
    }

    @Test
    void aFileThatIsCutShortIsNotSound() throws IOException {
        List<byte[]> keys = keys(1, 20, 3, 65, 8);
        write(keys);
        byte[] sound = disk.content(HINT);
        for (int length = 0; length < sound.length; length++) {
            disk.install(HINT, Arrays.copyOf(sound, length));
            boolean isSound = visit(keys) == keys.size() && filter() != null;
            assertThat(isSound).as("length=%s", length).isFalse();
            byte[] zeroFilled = Arrays.copyOf(Arrays.copyOf(sound, length), sound.length);
            if (!Arrays.equals(zeroFilled, sound)) {
                disk.install(HINT, zeroFilled);
                isSound = visit(keys) == keys.size() && filter() != null;
                assertThat(isSound).as("zeros from %s", length).isFalse();
            }
        }
    }

    @Test
    void damageInALaterBlockLeavesTheEarlierOnes() throws IOException {
        List<byte[]> keys = keys(lengths());
        write(keys);
        byte[] content = disk.content(HINT);
        content[2 * HintFile.BLOCK_LENGTH] ^= 1;
        disk.install(HINT, content);
        int visited = visit(keys); // which checks each that it visits
        assertThat(visited).isBetween(-keys.size(), -2);
    }

    @Test
    void hintsOfAnotherFileAreNotBelieved() throws IOException {
        List<byte[]> keys = keys(1, 20, 3);
        write(keys);
        assertThat(visit(keys, data(5, LENGTH - 8, STORE), STORE))
                .as("its length")
                .isEqualTo(-1);
        StoreId other = new StoreId(11, 23);
        assertThat(visit(keys, data(5, LENGTH, other), other)).as("its store").isEqualTo(-1);
        disk.install(FileNames.hint(6), disk.content(HINT));
        assertThat(visit(keys, data(6, LENGTH, STORE), STORE)).as("its number").isEqualTo(-1);
    }

    @Test
    void aSoundFileWithAnotherSumIsNotBelieved() throws IOException {
        List<byte[]> keys = keys(1, 20, 3);
        write(keys);
        byte[] first = disk.content(HINT);
        long sumOfFirst = sum;
        disk.delete(HINT);
        write(keys(1, 20, 4));
        assertThat(sum).isNotEqualTo(sumOfFirst);
        disk.install(HINT, first);
        assertThat(visit(keys)).isEqualTo(-1);
        assertThat(filter()).isNull();
        assertThat(HintFile.expiries(disk, STORE, data())).isNull();
        sum = sumOfFirst;
        assertThat(visit(keys)).isEqualTo(keys.size());
        assertThat(Sums.ofHints(first)).isEqualTo(sum);
        sum = 0;
        assertThat(visit(keys)).as("without a sum").isEqualTo(-1);
    }

    /** Each block is sound, and is not the one that the file was written with. */
    @Test
    void aBlockThatWasExchangedIsNotBelieved() throws IOException {
        List<byte[]> keys = keys(5, 9);
        write(keys);
        byte[] content = disk.content(HINT);
        int length = 2 * 8 + 5 + 9;
        byte[] entries = Arrays.copyOfRange(content, 64 + 8, 64 + 8 + length);
        entries[8] ^= 1; // of the first key
        System.arraycopy(block(entries, 64), 0, content, 64, 8 + length);
        disk.install(HINT, content);
        assertThat(visit(keys)).isEqualTo(-1);
    }

    @Test
    void blocksAreFilledToTheLastByte() throws IOException {
        int entry = 1_024;
        int perBlock = HintFile.BLOCK_LENGTH / entry;
        int[] lengths = new int[2 * perBlock + 3];
        Arrays.fill(lengths, entry - 8);
        disk.clearLog();
        write(keys(lengths));
        BloomFilter filter = filter();
        assertThat(filter).isNotNull();
        assertThat(disk.log().stream()
                        .filter(call -> call.file().equals(HINT))
                        .map(call -> call.operation() + " " + call.length()))
                .containsExactly(
                        "CREATE " + (64 + lengths.length * entry + Expiries.LONGS * 8 + filter.size()),
                        "WRITE 64", // room for the header
                        "WRITE " + (8 + HintFile.BLOCK_LENGTH),
                        "WRITE " + (8 + HintFile.BLOCK_LENGTH),
                        "WRITE " + (8 + 3 * entry),
                        "WRITE " + (8 + Expiries.LONGS * 8),
                        "WRITE " + (8 + filter.size()),
                        "WRITE " + (8 + 5 * 4), // sums
                        "WRITE 64");
        assertThat(filter.size()).isEqualTo(lengths.length * 10 / 8 + 1);
        assertThat(visit(keys(lengths))).isEqualTo(lengths.length);
    }

    /** Writes a hint file with these bytes for its one block, under right checksums, and a filter. */
    private void install(byte[] entries, int count, int filterSize) {
        byte[] header = FileHeader.begin(0x54_4E_49_48_4B_53_41_43L, 1, STORE);
        RecordFormat.INT.set(header, 12, filterSize);
        RecordFormat.LONG.set(header, 32, 5L);
        RecordFormat.INT.set(header, 40, 100_000);
        RecordFormat.INT.set(header, 44, 1);
        RecordFormat.INT.set(header, 48, count);
        int filter = 8;
        ByteBuffer file = ByteBuffer.allocate(64 + 8 + entries.length + 8 + Expiries.LONGS * 8 + 8 + filter + 8 + 12);
        BlockSums sums = new BlockSums();
        file.put(FileHeader.seal(header));
        for (byte[] content : new byte[][] {entries, new byte[Expiries.LONGS * 8], new byte[filter]}) {
            byte[] block = block(content, file.position());
            sums.add(Block.checksum(block));
            file.put(block);
        }
        byte[] last = sums.encode();
        Block.seal(last, 12, RecordFormat.mask(RecordFormat.fileSeed(~STORE.seed(), 5), file.position()));
        file.put(last);
        disk.install(HINT, file.array());
        sum = Sums.ofHints(file.array());
    }

    /** Returns a block for a place; the masks of hint files are those of records of a store with all bits turned over. */
    private static byte[] block(byte[] content, long offset) {
        byte[] block = new byte[8 + content.length];
        System.arraycopy(content, 0, block, 8, content.length);
        Block.seal(block, content.length, RecordFormat.mask(RecordFormat.fileSeed(~STORE.seed(), 5), offset));
        return block;
    }

    private static byte[] entry(long place, int keyLength, int length) {
        byte[] entry = new byte[length];
        RecordFormat.LONG.set(entry, 0, place | (long) RecordFormat.PUT << 44 | (long) keyLength << 48);
        return entry;
    }

    private String visitCrafted() throws IOException {
        StringBuilder visited = new StringBuilder();
        boolean isSound =
                HintFile.visit(disk, STORE, data(5, 100_000, STORE), (kind, place, source, offset, length) -> {
                    visited.append(kind)
                            .append(' ')
                            .append(Locator.offset(place))
                            .append(' ')
                            .append(length);
                });
        return visited + (isSound ? " sound" : " not sound");
    }

    private static long place(long offset, long size) {
        return Locator.of(0, offset, size, false);
    }

    @Test
    void entriesThatDoNotFitAreNotBelieved() throws IOException {
        install(entry(place(64, 40), 4, 12), 1, 8);
        assertThat(visitCrafted()).isEqualTo("1 64 4 sound");
        install(entry(place(64, 40), 5, 12), 1, 8);
        assertThat(visitCrafted()).as("a key longer than its block").isEqualTo(" not sound");
        for (int rest = 1; rest < 8; rest++) {
            install(entry(place(64, 40), 4, 12 + rest), 2, 8);
            assertThat(visitCrafted()).as("half an entry").isEqualTo("1 64 4 not sound");
        }
        install(entry(place(64, 40), 4, 12), 2, 8);
        assertThat(visitCrafted())
                .as("an entry less, and the filter in its place")
                .isEqualTo("1 64 4 not sound");
        byte[] two = Arrays.copyOf(entry(place(64, 40), 4, 12), 24);
        System.arraycopy(entry(place(104, 40), 4, 12), 0, two, 12, 12);
        install(two, 2, 8);
        assertThat(visitCrafted()).isEqualTo("1 64 41 104 4 sound");
        install(two, 1, 8);
        assertThat(visitCrafted()).as("an entry more").isEqualTo("1 64 41 104 4 not sound");
    }

    @Test
    void entriesOfNoRecordAreNotBelieved() throws IOException {
        install(entry(place(64, 40), 0, 8), 1, 8);
        assertThat(visitCrafted()).as("an empty key").isEqualTo(" not sound");
        install(entry(place(56, 40), 4, 12), 1, 8);
        assertThat(visitCrafted()).as("a place in the header").isEqualTo(" not sound");
        for (int kind : new int[] {0, 3, 4, 8, 15}) {
            byte[] entry = entry(place(64, 40), 4, 12);
            long word = (long) RecordFormat.LONG.get(entry, 0);
            RecordFormat.LONG.set(entry, 0, word & ~(0xFL << 44) | (long) kind << 44);
            install(entry, 1, 8);
            assertThat(visitCrafted()).as("kind=%s", kind).isEqualTo(" not sound");
        }
    }

    @Test
    void entriesOfRecordsBehindTheDataAreNotBelieved() throws IOException {
        for (long size : new long[] {40, 8_192, 8_200, 50_000}) {
            long kept = Locator.size(place(64, size));
            long last = (100_000 - kept + (kept >>> 9)) / 8 * 8; // sizes are rounded up by up to 1 in 512
            install(entry(place(last, size), 4, 12), 1, 8);
            assertThat(visitCrafted()).as("size=%s", size).isEqualTo("1 " + last + " 4 sound");
            install(entry(place(last + 8, size), 4, 12), 1, 8);
            assertThat(visitCrafted()).as("size=%s", size).isEqualTo(" not sound");
        }
    }

    @Test
    void aFilterOfAnotherLengthIsNotBelieved() throws IOException {
        DataFile file = data(5, 100_000, STORE);
        for (int size : new int[] {Integer.MIN_VALUE, -8, 0, 8, 15, 16, 17, 24, 30, 1 << 20}) {
            install(entry(place(64, 40), 4, 12), 1, size);
            file.setHintSum(sum);
            assertThat(HintFile.filter(disk, STORE, file) != null)
                    .as("size=%s", size)
                    .isEqualTo(size == 8);
        }
    }

    @Test
    void entriesAreTakenFromAScan() throws IOException {
        EncodedDraft draft = new EncodedDraft();
        ByteBuffer content = ByteBuffer.allocate(64 + 40 + 32);
        content.position(64);
        DataFile file = data(6, 64, STORE);
        draft.put(KeyValues.bytes("put"), new byte[10], 0);
        draft.place(1, 0, file.mask(64));
        content.put(draft.bytes(), 0, 40);
        draft.delete(KeyValues.bytes("gone"));
        draft.place(2, 0, file.mask(104));
        content.put(draft.bytes(), 0, 32);
        disk.install(FileNames.data(6), content.array());
        FileScanner scanner = new FileScanner(data(6, 136, STORE), 64, 136);
        HintBuilder builder = new HintBuilder();
        while (scanner.next()) {
            builder.add(scanner);
        }
        List<String> visited = new ArrayList<>();
        builder.visit((kind, place, source, offset, length) -> visited.add(kind + " " + Locator.offset(place) + " "
                + Locator.size(place) + " " + new String(source, offset, length)));
        assertThat(visited).containsExactly("1 64 40 put", "2 104 32 gone");
    }
}
