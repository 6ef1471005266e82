package dev.caskwright.bitcask.log.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.format.ClockNote;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ManifestTest {
    private static final StoreId STORE = new StoreId(31, 41);
    private static final int HEADER = 64;

    private final CrashableIoManager disk = new CrashableIoManager();

    private static Manifest.Sealed sealed(long id, boolean merged) {
        return new Manifest.Sealed(id, merged, 1000 + id * 8, id * 10, id * 10 + 9, id * 3);
    }

    private Manifest create() throws IOException {
        Manifest manifest = new Manifest(STORE);
        manifest.rewrite(disk);
        return manifest;
    }

    private Manifest read() throws IOException {
        Manifest manifest = Manifest.read(disk);
        if (manifest == null) {
            throw new AssertionError("no manifest");
        }
        return manifest;
    }

    private byte[] content() throws IOException {
        return disk.content(FileNames.MANIFEST);
    }

    private static List<String> names(Manifest manifest) {
        return manifest.files().stream().map(Manifest.Sealed::name).toList();
    }

    private static int checksum(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }

    @Test
    void whatWasListedIsRead() throws IOException {
        assertThat(Manifest.read(disk)).isNull();
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false), sealed(2, false)), Map.of());
        manifest.noteClock(() -> new long[] {5_000, 7});
        manifest.seal(List.of(sealed(3, false)), Map.of());
        manifest.merge(9, 29, List.of(1L, 2L), List.of(sealed(7, true)), Map.of(), () -> {});
        for (int run = 0; run < 2; run++) {
            Manifest read = read();
            assertThat(read.store()).isEqualTo(STORE);
            assertThat(read.files()).containsExactly(sealed(3, false), sealed(7, true));
            assertThat(read.highestId()).isEqualTo(9);
            assertThat(read.lastLogId()).isEqualTo(3);
            assertThat(read.changesFrom()).isEqualTo(29);
            assertThat(read.clockNote()).containsExactly(5_000, 7);
            assertThat(read.lastVersion()).isEqualTo(79);
            read.rewrite(disk);
            read.close();
        }
        manifest.close();
    }

    /** A note for each expiry that is seen would let the manifest grow for as long as the store is open. */
    @Test
    void theClockHasOneNoteOfFixedSize() throws IOException {
        Manifest manifest = create();
        long length = disk.length(FileNames.MANIFEST);
        long[] note = new long[ClockNote.MAX_LONGS];
        for (long i = 0; i < 1_000; i++) {
            Arrays.fill(note, i);
            manifest.noteClock(note::clone);
            assertThat(read().clockNote()).containsOnly(i).hasSize(ClockNote.MAX_LONGS);
        }
        assertThat(disk.length(FileNames.MANIFEST)).isEqualTo(length);
        long[] tooLong = new long[ClockNote.MAX_LONGS + 1];
        assertThatThrownBy(() -> manifest.noteClock(() -> tooLong)).isInstanceOf(IllegalArgumentException.class);
        manifest.noteClock(() -> new long[] {3});
        assertThat(read().clockNote()).as("shorter than the one before").containsExactly(3);
        manifest.rewrite(disk);
        assertThat(read().clockNote()).containsExactly(3);
        manifest.close();
    }

    @Test
    void aTornClockNoteLeavesTheOneBefore() throws IOException {
        Manifest manifest = create();
        for (long i = 1; i < 5; i++) {
            byte[] before = content();
            long each = i;
            manifest.noteClock(() -> new long[] {each, -each});
            byte[] after = content();
            int changed = Arrays.mismatch(before, after);
            for (int torn = changed; torn < changed + 32; torn++) {
                byte[] content = before.clone();
                System.arraycopy(after, changed, content, changed, torn - changed);
                disk.install(FileNames.MANIFEST, content);
                long[] read = read().clockNote();
                boolean isWhole = Arrays.equals(content, after);
                assertThat(read)
                        .as("note %s torn at %s", i, torn)
                        .isEqualTo(isWhole ? new long[] {i, -i} : i == 1 ? new long[0] : new long[] {i - 1, 1 - i});
            }
            disk.install(FileNames.MANIFEST, after);
            manifest.close();
            manifest = Objects.requireNonNull(Manifest.read(disk));
            manifest.rewrite(disk);
        }
        manifest.close();
    }

    /** While a force of the manifest is under way, whoever is told of an expiry goes on, and the note is there at once. */
    @Test
    void aClockNoteDoesNotWaitForAForce() throws Exception {
        CountDownLatch forcing = new CountDownLatch(1);
        CountDownLatch noted = new CountDownLatch(1);
        Manifest manifest = new Manifest(STORE);
        manifest.rewrite(new ForwardingIoManager(disk) {
            @Override
            public WritableFile openWritable(String name) throws IOException {
                return new ForwardingWritableFile(super.openWritable(name)) {
                    @Override
                    public void force() throws IOException {
                        forcing.countDown();
                        try {
                            noted.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        super.force();
                    }
                };
            }
        });
        CompletableFuture<Void> sealing = CompletableFuture.runAsync(() -> {
            try {
                manifest.seal(List.of(sealed(1, false)), Map.of());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        forcing.await();
        manifest.noteClock(() -> new long[] {1});
        manifest.noteClock(() -> new long[] {2});
        assertThat(read().clockNote()).containsExactly(2);
        assertThat(sealing).isNotDone();
        noted.countDown();
        sealing.get();
        assertThat(read().clockNote()).containsExactly(2);
        assertThat(names(read())).hasSize(1);
        manifest.close();
    }

    @Test
    void aTornLastEditIsLeftOut() throws IOException {
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false)), Map.of());
        int before = content().length;
        manifest.seal(List.of(sealed(2, false)), Map.of());
        manifest.close();
        byte[] whole = content();
        for (int length = before; length < whole.length; length++) {
            disk.install(FileNames.MANIFEST, Arrays.copyOf(whole, length));
            assertThat(names(read())).as("length=%s", length).containsExactly(FileNames.data(1));
            byte[] damaged = whole.clone();
            damaged[length] ^= 0x10;
            disk.install(FileNames.MANIFEST, damaged);
            assertThat(names(read())).as("damage at %s", length).containsExactly(FileNames.data(1));
        }
        disk.install(FileNames.MANIFEST, Arrays.copyOf(whole, whole.length + 100));
        assertThat(names(read())).as("zeros after").hasSize(2);
    }

    @Test
    void damageInTheMiddleIsNoTornEdit() throws IOException {
        Manifest manifest = create();
        int from = content().length;
        manifest.seal(List.of(sealed(1, false)), Map.of());
        int to = content().length;
        manifest.seal(List.of(sealed(2, false)), Map.of());
        manifest.close();
        byte[] whole = content();
        for (int at = from; at < to; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 0x10;
            disk.install(FileNames.MANIFEST, damaged);
            assertThatThrownBy(this::read)
                    .as("damage at %s", at)
                    .isInstanceOfSatisfying(CorruptRecordException.class, e -> {
                        assertThat(e.file()).isEqualTo(FileNames.MANIFEST);
                        assertThat(e.offset()).isEqualTo(from);
                    });
        }
    }

    @Test
    void everyByteOfTheHeaderCounts() throws IOException {
        create().close();
        byte[] whole = content();
        for (int at = 0; at < HEADER; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 1;
            disk.install(FileNames.MANIFEST, damaged);
            boolean isMagic = at < 8;
            assertThatThrownBy(this::read)
                    .as("damage at %s", at)
                    .isInstanceOf(isMagic ? UnsupportedFormatException.class : CorruptRecordException.class);
        }
    }

    @Test
    void aNewerVersionIsRefusedByName() throws IOException {
        create().close();
        byte[] newer = content();
        RecordFormat.INT.set(newer, 8, Manifest.FORMAT_VERSION + 1);
        RecordFormat.INT.set(newer, 60, checksum(newer, 0, 60));
        disk.install(FileNames.MANIFEST, newer);
        assertThatThrownBy(this::read)
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("found version=2")
                .hasMessageContaining(FileNames.MANIFEST);
    }

    @Test
    void anEditOfANewerVersionIsRefused() throws IOException {
        create().close();
        append(9);
        assertThatThrownBy(this::read)
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("type=9");
    }

    /** Appends an edit with right checksums; the first of the longs is its type. */
    private void append(long... words) throws IOException {
        byte[] content = content();
        int at = content.length;
        int length = (words.length - 1) * Long.BYTES;
        byte[] longer = Arrays.copyOf(content, at + 24 + length);
        RecordFormat.INT.set(longer, at + 4, length);
        RecordFormat.LONG.set(longer, at + 8, words[0]);
        for (int i = 1; i < words.length; i++) {
            RecordFormat.LONG.set(longer, at + 16 + i * Long.BYTES, words[i]);
        }
        RecordFormat.INT.set(longer, at + 16, checksum(longer, at + 24, length));
        RecordFormat.INT.set(longer, at, checksum(longer, at + 4, 20) ^ RecordFormat.mask(STORE.seed(), at));
        disk.install(FileNames.MANIFEST, longer);
    }

    static Stream<long[]> impossibleEdits() {
        long far = 1L << 40;
        long edge = 1L << 56;
        return Stream.of(
                new long[] {1, 1, 0, 1000, 1, 2},
                new long[] {1, -1, 0, 1000, 1, 2, 3},
                new long[] {1, 0, 0, 1000, 1, 2, 3},
                new long[] {1, far, 0, 1000, 1, 2, 3},
                new long[] {1, 1, 2, 1000, 1, 2, 3},
                new long[] {1, 1, 0, 56, 1, 2, 3},
                new long[] {1, 1, 0, 1001, 1, 2, 3},
                new long[] {1, 1, 0, far, 1, 2, 3},
                new long[] {1, 1, 0, 1000, 0, 2, 3},
                new long[] {1, 1, 0, 1000, 2, 1, 3},
                new long[] {1, 1, 0, 1000, -2, -1, 3},
                new long[] {1, 1, 0, 1000, 1, edge - 1, 3},
                new long[] {1, 1, 0, 1000, 1, Long.MAX_VALUE, 3},
                new long[] {2, 9, 0, 0},
                new long[] {2, far, 0, 0, 0},
                new long[] {2, 9, 0, 1, 0},
                new long[] {2, 9, 0, -1, 0},
                new long[] {2, 9, 0, 4, -1},
                new long[] {2, 9, 0, 1, 0, 77},
                new long[] {2, 9, 1, 0, 0},
                new long[] {2, 9, 0, 0, 1, 1, far, 1, 2, 3},
                new long[] {2, 9, 0, 0, 1, 10, 1000, 1, 2, 3},
                new long[] {2, 9, 0, 0, 1, 9, 1000, 1, edge, 3},
                new long[] {2, 9, 0, 0, 2, 9, 1000, 1, 2, 3, 9, 1000, 1, 2, 3},
                new long[] {2, 9, 0, Long.MIN_VALUE, 1L << 61},
                new long[] {3, 9, 0, 0, 0, 0},
                new long[] {4},
                new long[] {4, 1, 1},
                new long[] {4, 0, 1, 1},
                new long[] {4, far, 1, 1},
                new long[] {7, 1},
                new long[] {7, 1, 1, 2},
                new long[] {7, 1, 1, 2, 2, 3, 3},
                new long[] {5, 1, 1, 2},
                new long[] {5, 5, 1, 2, 3},
                new long[] {5, 0, 1, 2, 3},
                new long[] {6, 1},
                new long[] {6, 1, 0},
                new long[] {6, 1, edge},
                new long[] {6, 1, 5, 2, 5});
    }

    static Stream<long[]> extremeEdits() {
        long last = Integer.MAX_VALUE - (1 << 20);
        return Stream.of(
                new long[] {1, 4, 0, 64, 0, 0, -1},
                new long[] {1, 4, 0, RecordFormat.MAX_FILE_LENGTH, 1, 2, 0},
                new long[] {2, last, 0, 0, 0},
                new long[] {2, last, 0, 0, 1, last, 64, 1, 2, -1},
                new long[] {4, last, -1, -1},
                new long[] {7},
                new long[] {5, 4, 0, -1, -1},
                new long[] {6},
                new long[] {6, -1, 1, 7, RecordFormat.LAST_VERSION});
    }

    /** What the first edit of a manifest says must be possible, too. */
    @Test
    void anImpossibleStateIsDamage() throws IOException {
        long edge = 1L << 56;
        long far = 1L << 40;
        List<long[]> states = List.of(
                new long[] {3, far, 0, 0, 0, 0},
                new long[] {3, -1, 0, 0, 0, 0},
                new long[] {3, 9, -1, 0, 0, 0},
                new long[] {3, 9, 10, 0, 0, 0},
                new long[] {3, 9, 0, 2, 1, 0},
                new long[] {3, 9, 0, -1, 1, 0},
                new long[] {3, 9, 0, 0, edge - 1, 0},
                new long[] {3, 9, 0, 0, Long.MAX_VALUE, 0},
                new long[] {3, 9, 0, 0, 0, -1},
                new long[] {3, 9, 0, 0, 0, Long.MAX_VALUE},
                new long[] {3, 9, 0, 0, 0},
                new long[] {1, 4, 0, 64, 0, 0, 0},
                new long[] {7, 4, 1},
                new long[] {4, 4, 1, 1});
        create().close();
        byte[] start = Arrays.copyOf(content(), ClockNote.END);
        for (long[] state : states) {
            disk.install(FileNames.MANIFEST, start);
            append(state);
            assertThatThrownBy(this::read)
                    .as("%s", Arrays.toString(state))
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("impossible manifest edit");
        }
        disk.install(FileNames.MANIFEST, start);
        append(3, 9, 9, RecordFormat.LAST_VERSION, RecordFormat.LAST_VERSION, 0);
        assertThat(read().changesFrom()).isEqualTo(RecordFormat.LAST_VERSION);
        append(1, 4, 0, 64, 0, 0, 0);
        assertThatThrownBy(this::read).as("sealed before").isInstanceOf(CorruptRecordException.class);
    }

    @ParameterizedTest
    @MethodSource("extremeEdits")
    void anEditAtTheLimitsIsRead(long[] words) throws IOException {
        create().close();
        append(words);
        Manifest read = read();
        assertThat(read.files()).hasSize(words[0] == 1 || words.length == 10 ? 1 : 0);
        append(1, 5, 0, 64, 3, 4, 3); // it was whole, so that this one comes after it
        assertThat(read().files()).hasSize(read.files().size() + 1);
    }

    @ParameterizedTest
    @MethodSource("impossibleEdits")
    void anImpossibleEditIsDamageWhateverItsChecksumSays(long[] words) throws IOException {
        create().close();
        append(words);
        assertThatThrownBy(this::read)
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("impossible manifest edit");
    }

    @Test
    void aForeignFileIsNotAManifest() {
        for (String text : List.of("", "x", "a file of someone else, of some length, that is called like ours")) {
            disk.install(FileNames.MANIFEST, KeyValues.bytes(text));
            assertThatThrownBy(this::read).isInstanceOf(UnsupportedFormatException.class);
        }
    }

    @Test
    void aRewriteIsAllOrNothing() throws IOException {
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false), sealed(2, false)), Map.of());
        manifest.noteSealed(sealed(3, false));
        List<String> before = names(read());
        List<List<String>> found = new ArrayList<>();
        disk.observer(call -> {
            for (long seed = 0; seed < 30; seed++) {
                found.add(listedIn(disk.peekPowerLoss(seed)));
            }
            found.add(listedIn(disk.peekKill()));
        });
        manifest.rewrite(disk);
        disk.observer(null);
        List<String> after = names(read());
        assertThat(after).hasSize(3);
        assertThat(found).contains(before, after);
        found.removeIf(each -> each.equals(before) || each.equals(after));
        assertThat(found).isEmpty();
        for (long seed = 0; seed < 30; seed++) {
            assertThat(listedIn(disk.peekPowerLoss(seed))).isEqualTo(after);
        }
        manifest.close();
    }

    private static List<String> listedIn(CrashableIoManager image) {
        try {
            Manifest read = Manifest.read(image);
            return read == null ? List.of("no manifest") : names(read);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void editsAreDurableWhenTheyReturn() throws IOException {
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false)), Map.of());
        assertThat(listedIn(disk.peekPowerLoss(0))).containsExactly(FileNames.data(1));
        manifest.merge(5, 19, List.of(1L), List.of(sealed(4, true)), Map.of(), () -> {});
        assertThat(listedIn(disk.peekPowerLoss(0))).containsExactly(FileNames.merged(4));
        manifest.close();
    }

    @Test
    void allInputsAndOutputsOfAMergeAreKept() throws IOException {
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false), sealed(2, false), sealed(3, false), sealed(4, false)), Map.of());
        manifest.merge(
                12,
                39,
                List.of(1L, 3L, 4L),
                List.of(sealed(7, true), sealed(8, true), sealed(9, true)),
                Map.of(),
                () -> {});
        for (Manifest each : new Manifest[] {manifest, read()}) {
            assertThat(each.files())
                    .containsExactly(sealed(2, false), sealed(7, true), sealed(8, true), sealed(9, true));
            assertThat(each.lastLogId()).isEqualTo(4);
            assertThat(each.highestId()).isEqualTo(12);
            assertThat(each.lastVersion()).isEqualTo(99);
        }
        manifest.close();
    }

    @Test
    void anImageStaysUntilAMergeOrItIsDropped() throws IOException {
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false)), Map.of());
        assertThat(manifest.image()).isNull();
        Manifest.Image image = new Manifest.Image(5, 77, 99);
        assertThat(image.name()).isEqualTo("00000005.image");
        manifest.publish(image);
        assertThat(manifest.image()).isEqualTo(image);
        assertThat(read().image()).isEqualTo(image);
        manifest.rewrite(disk);
        assertThat(read().image()).isEqualTo(image);
        assertThat(names(read())).containsExactly(FileNames.data(1));
        Manifest.Image next = new Manifest.Image(6, 78, 99);
        manifest.publish(next);
        assertThat(read().image()).isEqualTo(next);
        manifest.merge(9, 0, List.of(1L), List.of(sealed(7, true)), Map.of(), () -> {});
        assertThat(manifest.image()).isNull();
        assertThat(read().image()).isNull();
        manifest.publish(next);
        manifest.dropImage();
        assertThat(read().image()).isEqualTo(next);
        manifest.rewrite(disk);
        assertThat(read().image()).isNull();
        manifest.close();
    }

    /** However much is sealed and merged while the store is open, the manifest stays in proportion to what it lists. */
    @Test
    void theManifestIsWrittenAnewWhenItHasGrown() throws IOException {
        Manifest manifest = create();
        long id = 0;
        long longest = 0;
        for (int i = 0; i < 2_000; i++) {
            List<Long> inputs =
                    manifest.files().stream().map(Manifest.Sealed::id).toList();
            manifest.seal(List.of(sealed(++id, false)), Map.of());
            manifest.publish(new Manifest.Image(++id, i, 99));
            List<Manifest.Sealed> outputs = inputs.size() < 4 ? List.of() : List.of(sealed(++id, true));
            manifest.merge(id, 0, inputs.size() < 4 ? List.of() : inputs, outputs, Map.of(), () -> {});
            longest = Math.max(longest, disk.length(FileNames.MANIFEST));
        }
        assertThat(longest).isBetween(64L << 10, 90L << 10);
        assertThat(read().files()).containsExactlyElementsOf(manifest.files());
        assertThat(read().highestId()).isEqualTo(id);
        manifest.close();
    }

    /** The disk is full after the first of two edits: what is tried again is written twice. */
    @Test
    void filesMayBeListedAgainWhenTheDiskWasFull() throws IOException {
        create().close();
        FaultPlan plan = FaultPlan.failing(4).only(IoOperation.WRITE).with(Fault.OUT_OF_SPACE);
        Manifest manifest = read();
        manifest.rewrite(plan.wrap(disk)); // its head and its state are two writes, the first seal is the third
        assertThatThrownBy(() -> manifest.seal(List.of(sealed(1, false), sealed(2, false), sealed(3, false)), Map.of()))
                .isInstanceOf(OutOfSpaceException.class);
        assertThat(manifest.files()).isEmpty();
        manifest.seal(List.of(sealed(1, false), sealed(2, false)), Map.of());
        manifest.seal(List.of(sealed(2, false), sealed(3, false)), Map.of());
        assertThat(names(read())).hasSize(3);
        assertThat(read().files()).containsExactlyElementsOf(manifest.files());
        manifest.close();
    }

    /** While it is rewritten, every moment has the one or the other; a note of the clock is in whichever has the name. */
    @Test
    void aCrashWhileTheManifestIsWrittenAnewLosesNothing() throws IOException {
        Manifest manifest = create();
        long id = 0;
        while (disk.length(FileNames.MANIFEST) < 64 << 10) {
            manifest.seal(List.of(sealed(++id, false)), Map.of());
        }
        AtomicLong listed = new AtomicLong(id);
        AtomicBoolean isBegun = new AtomicBoolean();
        AtomicBoolean isRenamed = new AtomicBoolean();
        disk.observer(call -> {
            isBegun.compareAndSet(false, call.operation() == IoOperation.CREATE);
            isRenamed.compareAndSet(false, call.operation() == IoOperation.RENAME);
            // The start is a write for each file; the first few, and what comes after them, will do.
            if (!isBegun.get() || (call.operation() == IoOperation.WRITE && call.offset() > 2_000)) {
                return;
            }
            for (long seed = 0; seed < 10; seed++) {
                assertThat(listedIn(disk.peekPowerLoss(seed)).size()).isGreaterThanOrEqualTo(listed.intValue());
            }
            assertThat(listedIn(disk.peekKill()).size()).isGreaterThanOrEqualTo(listed.intValue());
        });
        while (!isRenamed.get()) {
            manifest.seal(List.of(sealed(++id, false)), Map.of());
            listed.set(id);
        }
        disk.observer(null);
        assertThat(names(read())).hasSize((int) id);
        manifest.close();
    }

    /** A crash may leave a new manifest that did not get its name. */
    @Test
    void aNewManifestOfBeforeIsWrittenAnew() throws IOException {
        disk.install(FileNames.NEW_MANIFEST, new byte[10_000]);
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false)), Map.of());
        assertThat(disk.list()).containsExactly(FileNames.MANIFEST);
        assertThat(names(read())).containsExactly(FileNames.data(1));
        assertThat(manifest.toString()).contains("id=1");
        manifest.close();
        assertThatThrownBy(() -> manifest.noteClock(() -> new long[] {1})).isInstanceOf(IllegalStateException.class);
    }

    /** Each part of the start was forced before the manifest got its name, the image too. */
    @Test
    void aManifestThatIsCutInItsStartIsDamage() throws IOException {
        Manifest manifest = create();
        manifest.seal(List.of(sealed(1, false), sealed(2, false)), Map.of());
        manifest.publish(new Manifest.Image(5, 77, 99));
        manifest.rewrite(disk);
        byte[] start = content();
        manifest.seal(List.of(sealed(3, false)), Map.of());
        manifest.close();
        byte[] whole = content();
        for (int length = HEADER; length < whole.length; length++) {
            disk.install(FileNames.MANIFEST, Arrays.copyOf(whole, length));
            if (length < start.length) {
                assertThatThrownBy(this::read).as("length=%s", length).isInstanceOf(CorruptRecordException.class);
            } else {
                assertThat(names(read())).as("length=%s", length).hasSize(2);
            }
        }
    }
}
