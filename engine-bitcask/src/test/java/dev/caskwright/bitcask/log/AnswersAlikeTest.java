package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.CopyReport;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Feeds the same damaged directories to opening, verification, salvage, backup and restore: all call them sound, or all say
 * that they are not. Opening reads what the caches do not cover; so it is asked without them, and with them it may say less,
 * but answers nothing else.
 */
final class AnswersAlikeTest {
    private static final Path HOME = Path.of("store");
    private static final Path TARGET = Path.of("target");
    private static final byte[] VALUE = {1, 2, 3};

    /** What each says: null for sound, or what is wrong. */
    private record Answers(
            String opening, String verification, String salvage, String backup, String restore, long tornBytesCut) {
        boolean areAlike() {
            boolean isSound = opening == null;
            return isSound == (verification == null)
                    && isSound == (salvage == null)
                    && isSound == (backup == null)
                    && isSound == (restore == null);
        }

        /**
         * Salvage tells more of a store that was not closed: a torn tail, which opening cuts and counts, and a last file
         * without a sound header, which opening takes for none of the store.
         */
        boolean areAlikeButForATornTail() {
            boolean isTorn = opening == null
                    && salvage != null
                    && (tornBytesCut > 0
                            || salvage.contains("bad file header")
                            || salvage.contains("a file of another store"));
            return isTorn ? new Answers(null, verification, null, backup, restore, 0).areAlike() : areAlike();
        }
    }

    @FunctionalInterface
    private interface Call {
        String run() throws IOException;
    }

    private static String answer(Call call) throws IOException {
        try {
            return call.run();
        } catch (CorruptRecordException | UnsupportedFormatException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static EngineBuilder builder(CrashableIoManager disk) {
        return BitcaskEngine.builder(HOME)
                .io(disk.factory())
                .executor(TestTasks.executor())
                .autoMerge(false)
                .maxFileBytes(400);
    }

    private static IoManagerFactory between(CrashableIoManager source, CrashableIoManager target) {
        return (directory, create) ->
                (directory.equals(HOME) ? source : target).factory().open(directory, create);
    }

    private static String copied(CopyReport report) {
        return report.doubts().isEmpty() ? null : report.doubts().toString();
    }

    private static Answers ask(CrashableIoManager disk) throws IOException {
        long[] torn = new long[1];
        String opening = answer(() -> {
            try (BitcaskEngine engine = builder(disk.peekKill()).open()) {
                torn[0] = engine.stats().opening().tornBytesCut();
                KeyValues.entries(engine);
                return null;
            }
        });
        String verification = answer(() -> {
            List<?> damages =
                    BitcaskEngine.verify(HOME, disk.peekKill().factory()).damages();
            return damages.isEmpty() ? null : damages.toString();
        });
        String salvage = answer(() -> {
            SalvageReport report =
                    BitcaskEngine.salvage(HOME, TARGET, between(disk.peekKill(), new CrashableIoManager()));
            return report.isComplete() ? null : report.losses().toString();
        });
        String backup = answer(
                () -> copied(BitcaskEngine.backup(HOME, TARGET, between(disk.peekKill(), new CrashableIoManager()))));
        String restore = answer(
                () -> copied(BitcaskEngine.restore(HOME, TARGET, between(disk.peekKill(), new CrashableIoManager()))));
        return new Answers(opening, verification, salvage, backup, restore, torn[0]);
    }

    private static void dropCaches(CrashableIoManager disk) throws IOException {
        for (String name : disk.list()) {
            if (name.endsWith(".hint") || name.endsWith(".image")) {
                disk.delete(name);
            }
        }
    }

    // ---------------------------------------------------------------- stores that nobody of ours makes

    private final CrashableIoManager forged = new CrashableIoManager();

    private static byte[] record(long offset, int kind, long version, String key, byte[] value) {
        return Forger.record(1, offset, kind, version, key, value, value.length);
    }

    private static byte[] batchEnd(long offset, long version, byte[]... members) {
        CRC32C crc = new CRC32C();
        for (byte[] member : members) {
            crc.update(member, 0, 4);
        }
        ByteBuffer value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        value.putInt(members.length).putInt((int) crc.getValue());
        return record(offset, 3, version, "", value.array());
    }

    /** Installs a store of one sealed file, or with a file that was not sealed. */
    private void install(boolean isSealed, long last, byte[]... records) {
        byte[] file = Forger.data(1, 0, records);
        forged.install("00000001.data", file);
        forged.install(
                "MANIFEST",
                isSealed
                        ? Forger.manifest(
                                new long[] {3, 1, 1, 0, last, 1}, new long[] {1, 1, 0, file.length, 1, last, 0})
                        : Forger.manifest(new long[] {3, 0, 0, 0, 0, 0}));
    }

    private static final int IN_BATCH = Forger.PUT | 0x20;

    private void assertAll(boolean isSound) throws IOException {
        Answers answers = ask(forged);
        assertThat(answers.areAlikeButForATornTail()).as("%s", answers).isTrue();
        assertThat(answers.opening() == null).as("%s", answers).isEqualTo(isSound);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aWholeBatchIsSoundToAll(boolean isSealed) throws IOException {
        byte[] first = record(64, IN_BATCH, 1, "aaaa", VALUE);
        byte[] second = record(96, IN_BATCH, 2, "bbbb", VALUE);
        install(isSealed, 2, first, second, batchEnd(128, 2, first, second));
        assertAll(true);
    }

    @Test
    void halfABatchInASealedFileIsDamageToAll() throws IOException {
        byte[] first = record(64, IN_BATCH, 1, "aaaa", VALUE);
        byte[] second = record(96, IN_BATCH, 2, "bbbb", VALUE);
        install(true, 2, first, second);
        assertAll(false);
        install(true, 2, first, second, batchEnd(128, 2, first));
        assertAll(false);
        install(true, 2, first, batchEnd(96, 1, first, second), record(128, Forger.PUT, 2, "bbbb", VALUE));
        assertAll(false);
        install(true, 2, first, record(96, Forger.PUT, 2, "bbbb", VALUE));
        assertAll(false);
        install(true, 1, record(64, Forger.PUT, 1, "aaaa", VALUE), batchEnd(96, 1));
        assertAll(false);
    }

    /** A hint file has no batches, so it must not be what vouches for one. */
    @Test
    void halfABatchInASealedFileIsDamageAlthoughThereIsASoundHintFile() throws IOException {
        byte[] first = record(64, IN_BATCH, 1, "aaaa", VALUE);
        byte[] second = record(96, IN_BATCH, 2, "bbbb", VALUE);
        install(true, 2, first, second);
        ByteBuffer entries = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        for (long offset = 64; offset <= 96; offset += 32) {
            entries.putLong(offset / 8 << 16 | 4 << 1 | 1L << 44 | 4L << 48)
                    .put(offset == 64 ? new byte[] {97, 97, 97, 97} : new byte[] {98, 98, 98, 98});
        }
        byte[] filter = new byte[8];
        Arrays.fill(filter, (byte) 0xFF);
        ByteBuffer expiries = ByteBuffer.allocate(160).order(ByteOrder.LITTLE_ENDIAN);
        expiries.putLong(0, 64).putLong(24, 10);
        forged.install(
                "00000001.hint", Forger.hints(1, 128, 2, filter.length, entries.array(), expiries.array(), filter));
        assertAll(false);
    }

    @Test
    void aTornBatchAtTheEndOfTheLogIsDroppedByAll() throws IOException {
        byte[] first = record(96, IN_BATCH, 2, "aaaa", VALUE);
        install(false, 0, record(64, Forger.PUT, 1, "cccc", VALUE), first);
        assertAll(true);
    }

    @Test
    void aRecordBehindTheEndOfASealedFileIsDamageToAll() throws IOException {
        install(
                true,
                2,
                record(64, Forger.PUT, 1, "aaaa", VALUE),
                record(96, 4, 1, "", new byte[0]),
                record(120, Forger.PUT, 2, "bbbb", VALUE));
        assertAll(false);
    }

    // ---------------------------------------------------------------- stores that were damaged

    /** Makes a store with batches, deletes, a merged file and files of writers; closed or not. */
    private static CrashableIoManager made(boolean isClosed) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        BitcaskEngine engine = builder(disk).open();
        for (int i = 0; i < 20; i++) {
            engine.put(KeyValues.key(i), KeyValues.bytes("first " + i));
        }
        engine.delete(KeyValues.key(3));
        engine.merge();
        for (int i = 0; i < 12; i += 2) {
            WriteBatch batch = new WriteBatch();
            batch.put(KeyValues.key(i), KeyValues.bytes("second " + i)).delete(KeyValues.key(i + 1));
            engine.write(batch, WriteOptions.SYNC);
        }
        engine.put(KeyValues.key(30), KeyValues.bytes("last"), WriteOptions.SYNC);
        if (isClosed) {
            engine.close();
        }
        return disk.peekKill();
    }

    @FunctionalInterface
    private interface Damage {
        void to(CrashableIoManager disk) throws IOException;
    }

    private static void change(Map<String, Damage> damages, String name, byte[] content) {
        for (int at : new int[] {0, 9, 20, 40, 50, 61, 64, 70, 79, 90, content.length / 2, content.length - 9}) {
            if (at < content.length) {
                damages.put("flip " + name + " at " + at, disk -> {
                    byte[] flipped = content.clone();
                    flipped[at] ^= 4;
                    disk.install(name, flipped);
                });
            }
        }
        for (int length : new int[] {0, 63, 64, 65, content.length / 2, content.length - 8, content.length - 1}) {
            if (length < content.length) {
                damages.put(
                        "cut " + name + " to " + length, disk -> disk.install(name, Arrays.copyOf(content, length)));
            }
        }
        damages.put("zeros in " + name, disk -> {
            byte[] zeroed = content.clone();
            Arrays.fill(zeroed, content.length / 3, content.length * 2 / 3, (byte) 0);
            disk.install(name, zeroed);
        });
        damages.put("more after " + name, disk -> disk.install(name, Arrays.copyOf(content, content.length + 100)));
        damages.put("no " + name, disk -> disk.delete(name));
    }

    private static Map<String, Damage> damages(CrashableIoManager whole) throws IOException {
        Map<String, Damage> damages = new LinkedHashMap<>();
        damages.put("nothing", disk -> {});
        CrashableIoManager other = made(true);
        for (String name : whole.list()) {
            boolean isMerged = name.endsWith(".merged");
            if (name.equals(FileNames.MANIFEST) || name.endsWith(".data") || isMerged) {
                change(damages, name, whole.content(name));
            }
            if (name.endsWith(".data") || isMerged) {
                long number = FileNames.id(name);
                String otherKind = isMerged ? FileNames.data(number) : FileNames.merged(number);
                damages.put("the other kind of " + name, disk -> disk.install(otherKind, whole.content(name)));
                damages.put("renamed " + name, disk -> {
                    disk.install(otherKind, whole.content(name));
                    disk.delete(name);
                });
                damages.put("a text as " + otherKind, disk -> disk.install(otherKind, KeyValues.bytes("a text")));
                damages.put("another number as " + name, disk -> {
                    for (String each : whole.list()) {
                        if (each.endsWith(".data") && !each.equals(name)) {
                            disk.install(name, whole.content(each));
                        }
                    }
                });
                damages.put("another store's " + name, disk -> {
                    if (other.list().contains(name)) {
                        disk.install(name, other.content(name));
                    }
                });
                damages.put("a text as " + name, disk -> disk.install(name, KeyValues.bytes("a text")));
            }
        }
        return damages;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void allAnswerAlikeWhateverIsDamaged(boolean isClosed) throws IOException {
        CrashableIoManager whole = made(isClosed);
        int sound = 0;
        int damaged = 0;
        StringBuilder differing = new StringBuilder();
        for (Map.Entry<String, Damage> each : damages(whole).entrySet()) {
            CrashableIoManager disk = whole.peekKill();
            each.getValue().to(disk);
            dropCaches(disk);
            Answers answers = ask(disk);
            if (answers.opening() == null) {
                sound++;
            } else {
                damaged++;
            }
            boolean areAlike = isClosed ? answers.areAlike() : answers.areAlikeButForATornTail();
            if (!areAlike) {
                differing.append(each.getKey()).append(": ").append(answers).append('\n');
            }
        }
        assertThat(differing).isEmpty();
        assertThat(sound).isPositive();
        assertThat(damaged).isGreaterThan(50);
    }
}
