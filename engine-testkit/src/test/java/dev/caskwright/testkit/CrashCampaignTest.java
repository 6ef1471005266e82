package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** Disk, model and crashes together: a right little log passes, and each wrong one is caught. */
final class CrashCampaignTest {
    private static final int IMAGES_A_MOMENT = 40;

    private enum Bug {
        NONE,
        NO_FORCE,
        NO_DIRECTORY_SYNC,
        NO_CHECKSUM,
        TAIL_NOT_CUT,
        TAIL_FROM_THE_PAGE_CACHE,
        RENAME_BEFORE_FORCE
    }

    @Test
    void aCorrectLogSurvivesEverything() throws IOException {
        int images = 0;
        for (int seed = 0; seed < 20; seed++) {
            images += campaign(Bug.NONE, seed);
        }
        assertThat(images).isGreaterThan(10_000);
    }

    @Test
    void everyBugIsCaught() {
        for (Bug bug : Bug.values()) {
            if (bug != Bug.NONE) {
                assertThatThrownBy(() -> {
                            for (int seed = 0; seed < 20; seed++) {
                                campaign(bug, seed);
                            }
                        })
                        .as("%s", bug)
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining("seed=");
            }
        }
    }

    /** Runs a script; before each of its calls, cuts the power in many ways, reopens, writes, and cuts it again. */
    private static int campaign(Bug bug, int seed) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        StoreModel model = new StoreModel(Durability.SYNC, new ManualClock());
        int[] images = {0};
        disk.observer(call -> {
            model.context("seed=" + seed + ", " + call);
            for (int image = 0; image < IMAGES_A_MOMENT; image++) {
                images[0]++;
                model.assertPossibleAfterPowerLoss(contentAfterTwoLosses(bug, disk.peekPowerLoss(image), image));
            }
            CrashableIoManager killed = disk.peekKill();
            try {
                NavigableMap<byte[], Entry> found = new Log(bug, killed).content();
                model.assertPossibleAfterKill(found);
                Map<byte[], Entry> later = new Log(bug, killed.powerLoss(0)).content();
                assertThat(later.keySet())
                        .as("seed=%s, %s: what was recovered is durable", seed, call)
                        .usingElementComparator(Arrays::compareUnsigned)
                        .containsExactlyElementsOf(found.keySet());
            } catch (IOException e) {
                throw new AssertionError("seed=" + seed + ", " + call, e);
            }
        });
        Random random = new Random(seed);
        Log log = new Log(bug, disk);
        for (int i = 0; i < 12; i++) {
            byte[] key = KeyValues.key(random.nextInt(5));
            byte[] value = KeyValues.value(random, 900);
            boolean isSynced = random.nextBoolean();
            WriteOptions options = isSynced ? WriteOptions.SYNC : WriteOptions.WRITE;
            StoreModel.Write write = model.beginPut(key, value, options);
            log.put(key, value, isSynced);
            write.acknowledge();
            if (random.nextInt(5) == 0) {
                log.rewrite();
                model.synced();
            }
        }
        return images[0];
    }

    private static NavigableMap<byte[], Entry> contentAfterTwoLosses(Bug bug, CrashableIoManager disk, int seed) {
        try {
            Log log = new Log(bug, disk);
            NavigableMap<byte[], Entry> content = log.content();
            byte[] key = KeyValues.bytes("next");
            log.put(key, key, true);
            NavigableMap<byte[], Entry> later = new Log(bug, disk.powerLoss(seed)).content();
            assertThat(later.remove(key))
                    .as("seed=%s: written after recovery", seed)
                    .isNotNull();
            assertThat(later).hasSameSizeAs(content);
            return content;
        } catch (IOException e) {
            throw new AssertionError("seed=" + seed, e);
        }
    }

    /** A log of puts in one file: length and checksum, key length, key, value. */
    private static final class Log {
        private static final String NAME = "log";
        private static final int HEADER = 12;

        private final Bug bug;
        private final IoManager io;
        private WritableFile file;
        private final NavigableMap<byte[], Entry> content = KeyValues.newMap();

        Log(Bug bug, CrashableIoManager disk) throws IOException {
            this.bug = bug;
            this.io = disk.factory().open(Path.of("log"), true);
            if (io.list().contains(NAME)) {
                recover();
                return;
            }
            file = io.create(NAME, 0);
            if (bug != Bug.NO_DIRECTORY_SYNC) {
                io.syncDirectory();
            }
        }

        private void recover() throws IOException {
            byte[] bytes;
            try (ReadableFile old = io.open(NAME)) {
                bytes = new byte[(int) old.length()];
                old.read(0, bytes, 0, bytes.length);
            }
            int end = replay(bytes);
            file = io.openWritable(NAME);
            // After a mere kill the name may be one that a rename gave it, and that rename not durable yet.
            io.syncDirectory();
            if (bug == Bug.TAIL_NOT_CUT) {
                return;
            }
            file.truncate(end);
            if (bug != Bug.TAIL_FROM_THE_PAGE_CACHE) {
                file.write(0, bytes, 0, end);
                file.force();
            }
        }

        private int replay(byte[] bytes) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.remaining() >= HEADER) {
                int start = buffer.position();
                int length = buffer.getInt();
                int checksum = buffer.getInt();
                int keyLength = buffer.getInt();
                int valueLength = length - HEADER - keyLength;
                boolean isSane = keyLength > 0 && valueLength >= 0 && length - HEADER <= buffer.remaining();
                if (!isSane || bug != Bug.NO_CHECKSUM && checksum(bytes, start + 8, length - 8) != checksum) {
                    return start;
                }
                byte[] key = new byte[keyLength];
                byte[] value = new byte[valueLength];
                buffer.get(key).get(value);
                content.put(key, new Entry(key, value, 1, Entry.NEVER));
            }
            return buffer.position();
        }

        NavigableMap<byte[], Entry> content() {
            NavigableMap<byte[], Entry> copy = KeyValues.newMap();
            copy.putAll(content);
            return copy;
        }

        void put(byte[] key, byte[] value, boolean isSynced) throws IOException {
            append(file, key, value);
            if (isSynced && bug != Bug.NO_FORCE) {
                file.force();
            }
            content.put(key, new Entry(key, value, 1, Entry.NEVER));
        }

        private static void append(WritableFile file, byte[] key, byte[] value) throws IOException {
            int length = HEADER + key.length + value.length;
            ByteBuffer record = ByteBuffer.allocate(length)
                    .putInt(length)
                    .putInt(0)
                    .putInt(key.length)
                    .put(key)
                    .put(value);
            record.putInt(4, checksum(record.array(), 8, length - 8));
            file.write(file.length(), record.array(), 0, length);
        }

        void rewrite() throws IOException {
            if (io.list().contains("new")) {
                io.delete("new");
            }
            WritableFile next = io.create("new", 0);
            for (Entry entry : content.values()) {
                append(next, entry.key(), entry.value());
            }
            if (bug != Bug.RENAME_BEFORE_FORCE) {
                next.force();
            }
            io.rename("new", NAME);
            io.syncDirectory();
            next.force();
            file.close();
            file = next;
        }

        private static int checksum(byte[] bytes, int offset, int length) {
            CRC32C checksum = new CRC32C();
            checksum.update(bytes, offset, length);
            return (int) checksum.getValue();
        }
    }
}
