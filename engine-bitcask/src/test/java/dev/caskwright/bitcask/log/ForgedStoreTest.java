package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.Expiries;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintFile;
import dev.caskwright.bitcask.log.image.ImageFile;
import dev.caskwright.bitcask.log.keys.KeyRing;
import dev.caskwright.bitcask.log.salvage.FileSurvey;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stores whose checksums are right and whose numbers cannot be: see {@link Forger}. */
final class ForgedStoreTest {
    private static final Path HOME = Path.of("store");
    private static final long LAST_NUMBER = Integer.MAX_VALUE - (1 << 20);
    private static final long LAST_VERSION = (1L << 56) - 1 - (1L << 40);
    private static final byte[] VALUE = {1, 2, 3};

    private final CrashableIoManager disk = new CrashableIoManager();

    private static byte[] put(long offset, long version, String key) {
        return Forger.record(1, offset, Forger.PUT, version, key, VALUE, VALUE.length);
    }

    /** Installs a store of one sealed file with these records. */
    private void install(long first, long last, byte[]... records) {
        byte[] file = Forger.data(1, 0, records);
        disk.install("00000001.data", file);
        disk.install(
                "MANIFEST",
                Forger.manifest(new long[] {3, 1, 1, 0, last, 1}, new long[] {1, 1, 0, file.length, first, last, 0}));
    }

    private BitcaskEngine open() throws IOException {
        return BitcaskEngine.builder(HOME)
                .io(disk.factory())
                .executor(TestTasks.executor())
                .autoMerge(false)
                .open();
    }

    private Map<String, String> contents() throws IOException {
        Map<String, String> contents = new TreeMap<>();
        for (String name : disk.list()) {
            contents.put(name, HexFormat.of().formatHex(disk.content(name)));
        }
        return contents;
    }

    private void assertRefusedUnchanged() throws IOException {
        Map<String, String> before = contents();
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).isSound()).isFalse();
        assertThatThrownBy(this::open).isInstanceOf(CorruptRecordException.class);
        assertThat(contents()).isEqualTo(before);
    }

    /** The forger is worth something only if what it makes of possible numbers is a store. */
    @Test
    void aForgedStoreOfPossibleNumbersIsAStore() throws IOException {
        install(1, 2, put(64, 1, "aaaa"), put(96, 2, "bbbb"));
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
        try (BitcaskEngine engine = open()) {
            assertThat(engine.get(KeyValues.bytes("bbbb"))).isEqualTo(VALUE);
            assertThat(engine.stats().lastVersion()).isEqualTo(2);
            engine.put(KeyValues.bytes("cccc"), VALUE);
            engine.merge();
            assertThat(engine.get(KeyValues.bytes("cccc"))).isEqualTo(VALUE);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {LAST_VERSION + 1, (1L << 56) - 1, 1L << 56, Long.MAX_VALUE, -1})
    void aSealThatNoVersionCanHaveIsDamage(long version) throws IOException {
        install(1, version, put(64, 1, "aaaa"));
        assertRefusedUnchanged();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3, LAST_VERSION + 1, (1L << 56) - 1})
    void aRecordThatDoesNotFitItsSealIsDamage(long version) throws IOException {
        install(1, 2, put(64, 1, "aaaa"), put(96, version, "bbbb"));
        assertRefusedUnchanged();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, LAST_VERSION + 1, (1L << 56) - 1})
    void aRecordOfTheTailThatNoVersionCanHaveIsDamage(long version) throws IOException {
        disk.install("MANIFEST", Forger.manifest(new long[] {3, 0, 0, 0, 0, 0}));
        disk.install("00000001.data", Forger.data(1, 0, put(64, 1, "aaaa"), put(96, version, "bbbb")));
        assertRefusedUnchanged();
    }

    @Test
    void theLastVersionIsRefusedBeforeItIsUsed() throws IOException {
        install(1, LAST_VERSION - 1, put(64, 1, "aaaa"), put(96, LAST_VERSION - 1, "bbbb"));
        try (BitcaskEngine engine = open()) {
            engine.put(KeyValues.bytes("cccc"), VALUE);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> engine.delete(KeyValues.bytes("aaaa")))
                        .isInstanceOf(OutOfSpaceException.class)
                        .hasMessageContaining("versions are used up");
            }
            assertThat(engine.get(KeyValues.bytes("aaaa"))).isEqualTo(VALUE);
            assertThat(engine.get(KeyValues.bytes("cccc"))).isEqualTo(VALUE);
        }
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
    }

    @Test
    void theHighestNumberIsRefusedBeforeItIsUsed() throws IOException {
        byte[] file = Forger.data(1, 0, put(64, 1, "aaaa"));
        disk.install("00000001.data", file);
        disk.install("MANIFEST", Forger.manifest(new long[] {3, LAST_NUMBER - 1, 1, 0, 1, 1}, new long[] {
            1, 1, 0, file.length, 1, 1, 0
        }));
        for (int run = 0; run < 2; run++) {
            BitcaskEngine engine = open();
            if (run == 0) {
                engine.put(KeyValues.bytes("bbbb"), VALUE);
            } else {
                assertThatThrownBy(() -> engine.put(KeyValues.bytes("cccc"), VALUE))
                        .isInstanceOf(OutOfSpaceException.class)
                        .hasMessageContaining("file numbers are used up");
            }
            assertThat(engine.get(KeyValues.bytes("aaaa"))).isEqualTo(VALUE);
            assertThat(engine.get(KeyValues.bytes("bbbb"))).isEqualTo(VALUE);
            engine.close();
        }
    }

    @Test
    void filesThatNobodyOfOursMadeAreLeftAlone() throws IOException {
        install(1, 1, put(64, 1, "aaaa"));
        Map<String, byte[]> foreign = new TreeMap<>();
        byte[] text = KeyValues.bytes("a text of somebody else, and no file of a store whatever its name says");
        byte[] ofAnotherStore = Forger.data(5, 0);
        ofAnotherStore[20] ^= 1;
        RecordFormat.INT.set(ofAnotherStore, 60, RecordFormat.checksum(ofAnotherStore, 0, 60, 0));
        for (String name : new String[] {
            "202611291207.data",
            "2147483648.data",
            "2146435072.hint",
            "20261129120723.image.new",
            "00000009.data.new",
            "0000000009.data",
            "00000000.data",
            "99999999.merged"
        }) {
            foreign.put(name, new byte[0]);
        }
        foreign.put("00000002.data", text);
        foreign.put("00000003.hint", text);
        foreign.put("00000004.image", text);
        foreign.put("00000005.data", ofAnotherStore);
        foreign.put("00000006.data", disk.content("00000001.data"));
        foreign.put("20261129.data", text);
        foreign.forEach(disk::install);
        for (int run = 0; run < 3; run++) {
            assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
            BitcaskEngine engine = open();
            assertThat(engine.get(KeyValues.bytes("aaaa"))).isEqualTo(VALUE);
            engine.put(KeyValues.bytes("key " + run), VALUE);
            engine.merge();
            engine.close();
            for (Map.Entry<String, byte[]> each : foreign.entrySet()) {
                assertThat(disk.content(each.getKey())).as(each.getKey()).isEqualTo(each.getValue());
            }
        }
        assertThat(Manifest.read(disk).highestId()).isLessThan(50);
    }

    // ---------------------------------------------------------------- lengths of what is not there

    /** Shows files as very long, with zeros after what they have, and notes how much is read, at once and in all. */
    private final class Sparse extends ForwardingIoManager {
        final AtomicInteger longest = new AtomicInteger();
        final AtomicLong read = new AtomicLong();
        final long length;

        Sparse(long length) {
            super(disk);
            this.length = length;
        }

        @Override
        public ReadableFile open(String name) throws IOException {
            return new ForwardingReadableFile(super.open(name)) {
                @Override
                public long length() {
                    return length;
                }

                @Override
                public int read(long offset, byte[] target, int targetOffset, int wanted) throws IOException {
                    longest.accumulateAndGet(target.length, Math::max);
                    int count = (int) Math.max(0, Math.min(wanted, length - offset));
                    read.addAndGet(count);
                    Arrays.fill(target, targetOffset, targetOffset + count, (byte) 0);
                    super.read(offset, target, targetOffset, count);
                    return count;
                }
            };
        }
    }

    private StoreId store(IoManager io) throws IOException {
        return Manifest.read(io).store();
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MAX_VALUE, Integer.MAX_VALUE - 7, 1 << 30, 64 << 20, -1, 0})
    void noMemoryIsTakenForAFilterThatIsNotThere(int length) throws IOException {
        install(1, 1, put(64, 1, "aaaa"));
        Sparse sparse = new Sparse(RecordFormat.MAX_FILE_LENGTH);
        for (int entries : new int[] {0, 1, 1 << 20, -1}) {
            byte[] hints = Forger.hints(1, 96, entries, length, new byte[8 * Expiries.LONGS], new byte[8]);
            disk.install("00000001.hint", hints);
            DataFile file = new DataFile(1, 0, false, 7, sparse.open("00000001.data"), 96);
            file.setHintSum(Forger.sum(hints, 8));
            assertThat(HintFile.filter(sparse, store(disk), file)).isNull();
            assertThat(sparse.longest.get()).isLessThan(1 << 10);
        }
        try (BitcaskEngine engine = open()) { // and a merge that asks for the filter goes on
            engine.put(KeyValues.bytes("aaaa"), VALUE);
            engine.merge();
            assertThat(engine.get(KeyValues.bytes("aaaa"))).isEqualTo(VALUE);
        }
    }

    @Test
    void noMemoryIsTakenForATableOfAnImageThatIsNotThere() throws IOException {
        install(1, 1, put(64, 1, "aaaa"));
        Sparse sparse = new Sparse(RecordFormat.MAX_FILE_LENGTH);
        for (int length : new int[] {Integer.MAX_VALUE, Integer.MAX_VALUE - 7, 1 << 30, 1 << 20, -1}) {
            byte[] file = Forger.image(7, 42, length);
            disk.install("00000007.image", file);
            Manifest.Image image = new Manifest.Image(7, 42, Forger.sum(file, 0));
            assertThat(ImageFile.read(sparse, store(disk), image, 10, new KeyRing(null)))
                    .isNull();
        }
        assertThat(sparse.longest.get()).isLessThan(1 << 10);
    }

    private @Nullable ImageFile readImage(long... table) throws IOException {
        byte[] file = Forger.image(7, 42, 64, table);
        disk.install("00000007.image", file);
        Manifest.Image image = new Manifest.Image(7, 42, Forger.sum(file, 64));
        return ImageFile.read(disk, store(disk), image, 10, new KeyRing(null));
    }

    @Test
    void aTableOfAnImageThatCannotBeIsNotBelieved() throws IOException {
        install(1, 1, put(64, 1, "aaaa"));
        long far = 1L << 40;
        long oneFile = 1; // and a name without letters
        long[][] tables = {
            {-1, 5, 0, oneFile, 1, 0, 96, 32},
            {6, 5, 0, oneFile, 1, 0, 96, 32},
            {5, Long.MAX_VALUE, 0, oneFile, 1, 0, 96, 32},
            {5, 5, -1, oneFile, 1, 0, 96, 32},
            {5, 5, Long.MAX_VALUE, oneFile, 1, 0, 96, 32},
            {5, 5, 0, oneFile, 0, 0, 96, 32},
            {5, 5, 0, oneFile, far, 0, 96, 32},
            {5, 5, 0, oneFile, 1, -1, 96, 32},
            {5, 5, 0, oneFile, 1, far, 96, 32},
            {5, 5, 0, oneFile, 1, 1L << 32, 96, 32},
            {5, 5, 0, oneFile, 1, 0, -96, 32},
            {5, 5, 0, oneFile, 1, 0, far, 32},
            {5, 5, 0, oneFile, 1, 0, 96, -32},
            {5, 5, 0, oneFile, 1, 0, 96, far},
            {5, 5, 0, Integer.MAX_VALUE, 1, 0, 96, 32},
        };
        for (long[] table : tables) {
            assertThat(readImage(table)).as("%s", table).isNull();
        }
        assertThat(readImage(5, 5, 0, oneFile, 1, 0, 96, 32)).isNotNull();
    }

    @Test
    void noMemoryIsTakenForAValueThatIsNotThere() throws IOException {
        disk.install(
                "00000001.data",
                Forger.data(1, 0, Forger.record(1, 64, Forger.PUT, 1, "aaaa", VALUE, 1_000_000_000), new byte[64]));
        disk.install("MANIFEST", Forger.manifest(new long[] {3, 0, 0, 0, 0, 0}));
        Sparse sparse = new Sparse(RecordFormat.MAX_FILE_LENGTH);
        try (ReadableFile handle = sparse.open("00000001.data")) {
            DataFile file = new DataFile(1, 0, false, store(disk).seed(), handle, handle.length());
            FileScanner scanner = new FileScanner(file, DataFile.HEADER_LENGTH, handle.length());
            assertThat(scanner.tryNext()).isFalse();
            assertThat(sparse.longest.get()).isLessThan(1 << 20);
        }
    }

    // ---------------------------------------------------------------- work in proportion to what there is

    /** Every second record is damaged: what is behind a place is not read again for each of them. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theSearchForSoundRecordsReadsEachByteOnce(boolean isBodyDamaged) throws IOException {
        int count = 20_000;
        byte[][] records = new byte[count][];
        for (int i = 0; i < count; i++) {
            records[i] = put(64 + 32L * i, i + 1, "aaaa");
            if (i % 2 == 1) {
                records[i][isBodyDamaged ? 24 : 8] ^= 1;
            }
        }
        install(1, count, records);
        Sparse counting = new Sparse(64 + 32L * count);
        try (ReadableFile handle = counting.open("00000001.data")) {
            DataFile file = new DataFile(1, 0, false, store(disk).seed(), handle, handle.length());
            AtomicInteger lost = new AtomicInteger();
            assertThat(new FileSurvey(file, handle.length(), (from, to, what) -> lost.incrementAndGet()).run())
                    .hasSize(count / 2);
            assertThat(lost).hasValue(count / 2);
            assertThat(counting.read.get()).isLessThan(3 * handle.length());
        }
    }

    /** Headers one after the other, each of which says that its record reaches almost to the end of the file. */
    @Test
    void recordsThatOverlapDoNotMultiplyTheWork() throws IOException {
        int count = 20_000;
        byte[][] records = new byte[count][];
        for (int i = 0; i < count; i++) {
            long offset = 64 + 32L * i;
            records[i] = Forger.record(1, offset, Forger.PUT, i + 1, "aaaa", VALUE, 32 * (count - i) - 64);
        }
        install(1, count, records);
        Sparse counting = new Sparse(64 + 32L * count);
        try (ReadableFile handle = counting.open("00000001.data")) {
            DataFile file = new DataFile(1, 0, false, store(disk).seed(), handle, handle.length());
            new FileSurvey(file, handle.length(), (from, to, what) -> {}).run();
            assertThat(counting.read.get()).isLessThan(5 * handle.length());
        }
    }

    /** The tail of a manifest that is not sound, with many headers of long edits: each place is looked at once. */
    @Test
    void theTailOfAManifestIsReadAFewTimesAtMost() throws IOException {
        long[] state = {3, 0, 0, 0, 0, 0};
        byte[] start = Forger.manifest(state);
        byte[] tail = new byte[4 << 20];
        Arrays.fill(tail, (byte) 8); // lengths that are possible, everywhere
        byte[] whole = Arrays.copyOf(start, start.length + tail.length);
        System.arraycopy(tail, 0, whole, start.length, tail.length);
        disk.install("MANIFEST", whole);
        Sparse counting = new Sparse(whole.length);
        Manifest manifest = Manifest.read(new ForwardingIoManager(counting) {});
        assertThat(manifest.files()).isEmpty();
        assertThat(counting.read.get()).isLessThan(3L * whole.length);
    }
}
