package dev.caskwright.bitcask.log.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class FileSlotsTest {
    private final CrashableIoManager disk = new CrashableIoManager();
    private final FileSlots slots = new FileSlots(() -> "index");

    private DataFile add(long id) throws IOException {
        disk.install(FileNames.data(id), new byte[64]);
        ReadableFile handle = disk.open(FileNames.data(id));
        return slots.add(id, slot -> new DataFile(id, slot, false, 1, handle, 64));
    }

    @Test
    void filesAreFoundByTheirSlot() throws IOException {
        DataFile one = add(7);
        DataFile other = add(3);
        assertThat(one.slot()).isNotEqualTo(other.slot());
        assertThat(slots.get(one.slot())).isSameAs(one);
        assertThat(slots.get(other.slot())).isSameAs(other);
        assertThat(slots.inOrder()).containsExactly(other, one);
    }

    @Test
    void aSlotThatNoFileHasIsEmpty() throws IOException {
        assertThat(slots.get(0)).isNull();
        slots.remove(add(1));
        assertThat(slots.get(0)).isNull();
        assertThat(slots.get(1)).isNull();
        assertThat(slots.get(Locator.MAX_SLOTS - 1)).isNull();
    }

    @Test
    void slotsAreGivenAnewOnceTheirFileIsGone() throws IOException {
        DataFile one = add(1);
        DataFile two = add(2);
        slots.remove(one);
        assertThat(slots.inOrder()).containsExactly(two);
        DataFile three = add(3);
        assertThat(three.slot()).isEqualTo(one.slot());
        assertThat(slots.get(three.slot())).isSameAs(three);
        assertThat(add(4).slot()).isEqualTo(2);
        assertThat(slots.inOrder()).extracting(DataFile::id).containsExactly(2L, 3L, 4L);
    }

    @Test
    void anArrayDoesNotChange() throws IOException {
        DataFile one = add(1);
        @Nullable DataFile[] before = slots.all();
        DataFile two = add(2);
        slots.remove(one);
        assertThat(before).containsExactly(one);
        assertThat(slots.all()).containsExactly(null, two);
    }

    @Test
    void aSlotThatWasSetAsideGoesToItsFileOnly() throws IOException {
        slots.reserve(9, 1);
        slots.reserve(10, 0);
        assertThat(add(4).slot()).isEqualTo(2);
        DataFile nine = add(9);
        assertThat(nine.slot()).isEqualTo(1);
        slots.endReserving();
        assertThat(add(11).slot()).isZero();
        assertThat(slots.get(1)).isSameAs(nine);
        assertThat(add(10).slot()).as("not set aside any more").isEqualTo(3);
    }

    @Test
    void aFileThatCannotBeMadeTakesNoSlot() throws IOException {
        try {
            slots.add(1, slot -> {
                throw new IllegalStateException("no file");
            });
        } catch (IllegalStateException e) {
            assertThat(e).hasMessage("no file");
        }
        assertThat(add(1).slot()).isZero();
    }
}
