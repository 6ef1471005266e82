package dev.caskwright.bitcask.log;

import static dev.caskwright.testkit.KeyValues.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Durability;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.bitcask.SmallImageIndex;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.coding.RecordCipher;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.keys.FileKey;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/**
 * The bytes of encrypted files: nonces, and what somebody can do who knows the format but not the key. A random test prints
 * its seed; {@code -Dcaskwright.seed=N} repeats it.
 */
final class EncryptedFilesTest {
    private static final Path HOME = Path.of("store");
    private static final int START = DataFile.HEADER_LENGTH + KeyNote.LENGTH;
    private static final List<String> GOLDEN =
            List.of("00000001.data", "00000001.hint", "00000002.image", "00000003.data", "MANIFEST");

    private final ManualClock clock = new ManualClock();
    private CrashableIoManager disk = new CrashableIoManager();

    private static byte[] key(String id) {
        return Arrays.copyOf(bytes("a key of the test, " + id), 32);
    }

    private static EngineBuilder builder(CrashableIoManager disk, ManualClock clock) {
        SplittableRandom random = new SplittableRandom(1);
        return BitcaskEngine.builder(HOME)
                .io(disk.factory())
                .index(context -> new SmallImageIndex(() -> {}))
                .clock(clock)
                .random(random::nextLong)
                .executor(Runnable::run)
                .autoMerge(false)
                .replayThreads(1)
                .durability(Durability.WRITE)
                .maxFileBytes(2_048)
                .encryption(Encryption.writing("k1", EncryptedFilesTest::key));
    }

    private BitcaskEngine open() throws IOException {
        return builder(disk, clock).open();
    }

    // ---------------------------------------------------------------- nonces

    /** What was seen under each nonce of each file key: the encrypted bytes of a record, wherever it was seen. */
    private static final class Nonces {
        private final Map<String, String> seen = new HashMap<>();
        private int records;

        /** Looks at every place of every data file at which a header could be, at what is cut off as well. */
        void look(CrashableIoManager disk) throws IOException {
            for (String name : disk.list()) {
                byte[] file = disk.content(name);
                boolean isData = name.endsWith(".data") || name.endsWith(".merged");
                KeyNote note = isData && file.length >= START ? KeyNote.decode(file, DataFile.HEADER_LENGTH) : null;
                if (note == null) {
                    continue;
                }
                long storeSeed = FileHeader.store(file).seed();
                long seed = RecordFormat.fileSeed(storeSeed, FileNames.id(name));
                CRC32C crc = new CRC32C();
                for (int at = START; at < file.length; at += RecordFormat.ALIGNMENT) {
                    boolean isRecord =
                            RecordFormat.isHeaderSound(file, at, file.length - at, RecordFormat.mask(seed, at), crc)
                                    && (RecordFormat.kind(file, at) & RecordFormat.ENCRYPTED) != 0
                                    && at + RecordFormat.recordLength(file, at) <= file.length
                                    && isBodySound(file, at);
                    if (isRecord) {
                        take(note, file, at);
                    }
                }
            }
        }

        /** A crash leaves a part of one now and then. */
        private static boolean isBodySound(byte[] file, int at) {
            int header = RecordFormat.headerLength(RecordFormat.kind(file, at));
            int length = (int) RecordFormat.bodyLength(file, at);
            return RecordFormat.checksum(file, at + header, length, 0) == RecordFormat.bodyChecksum(file, at);
        }

        private void take(KeyNote note, byte[] file, int at) {
            int header = RecordFormat.headerLength(RecordFormat.kind(file, at));
            long nonce = (long) RecordFormat.LONG.get(file, at + header - RecordFormat.NONCE_LENGTH);
            HexFormat hex = HexFormat.of();
            int end = at + header + (int) RecordFormat.bodyLength(file, at);
            // The header is bound to it: the same body under another header would be a second use.
            String text = hex.formatHex(file, at + RecordFormat.VERSION_OFFSET, end);
            String before = seen.put(hex.formatHex(note.salt()) + ' ' + nonce, text);
            assertThat(before == null || before.equals(text))
                    .as("nonce %s came twice, under the salt of %s", nonce, hex.formatHex(note.salt()))
                    .isTrue();
            records++;
        }
    }

    /**
     * Crashes, tails that are cut and written again with something else, stores that go on twice from one state, writes that
     * fail for want of space and are done again: no nonce of a file key ever comes with other bytes.
     */
    @Test
    void noNonceComesTwice() throws IOException {
        long seed = Long.getLong("caskwright.seed", System.nanoTime());
        Random random = new Random(seed);
        Nonces nonces = new Nonces();
        CrashableIoManager older = disk.peekKill();
        for (int round = 0; round < 40; round++) {
            BitcaskEngine engine = open();
            for (int i = random.nextInt(12); i >= 0; i--) {
                byte[] value = KeyValues.text(random, random.nextInt(400));
                if (random.nextInt(4) == 0) {
                    engine.write(
                            new WriteBatch().put(bytes("b" + i), value).delete(bytes("k" + i)), WriteOptions.WRITE);
                } else {
                    engine.put(bytes("k" + i), value, random.nextInt(3) == 0 ? WriteOptions.SYNC : WriteOptions.WRITE);
                }
                nonces.look(disk);
            }
            if (random.nextInt(4) == 0) {
                engine.merge();
                nonces.look(disk);
            }
            CrashableIoManager next = switch (random.nextInt(4)) {
                case 0 -> older; // as if it had been put back from a backup
                case 1 -> disk.powerLoss(random.nextLong(Long.MAX_VALUE));
                case 2 -> disk.kill();
                default -> {
                    engine.close();
                    yield disk;
                }
            };
            nonces.look(next);
            older = next.peekKill();
            disk = next;
        }
        assertThat(nonces.records).as("seed=%s", seed).isGreaterThan(1_000);
    }

    /** A record whose write failed is in part on the disk, and the next one comes to the same place, with the same version. */
    @Test
    void aRecordThatIsWrittenAgainTakesAnotherNonce() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("a"), bytes("first"));
        byte[] long1 = KeyValues.text(new Random(1), 600);
        disk.capacity(1 << 20);
        disk.capacity((1 << 20) - disk.usableSpace() + 300);
        assertThatThrownBy(() -> engine.put(bytes("b"), long1)).isInstanceOf(OutOfSpaceException.class);
        disk.capacity(Long.MAX_VALUE);
        engine.put(bytes("b"), bytes("x"));
        engine.put(bytes("c"), bytes("y"));
        byte[] file = disk.content("00000001.data");
        List<Long> numbers = new ArrayList<>();
        for (long at = START; at < file.length && RecordFormat.kind(file, (int) at) != 0; ) {
            int header = RecordFormat.headerLength(RecordFormat.kind(file, (int) at));
            numbers.add((long) RecordFormat.LONG.get(file, (int) at + header - RecordFormat.NONCE_LENGTH));
            at += RecordFormat.recordLength(file, (int) at);
        }
        assertThat(numbers).containsExactly(1L, 3L, 4L);
    }

    // ---------------------------------------------------------------- who knows the format

    private byte[] file(String name) throws IOException {
        return disk.content(name);
    }

    private void replace(String name, byte[] content) throws IOException {
        disk.delete(name);
        disk.install(name, content);
    }

    private static void mend(byte[] file, long fileId, int at) {
        CRC32C crc = new CRC32C();
        int header = RecordFormat.headerLength(RecordFormat.kind(file, at));
        int body = (int) RecordFormat.bodyLength(file, at);
        RecordFormat.INT.set(
                file, at + RecordFormat.BODY_CHECKSUM_OFFSET, RecordFormat.checksum(file, at + header, body, 0));
        int mask =
                RecordFormat.mask(RecordFormat.fileSeed(FileHeader.store(file).seed(), fileId), at);
        RecordFormat.INT.set(file, at, RecordFormat.headerChecksum(file, at, mask, crc));
    }

    /** Three records of the same length; without image and hint file, so that the records themselves are read. */
    private int makeThree() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(bytes("a"), bytes("first"));
            engine.put(bytes("b"), bytes("other"));
            engine.put(
                    bytes("c"),
                    bytes("third"),
                    WriteOptions.DEFAULT.expiresAt(clock.instant().plusSeconds(99)));
        }
        return (int) RecordFormat.recordLength(file("00000001.data"), START);
    }

    private void assertDamaged(int offset) throws IOException {
        CrashableIoManager bare = disk.peekKill();
        bare.delete("00000001.hint");
        bare.delete("00000002.image");
        assertThatThrownBy(() -> builder(bare, clock).open())
                .isInstanceOfSatisfying(CorruptRecordException.class, e -> {
                    assertThat(e.file()).isEqualTo("00000001.data");
                    assertThat(e.offset()).isEqualTo(offset);
                });
        VerifyReport report = BitcaskEngine.atRest(HOME, disk.factory(), Encryption.reading(EncryptedFilesTest::key))
                .require(Integrity.class)
                .verify();
        assertThat(report.damages())
                .anyMatch(damage -> damage.file().equals("00000001.data") && damage.offset() == offset);
        // By way of hint file and image, it is found when it is read.
        try (BitcaskEngine engine = open()) {
            assertThat(engine.stats().opening().fromImage()).isTrue();
            assertThatThrownBy(() -> {
                        engine.get(bytes("a"));
                        engine.get(bytes("b"));
                        engine.get(bytes("c"));
                    })
                    .isInstanceOfSatisfying(CorruptRecordException.class, e -> {
                        assertThat(e.file()).isEqualTo("00000001.data");
                        assertThat(e.offset()).isEqualTo(offset);
                    });
        }
    }

    @Test
    void aByteThatIsChangedWithRightChecksumsIsDamage() throws IOException {
        int length = makeThree();
        byte[] sound = file("00000001.data");
        int at = START + 2 * length;
        int header = RecordFormat.headerLength(RecordFormat.kind(sound, at));
        List<Integer> places = new ArrayList<>(List.of(
                RecordFormat.EXPIRY_OFFSET, // when it expires
                RecordFormat.DISTANCE_OFFSET,
                header - 8, // the nonce
                header, // the key
                header + 3, // the value
                header + 6 + 15)); // the tag
        for (int place : places) {
            byte[] changed = sound.clone();
            changed[at + place] ^= 1;
            mend(changed, 1, at);
            replace("00000001.data", changed);
            assertDamaged(at);
        }
    }

    @Test
    void aRecordThatIsMovedWithRightChecksumsIsDamage() throws IOException {
        int length = makeThree();
        byte[] file = file("00000001.data");
        System.arraycopy(file, START, file, START + length, length);
        RecordFormat.LONG.set(
                file,
                START + length + RecordFormat.VERSION_OFFSET,
                (long) RecordFormat.LONG.get(file, START + length + RecordFormat.VERSION_OFFSET) + 1);
        mend(file, 1, START + length);
        replace("00000001.data", file);
        assertDamaged(START + length);
    }

    @Test
    void aRecordDecryptsAtItsPlaceOnly() throws IOException {
        FileKey key = FileKey.fresh("k1", key("k1"));
        DataFile file = new DataFile(1, 0, false, 7, disk.create("00000001.data", 0), 0);
        DataFile other = new DataFile(2, 0, false, 7, disk.create("00000002.data", 0), 0);
        file.setKey(key);
        other.setKey(key);
        EncodedDraft draft = new EncodedDraft();
        draft.put(bytes("a"), bytes("value"), 0);
        draft.place(1, RecordFormat.DISTANCE_UNKNOWN, 0);
        RecordCipher cipher = new RecordCipher();
        byte[] encrypted = new byte[(int) RecordCipher.encryptedLength(draft.bytes(), 0)];
        cipher.encrypt(draft.bytes(), 0, encrypted, 0, file, START);
        byte[] opened = new byte[(int) draft.length()];
        cipher.decrypt(encrypted, 0, opened, file, START);
        assertThat(Arrays.copyOfRange(opened, 4, opened.length))
                .isEqualTo(Arrays.copyOfRange(draft.bytes(), 4, opened.length));
        assertThatThrownBy(() -> cipher.decrypt(encrypted, 0, opened, file, START + RecordFormat.ALIGNMENT))
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("does not decrypt", "00000001.data", "offset=200");
        assertThatThrownBy(() -> cipher.decrypt(encrypted, 0, opened, other, START))
                .isInstanceOf(CorruptRecordException.class);
    }

    @Test
    void aRecordThatIsNotEncryptedIsDamageInAnEncryptedFile() throws IOException {
        int length = makeThree();
        byte[] file = file("00000001.data");
        EncodedDraft draft = new EncodedDraft();
        draft.put(bytes("b"), bytes("forged, and as long"), 0);
        draft.place(2, RecordFormat.DISTANCE_UNKNOWN, 0);
        assertThat(draft.length()).isLessThanOrEqualTo(length);
        System.arraycopy(draft.bytes(), 0, file, START + length, (int) draft.length());
        int fill = length - (int) draft.length();
        assertThat(fill).isLessThan(RecordFormat.ALIGNMENT + 1);
        RecordFormat.INT.set(
                file,
                START + length + RecordFormat.VALUE_LENGTH_OFFSET,
                RecordFormat.valueLength(draft.bytes(), 0) + fill);
        mend(file, 1, START + length);
        replace("00000001.data", file);
        assertDamaged(START + length);
    }

    /** Hint files and images with right checksums are not believed either. */
    @Test
    void aHintFileOrImageThatIsChangedIsNotBelieved() throws IOException {
        makeThree();
        for (String name : List.of("00000001.hint", "00000002.image")) {
            byte[] sound = file(name);
            for (int at = DataFile.HEADER_LENGTH + Block.HEADER_LENGTH; at < sound.length; at += 7) {
                CrashableIoManager copy = disk.peekKill();
                byte[] changed = sound.clone();
                changed[at] ^= 4;
                copy.delete(name);
                copy.install(name, changed);
                if (name.endsWith(".hint")) {
                    copy.delete("00000002.image");
                }
                try (BitcaskEngine engine = builder(copy, clock).open()) {
                    assertThat(engine.get(bytes("a"))).as("%s at %s", name, at).isEqualTo(bytes("first"));
                    assertThat(engine.size()).isEqualTo(3);
                }
            }
        }
    }

    @Test
    void blocksDecryptOnlyInTheirContext() {
        FileKey key = FileKey.fresh("k1", key("k1"));
        byte[] block = new byte[100 + FileKey.BLOCK_OVERHEAD];
        byte[] text = new byte[100];
        text[7] = 7;
        key.encryptBlock(text, 0, 100, block, 0, new byte[] {1});
        FileKey again = FileKey.of(key.note(), key("k1"));
        assertThat(again).isNotNull();
        byte[] opened = block.clone();
        assertThat(again.decryptBlock(opened, 0, block.length, new byte[] {1})).isTrue();
        assertThat(Arrays.copyOf(opened, 100)).isEqualTo(text);
        assertThat(again.decryptBlock(block.clone(), 0, block.length, new byte[] {2}))
                .isFalse();
        assertThat(again.decryptBlock(block.clone(), 0, FileKey.BLOCK_OVERHEAD - 1, new byte[] {1}))
                .isFalse();
        assertThat(FileKey.of(key.note(), key("k2"))).isNull();
        assertThatThrownBy(again::nextNonce).isInstanceOf(IllegalStateException.class);
        assertThat(key.nextNonce()).isEqualTo(1);
        assertThat(key.nextNonce()).isEqualTo(2);
    }

    // ---------------------------------------------------------------- golden files

    /** Writes the golden files into a directory. What is random differs each time. */
    public static void main(String[] arguments) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        ManualClock clock = new ManualClock();
        BitcaskEngine engine = builder(disk, clock).open();
        engine.put(bytes("in the image"), bytes("1"));
        engine.put(bytes("later deleted"), bytes("2"));
        engine.put(
                bytes("mortal"),
                bytes("3"),
                WriteOptions.DEFAULT.expiresAt(clock.instant().plusSeconds(1_000)));
        engine.close();
        engine = builder(disk, clock).open();
        engine.write(
                new WriteBatch().put(bytes("behind the image"), bytes("4")).put(bytes("empty"), new byte[0]),
                WriteOptions.WRITE);
        engine.delete(bytes("later deleted"));
        CrashableIoManager killed = disk.kill();
        for (String name : killed.list()) {
            String digits = HexFormat.of().formatHex(killed.content(name));
            Files.writeString(Path.of(arguments[0]).resolve(name + ".hex"), digits.replaceAll(".{64}", "$0\n") + "\n");
        }
    }

    @Test
    void encryptedStoresOfEveryVersionAreRead() throws IOException {
        for (String without : List.of("", "00000002.image", "00000001.hint")) {
            for (String name : GOLDEN) {
                try (InputStream in =
                        EncryptedFilesTest.class.getResourceAsStream("/golden/v1-encrypted/" + name + ".hex")) {
                    assertThat(in).as(name).isNotNull();
                    String digits = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
                    disk.install(name, HexFormat.of().parseHex(digits.replaceAll("\\s", "")));
                }
            }
            if (!without.isEmpty()) {
                disk.delete(without);
            }
            assertThat(BitcaskEngine.atRest(HOME, disk.factory(), Encryption.reading(EncryptedFilesTest::key))
                            .require(Integrity.class)
                            .verify()
                            .damages())
                    .isEmpty();
            try (BitcaskEngine engine = open()) {
                assertThat(engine.stats().opening().fromImage()).isEqualTo(!without.equals("00000002.image"));
                assertThat(engine.get(bytes("in the image"))).isEqualTo(bytes("1"));
                assertThat(engine.get(bytes("mortal"))).isEqualTo(bytes("3"));
                assertThat(engine.get(bytes("behind the image"))).isEqualTo(bytes("4"));
                assertThat(engine.get(bytes("empty"))).isEmpty();
                assertThat(engine.size()).isEqualTo(4);
                engine.merge();
                assertThat(engine.size()).isEqualTo(4);
            }
            disk = new CrashableIoManager();
        }
    }
}
