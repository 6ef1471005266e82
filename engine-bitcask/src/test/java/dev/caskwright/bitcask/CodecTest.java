package dev.caskwright.bitcask;

import static dev.caskwright.testkit.KeyValues.bytes;
import static dev.caskwright.testkit.KeyValues.key;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.CodecException;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.ValueView;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.DeflateCodec;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Values that are stored by codecs, over simulated disks. Random tests print their seed; {@code -Dcaskwright.seed=N} repeats one. */
final class CodecTest {
    private static final ValueCodec DEFLATE = new DeflateCodec();

    private final long seed = Long.getLong("caskwright.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return CrashFixture.builder(disk.factory(CrashFixture.HOME), clock).maxFileBytes(16 << 20);
    }

    private BitcaskEngine open(@Nullable ValueCodec codec) throws IOException {
        return codec == null ? builder().open() : builder().codec(codec).open();
    }

    private byte[] text(int length) {
        return KeyValues.text(random, length);
    }

    // ---------------------------------------------------------------- every way to read

    @Test
    void everyWayToReadShowsTheValueThatWasWritten() throws IOException {
        for (int length : new int[] {0, 1, 40, 300, 5_000, 70_000, 200_000}) {
            byte[] key = bytes("key" + length);
            byte[] value = text(length);
            try (BitcaskEngine engine = BitcaskEngine.builder(Path.of("ordered" + length))
                    .io(disk.factory(CrashFixture.HOME))
                    .index(context -> new SmallOrderedIndex())
                    .executor(TestTasks.executor())
                    .codec(DEFLATE)
                    .open()) {
                engine.put(key, bytes("before"));
                try (Snapshot before = engine.snapshot()) {
                    engine.put(key, value);
                    assertThat(before.get(key)).isEqualTo(bytes("before"));
                    assertShown(engine, key, value);
                    try (Snapshot after = engine.snapshot()) {
                        assertShown(after, key, value);
                        engine.put(key, bytes("after"));
                        assertShown(after, key, value);
                        engine.put(key, value);
                        engine.merge();
                        assertShown(after, key, value);
                    }
                }
                assertShown(engine, key, value);
            }
        }
    }

    private void assertShown(ReadView view, byte[] key, byte[] value) throws IOException {
        String what = "seed=" + seed + ", length=" + value.length;
        assertSame(view.get(key), value, what);
        assertSame(view.get(ByteBuffer.wrap(key)), value, what);
        assertSame(view.getAll(key, bytes("absent"))[0], value, what);
        ByteBuffer target = ByteBuffer.allocate(value.length + 10).position(3);
        assertThat(view.get(key, target)).as(what).isEqualTo(value.length);
        assertThat(target.position()).isEqualTo(3 + value.length);
        assertSame(Arrays.copyOfRange(target.array(), 3, 3 + value.length), value, what);
        ByteBuffer direct = ByteBuffer.allocateDirect(value.length);
        assertThat(view.get(key, direct)).as(what).isEqualTo(value.length);
        assertThat(direct.flip()).isEqualTo(ByteBuffer.wrap(value));
        if (value.length > 0) {
            ByteBuffer tooSmall = ByteBuffer.allocate(value.length - 1);
            assertThat(view.get(key, tooSmall)).as(what).isEqualTo(value.length);
            assertThat(tooSmall.position()).isZero();
        }
        assertSame(view.read(key, ValueView::toBytes), value, what);
        assertSame(entry(view.entry(key)).value(), value, what);
        Map<String, byte[]> visited = new HashMap<>();
        view.visit(entry -> visited.put(new String(entry.key(), UTF_8), entry.value()) == null);
        assertSame(visited.get(new String(key, UTF_8)), value, what);
        try (Cursor cursor = view.cursor()) {
            assertSame(entry(cursor.next()).value(), value, what);
        }
        try (Cursor cursor = view.require(OrderedView.class).range(Range.all())) {
            assertSame(entry(cursor.next()).value(), value, what);
        }
    }

    private static Entry entry(@Nullable Entry entry) {
        assertThat(entry).isNotNull();
        return entry;
    }

    private static void assertSame(byte @Nullable [] found, byte[] expected, String what) {
        assertThat(Arrays.equals(found, expected)).as(what).isTrue();
    }

    @Test
    void valuesOfAllLengthsComeBackInBatchesAndAlone() throws IOException {
        Map<Integer, byte[]> values = new HashMap<>();
        try (BitcaskEngine engine = open(DEFLATE)) {
            for (int i = 0; i < 60; i++) {
                int length = i < 4 ? i : (int) Math.pow(2, 20 * random.nextDouble());
                byte[] value = new byte[length];
                if (random.nextInt(3) == 0) {
                    random.nextBytes(value);
                } else {
                    value = text(length);
                }
                values.put(i, value);
            }
            WriteBatch batch = new WriteBatch();
            for (int i = 0; i < 60; i++) {
                if (i % 2 == 0) {
                    engine.put(key(i), values.get(i), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1)));
                } else {
                    batch.put(key(i), values.get(i));
                }
            }
            engine.write(batch);
            assertAll(engine, values);
        }
        try (BitcaskEngine engine =
                open(null)) { // replayed and read by what the records say, were the codec found by name
            assertThat(engine.size()).isEqualTo(60);
        }
        try (BitcaskEngine engine = open(DEFLATE)) {
            assertAll(engine, values);
            engine.merge();
            assertAll(engine, values);
        }
    }

    private void assertAll(BitcaskEngine engine, Map<Integer, byte[]> values) throws IOException {
        for (Map.Entry<Integer, byte[]> each : values.entrySet()) {
            assertSame(engine.get(key(each.getKey())), each.getValue(), "seed=" + seed + ", key=" + each.getKey());
        }
        Map<String, Entry> visited = new HashMap<>();
        engine.visit(entry -> visited.put(KeyValues.describe(entry.key()), entry) == null);
        for (Map.Entry<Integer, byte[]> each : values.entrySet()) {
            Entry entry = visited.get(KeyValues.describe(key(each.getKey())));
            assertSame(entry(entry).value(), each.getValue(), "seed=" + seed + ", key=" + each.getKey());
        }
    }

    @Test
    void conditionalWritesCompareTheValueAndNotItsCode() throws IOException {
        byte[] first = text(2_000);
        byte[] second = text(2_000);
        try (BitcaskEngine engine = open(DEFLATE)) {
            ConditionalWrites writes = engine;
            assertThat(writes.putIfAbsent(key(1), first, WriteOptions.DEFAULT)).isTrue();
            assertThat(writes.replace(key(1), second, first, WriteOptions.DEFAULT))
                    .isFalse();
            assertThat(writes.replace(key(1), first, second, WriteOptions.DEFAULT))
                    .isTrue();
            assertThat(engine.expire(key(1), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1))))
                    .isTrue();
            assertThat(engine.get(key(1))).isEqualTo(second);
            assertThat(writes.delete(key(1), first, WriteOptions.DEFAULT)).isFalse();
            assertThat(writes.delete(key(1), second, WriteOptions.DEFAULT)).isTrue();
        }
    }

    @Test
    void theChangeFeedShowsValuesDecoded() throws IOException {
        byte[] value = text(3_000);
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), value);
            engine.write(new WriteBatch().put(key(2), value).delete(key(1)));
            List<ChangeVisitor.Change> changes = new ArrayList<>();
            engine.changes(0, changes::add);
            assertThat(changes).hasSize(3);
            assertThat(changes.get(0).value()).isEqualTo(value);
            assertThat(changes.get(1).value()).isEqualTo(value);
            assertThat(changes.get(2).value()).isNull();
        }
    }

    // ---------------------------------------------------------------- what is stored

    @Test
    void whatShrinksTakesLessAndWhatDoesNotTakesNoMore() throws IOException {
        byte[] value = text(4_000);
        byte[] noise = new byte[4_000];
        random.nextBytes(noise);
        assertThat(writtenBy(DEFLATE, value)).isLessThan(writtenBy(null, value) / 2);
        assertThat(writtenBy(DEFLATE, noise)).isEqualTo(writtenBy(null, noise));
        assertThat(writtenBy(DEFLATE, text(15))).isEqualTo(writtenBy(null, text(15)));
    }

    private long writtenBy(@Nullable ValueCodec codec, byte[] value) throws IOException {
        try (BitcaskEngine engine = open(codec)) {
            long before = engine.stats().writes().writtenBytes();
            engine.put(key(1), value);
            return engine.stats().writes().writtenBytes() - before;
        }
    }

    @Test
    void aWriteChoosesItsCodecAndItsChoiceIsAllThatCounts() throws IOException {
        byte[] value = text(4_000);
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), value);
            long coded = engine.stats().space().liveBytes();
            engine.put(key(2), value, WriteOptions.DEFAULT.codec(ValueCodec.NONE));
            assertThat(engine.stats().space().liveBytes() - coded).isGreaterThan(4_000);
            engine.put(key(3), value, WriteOptions.DEFAULT.codec("deflate"));
            WriteBatch batch = new WriteBatch().put(key(4), value, WriteOptions.DEFAULT.codec("deflate"));
            engine.write(batch.put(key(5), value), WriteOptions.DEFAULT.codec(ValueCodec.NONE));
            for (int i = 1; i <= 5; i++) {
                assertThat(engine.get(key(i))).isEqualTo(value);
            }
            assertThat(engine.stats().space().liveBytes()).isBetween(2 * 4_000 + 3 * coded, 2 * 4_100 + 3 * coded);
            assertThatThrownBy(() -> engine.put(key(6), value, WriteOptions.DEFAULT.codec("none-such")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("unknown codec: name=none-such");
            assertThat(engine.get(key(6))).isNull();
        }
    }

    @Test
    void aMergeKeepsRecordsAsTheyAreStoredUnlessItIsToRecode() throws IOException {
        byte[] value = text(4_000);
        try (BitcaskEngine engine = open(null)) {
            engine.put(key(1), value);
        }
        long plain;
        try (BitcaskEngine engine = open(DEFLATE)) {
            plain = engine.stats().space().liveBytes();
            engine.merge();
            assertThat(engine.stats().space().liveBytes()).isEqualTo(plain);
        }
        try (BitcaskEngine engine = builder().codec(DEFLATE).recodeOnMerge(true).open()) {
            engine.merge();
            assertThat(engine.stats().space().liveBytes()).isLessThan(plain / 2);
            assertThat(engine.get(key(1))).isEqualTo(value);
            long version = entry(engine.entry(key(1))).version();
            engine.merge();
            assertThat(entry(engine.entry(key(1))).version()).isEqualTo(version);
        }
        try (BitcaskEngine engine = builder().recodeOnMerge(true).open()) { // cannot decode, and loses nothing by it
            engine.merge();
            assertThat(engine.stats().space().liveBytes()).isLessThan(plain / 2);
        }
        ValueCodec onlyReads = new DeflateCodec() {
            @Override
            public int encode(byte[] source, int offset, int length, byte[] target, int targetOffset) {
                throw new IllegalStateException("planted");
            }
        };
        try (BitcaskEngine engine = open(onlyReads)) {
            assertThat(engine.get(key(1))).isEqualTo(value);
            assertThatThrownBy(() -> engine.put(key(2), value)).isInstanceOfSatisfying(CodecException.class, e -> {
                assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED);
                assertThat(e).hasMessageContaining("codec=deflate").hasMessageContaining("planted");
            });
            assertThat(engine.get(key(2))).isNull();
            engine.put(key(2), value, WriteOptions.DEFAULT.codec(ValueCodec.NONE));
            assertThat(engine.health()).isNull();
        }
    }

    @Test
    void aRecordLongerThanAFileThatIsRecodedGetsAFileOfItsOwn() throws IOException {
        byte[] value = text(200_000);
        try (BitcaskEngine engine =
                builder().codec(new FoundCodec()).maxFileBytes(100_000).open()) {
            for (int i = 0; i < 5; i++) {
                engine.put(key(i), value);
            }
        }
        try (BitcaskEngine engine =
                builder().recodeOnMerge(true).maxFileBytes(100_000).open()) {
            engine.merge();
            for (int i = 0; i < 5; i++) {
                assertSame(engine.get(key(i)), value, "seed=" + seed);
            }
            assertThat(engine.stats().space().files()).isGreaterThanOrEqualTo(5);
        }
    }

    @Test
    void aCodecThatIsFoundByItsNameNeedNotBeGiven() throws IOException {
        byte[] value = text(1_000);
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), value);
            engine.put(key(2), value, WriteOptions.DEFAULT.codec("found"));
            assertThat(engine.get(key(2))).isEqualTo(value);
        }
        try (BitcaskEngine engine = open(null)) {
            assertThat(engine.get(key(2))).isEqualTo(value);
        }
    }

    // ---------------------------------------------------------------- dictionaries

    @Test
    void aStoreKeepsTheDictionariesOfItsValues() throws IOException {
        byte[] value = text(120);
        ValueCodec first = DEFLATE.withDictionary(text(2_000));
        ValueCodec second = DEFLATE.withDictionary(text(3_000));
        try (BitcaskEngine engine = open(first)) {
            engine.put(key(1), value);
        }
        try (BitcaskEngine engine = open(second)) {
            engine.put(key(2), value);
        }
        try (BitcaskEngine engine = open(first)) { // the same dictionary is not kept twice
            engine.put(key(3), value);
        }
        long written;
        try (BitcaskEngine engine = open(DEFLATE)) { // knows no dictionary, and takes the latest of the store
            assertThat(engine.get(key(1))).isEqualTo(value);
            assertThat(engine.get(key(2))).isEqualTo(value);
            assertThat(engine.get(key(3))).isEqualTo(value);
            engine.put(key(4), value);
            assertThat(engine.get(key(4))).isEqualTo(value);
            written = engine.stats().writes().writtenBytes();
        }
        assertThat(written).isLessThan(writtenBy(null, value));
        Path copy = Path.of("copy");
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), value);
            engine.merge();
            engine.backup(Path.of("copy"));
        }
        try (BitcaskEngine engine = CrashFixture.builder(copy, disk.factory(CrashFixture.HOME), clock)
                .codec(DEFLATE)
                .open()) {
            for (int i = 1; i <= 4; i++) {
                assertThat(engine.get(key(i))).isEqualTo(value);
            }
        }
        assertThat(BitcaskEngine.verify(CrashFixture.HOME, disk.factory(CrashFixture.HOME))
                        .damages())
                .singleElement()
                .satisfies(damage -> assertThat(damage.what()).contains("values cannot be checked", "codec=deflate"));
    }

    @Test
    void aStoreTakesSoManyDictionariesAndNoMore() throws IOException {
        for (int i = 0; i < 64; i++) {
            try (BitcaskEngine engine = open(DEFLATE.withDictionary(bytes("dictionary " + i)))) {
                engine.put(key(1), text(500));
            }
        }
        try (BitcaskEngine engine = open(DEFLATE.withDictionary(bytes("one more")))) {
            assertThatThrownBy(() -> engine.put(key(1), text(500)))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CODEC))
                    .hasMessageContaining("limit=64");
            engine.put(key(1), bytes("plain"), WriteOptions.DEFAULT.codec(ValueCodec.NONE));
        }
    }

    // ---------------------------------------------------------------- what can go wrong

    @Test
    void aMissingCodecIsNamedAndHarmsNothingElse() throws IOException {
        byte[] value = text(1_000);
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), value);
            engine.put(key(2), bytes("plain"), WriteOptions.DEFAULT.codec(ValueCodec.NONE));
        }
        try (BitcaskEngine engine = open(null)) {
            assertThatThrownBy(() -> engine.get(key(1))).isInstanceOfSatisfying(CodecException.class, e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.CODEC);
                assertThat(e.codec()).isEqualTo("deflate");
                assertThat(e)
                        .hasMessageContaining("codec=deflate, id=200, file=00000001.data, offset=64")
                        .hasMessageContaining("on the class path");
            });
            assertThatThrownBy(() -> KeyValues.entries(engine)).isInstanceOf(CodecException.class);
            assertThat(engine.get(key(2))).isEqualTo(bytes("plain"));
            assertThat(engine.contains(key(1))).isTrue();
            engine.merge();
            engine.put(key(3), bytes("more"));
            assertThat(engine.health()).isNull();
        }
        try (BitcaskEngine engine = open(DEFLATE)) {
            assertThat(engine.get(key(1))).isEqualTo(value);
        }
    }

    @Test
    void aValueThatDoesNotDecodeIsDamageWithItsPlace() throws IOException {
        ValueCodec broken = new DeflateCodec() {
            @Override
            public void decode(
                    byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
                throw new IllegalStateException("planted");
            }
        };
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), text(1_000));
        }
        try (BitcaskEngine engine = open(broken)) {
            assertThatThrownBy(() -> engine.get(key(1))).isInstanceOfSatisfying(CorruptRecordException.class, e -> {
                assertThat(e.file()).isEqualTo("00000001.data");
                assertThat(e.offset()).isEqualTo(64);
                assertThat(e).hasMessageContaining("value does not decode").hasMessageContaining("planted");
            });
            assertThatThrownBy(() -> engine.read(key(1), ValueView::length)).isInstanceOf(CorruptRecordException.class);
            ByteBuffer target = ByteBuffer.allocate(2_000).position(5);
            assertThatThrownBy(() -> engine.get(key(1), target)).isInstanceOf(CorruptRecordException.class);
            assertThat(target.position()).isEqualTo(5);
            assertThatThrownBy(() -> KeyValues.entries(engine)).isInstanceOf(CorruptRecordException.class);
            assertThat(engine.health()).isNull();
        }
        ValueCodec modest = new DeflateCodec() {
            @Override
            public long maxDecodedLength(int encodedLength) {
                return encodedLength;
            }
        };
        try (BitcaskEngine engine = open(modest)) {
            assertThatThrownBy(() -> engine.get(key(1)))
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("value cannot be so long decoded");
        }
    }

    @Test
    void damageToACodedValueIsFoundByReadersAndByVerify() throws IOException {
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), text(1_000));
            engine.put(key(2), text(1_000));
        }
        flip("00000001.data", 64 + 32 + 20);
        try (BitcaskEngine engine = open(DEFLATE)) {
            assertThatThrownBy(() -> engine.get(key(1)))
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("bad checksum: file=00000001.data, offset=64");
            assertThat(engine.get(key(2))).hasSize(1_000);
        }
        VerifyReport report = BitcaskEngine.verify(CrashFixture.HOME, disk.factory(CrashFixture.HOME));
        assertThat(report.damages().get(0).file()).isEqualTo("00000001.data");
        assertThat(report.damages().get(0).offset()).isEqualTo(64);
    }

    @Test
    void salvageKeepsCodedValuesAndTheirDictionariesWithoutAManifest() throws IOException {
        byte[] value = text(300);
        try (BitcaskEngine engine = open(DEFLATE.withDictionary(text(2_000)))) {
            engine.put(key(1), value);
        }
        flip("MANIFEST", 1536 + 26); // in the first edit
        assertThatThrownBy(() -> open(DEFLATE)).isInstanceOf(CorruptRecordException.class);
        Path saved = Path.of("saved");
        SalvageReport report = BitcaskEngine.salvage(CrashFixture.HOME, saved, disk.factory(CrashFixture.HOME));
        assertThat(report.records()).isEqualTo(1);
        try (BitcaskEngine engine = CrashFixture.builder(saved, disk.factory(CrashFixture.HOME), clock)
                .codec(DEFLATE)
                .open()) {
            assertThat(engine.get(key(1))).isEqualTo(value);
        }
    }

    private void flip(String name, long offset) throws IOException {
        try (IoManager io = disk.factory(CrashFixture.HOME).open(CrashFixture.HOME, false)) {
            byte[] one = new byte[1];
            try (ReadableFile file = io.open(name)) {
                file.read(offset, one, 0, 1);
            }
            one[0] ^= 1;
            try (WritableFile file = io.openWritable(name)) {
                file.write(offset, one, 0, 1);
                file.force();
            }
        }
    }

    @Test
    void anotherCodecOfTheSameNumberIsRefused() throws IOException {
        try (BitcaskEngine engine = open(DEFLATE)) {
            engine.put(key(1), text(1_000));
        }
        ValueCodec other = new DeflateCodec() {
            @Override
            public String name() {
                return "other";
            }
        };
        try (BitcaskEngine engine = open(other)) {
            assertThatThrownBy(() -> engine.put(key(2), text(1_000)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("id=200, known=deflate, given=other");
        }
    }

    @Test
    void aReadOnlyOrClosedStoreSaysSoAndNotThatItsManifestIsShut() throws IOException {
        try (BitcaskEngine engine = open(null)) {
            engine.put(key(1), text(100));
        }
        try (BitcaskEngine engine = builder().codec(DEFLATE).readOnly(true).open()) {
            assertThatThrownBy(() -> engine.put(key(1), text(1_000)))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
        }
        BitcaskEngine engine = open(DEFLATE);
        engine.close();
        assertThatThrownBy(() -> engine.put(key(1), text(1_000))).isInstanceOf(EngineClosedException.class);
    }
}
