package dev.caskwright.bitcask.undo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.testkit.KeyValues;
import org.junit.jupiter.api.Test;

/** What was saved for a snapshot is found from the older ones on, before, while and after it is passed on to them. */
final class UndoTest {
    private static final KeyHash HASH = new KeyHash(3);

    private final Undo oldest = new Undo(HASH);
    private final Undo middle = new Undo(HASH);
    private final Undo newest = new Undo(HASH);

    UndoTest() {
        oldest.next = middle;
        middle.next = newest;
    }

    private static void save(Undo undo, int number, long locator) {
        byte[] key = KeyValues.key(number);
        undo.map.save(key, 0, key.length, locator);
    }

    private static long find(Undo from, int number) {
        byte[] key = KeyValues.key(number);
        return from.find(key, 0, key.length);
    }

    @Test
    void theFirstMapThatHasTheKeyCounts() {
        save(oldest, 1, 10);
        save(middle, 1, 20);
        save(middle, 2, 21);
        save(newest, 2, 30);
        save(newest, 3, 31);
        assertThat(find(oldest, 1)).isEqualTo(10);
        assertThat(find(middle, 1)).isEqualTo(20);
        assertThat(find(newest, 1)).isEqualTo(UndoMap.UNCHANGED);
        assertThat(find(oldest, 2)).isEqualTo(21);
        assertThat(find(oldest, 3)).isEqualTo(31);
        assertThat(find(oldest, 4)).isEqualTo(UndoMap.UNCHANGED);
        byte[] key = KeyValues.key(3);
        assertThat(oldest.find(newest, key, 0, key.length)).isEqualTo(UndoMap.UNCHANGED);
        assertThat(oldest.find(oldest, key, 0, key.length)).isEqualTo(UndoMap.UNCHANGED);
    }

    @Test
    void whatIsSavedWhileItIsPassedOnIsPassedOnToo() {
        save(oldest, 1, 10);
        save(middle, 1, 20);
        save(middle, 2, 21);
        long copied = oldest.copyMostOf(middle);
        assertThat(oldest.next).isSameAs(middle);
        save(middle, 3, 22);
        oldest.takeOver(middle, copied);
        assertThat(oldest.next).isSameAs(newest);
        assertThat(find(oldest, 1)).isEqualTo(10);
        assertThat(find(oldest, 2)).isEqualTo(21);
        assertThat(find(oldest, 3)).isEqualTo(22);
        // Those who hold the link see the same after it.
        assertThat(find(middle, 1)).isEqualTo(20);
        oldest.takeOver(newest, 0);
        assertThat(oldest.next).isNull();
    }

    @Test
    void whatIsCopiedBesideTheWritersIsNotCopiedAgain() {
        for (int i = 0; i < 3_000; i++) {
            save(middle, i, 100 + i);
        }
        long copied = oldest.copyMostOf(middle);
        for (int i = 0; i < 3_000; i++) {
            assertThat(get(oldest, i)).isEqualTo(100 + i);
        }
        // From there on only: what is before was put there by the copy.
        UndoMap rest = new UndoMap(HASH);
        assertThat(rest.saveAll(middle.map, copied)).isEqualTo(copied);
        save(middle, 3_000, 9);
        rest.saveAll(middle.map, copied);
        byte[] last = KeyValues.key(3_000);
        byte[] first = KeyValues.key(0);
        assertThat(rest.get(last, 0, last.length)).isEqualTo(9);
        assertThat(rest.get(first, 0, first.length)).isEqualTo(UndoMap.UNCHANGED);
    }

    private static long get(Undo undo, int number) {
        byte[] key = KeyValues.key(number);
        return undo.map.get(key, 0, key.length);
    }
}
