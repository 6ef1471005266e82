package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class HintFileTest {
    /** Long enough for any place. */
    private static final long LENGTH = 1L << 60;

    private static final StoreId STORE = new StoreId(11, 22);
    private static final String HINT = FileNames.hint(5);

    private final CrashableIoManager disk = new CrashableIoManager();

    private DataFile data(long id, long length, StoreId store) throws IOException {
        String name = FileNames.data(id);
        if (!disk.list().contains(name)) {
            disk.install(name, new byte[64]);
        }
        return new DataFile(id, 0, false, store.seed(), disk.open(name), length);
    }

    private DataFile data() throws IOException {
        return data(5, LENGTH, STORE);
    }

    /** Writes a hint file of these keys; every third is a tombstone's. */
    private void write(List<byte[]> keys) throws IOException {
        HintFile.Builder builder = new HintFile.Builder();
        for (int i = 0; i < keys.size(); i++) {
            byte[] key = keys.get(i);
            builder.add(kind(i), place(i), key, 0, key.length);
        }
        assertThat(builder.count()).isEqualTo(keys.size());
        builder.writeOnce(disk, STORE, data());
    }

    private static int kind(int i) {
        return i % 3 == 2 ? RecordFormat.DELETE : RecordFormat.PUT;
    }

    private static long place(int i) {
        return i == 0 ? (1L << 44) - 1 : 64L * i;
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

    @Test
    void aFileWithoutRecordsHasAnEmptyHintFile() throws IOException {
        write(List.of());
        assertThat(visit(List.of())).isZero();
        assertThat(filter()).isNotNull();
    }

    @Test
    void aFileIsWrittenOnce() throws IOException {
        DataFile file = data();
        HintFile.Builder builder = new HintFile.Builder();
        builder.writeOnce(disk, STORE, file);
        assertThat(file.hasHints()).isTrue();
        long operations = disk.operations();
        builder.writeOnce(disk, STORE, file);
        assertThat(disk.operations()).isEqualTo(operations);
    }

    @Test
    void whatWasCutOffIsNotWritten() throws IOException {
        List<byte[]> keys = keys(5, 9, 7, 300, 20);
        HintFile.Builder builder = new HintFile.Builder();
        for (int i = 0; i < 3; i++) {
            builder.add(kind(i), place(i), keys.get(i), 0, keys.get(i).length);
        }
        int length = builder.length();
        for (int i = 3; i < keys.size(); i++) {
            builder.add(kind(i), place(i), keys.get(i), 0, keys.get(i).length);
        }
        builder.cutTo(length, 2);
        assertThat(builder.count()).isEqualTo(3);
        builder.writeOnce(disk, STORE, data());
        assertThat(visit(keys)).isEqualTo(3);
    }

    @Test
    void oneThatCannotBeWrittenIsTakenAway() throws IOException {
        DataFile file = data();
        HintFile.Builder builder = new HintFile.Builder();
        byte[] key = keys(5).get(0);
        builder.add(RecordFormat.PUT, 64, key, 0, key.length);
        for (int failing = 0; failing < 3; failing++) { // its header, its entries, its filter
            FaultPlan plan = FaultPlan.failing(failing).only(IoOperation.WRITE);
            assertThatThrownBy(() -> builder.writeOnce(plan.wrap(disk), STORE, file))
                    .isInstanceOf(IOException.class);
            assertThat(disk.list()).doesNotContain(HINT);
            assertThat(file.hasHints()).isFalse();
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
        assertThat(visit(keys, data(5, LENGTH + 8, STORE), STORE))
                .as("its length")
                .isEqualTo(-1);
        StoreId other = new StoreId(11, 23);
        assertThat(visit(keys, data(5, LENGTH, other), other)).as("its store").isEqualTo(-1);
        disk.install(FileNames.hint(6), disk.content(HINT));
        assertThat(visit(keys, data(6, LENGTH, STORE), STORE)).as("its number").isEqualTo(-1);
    }
}
