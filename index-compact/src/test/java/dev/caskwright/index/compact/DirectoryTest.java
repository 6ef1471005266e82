package dev.caskwright.index.compact;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class DirectoryTest {
    private static long word(int address, int depth) {
        return Bucket.word(address, 4, depth, Bucket.NO_BUCKET);
    }

    @Test
    void anEntryIsChosenByTheLeadingBitsOfTheTag() {
        long[] directory = new long[8];
        for (int i = 0; i < 8; i++) {
            directory[i] = word(i, 3);
        }
        assertThat(Directory.depth(directory)).isEqualTo(3);
        for (int i = 0; i < 8; i++) {
            assertThat(Directory.entry(directory, i << 21)).isEqualTo(i);
            assertThat(Directory.entry(directory, (i << 21) + (1 << 21) - 1)).isEqualTo(i);
            assertThat(Directory.word(directory, i << 21)).isEqualTo(word(i, 3));
            assertThat(Directory.wordAt(directory, i)).isEqualTo(word(i, 3));
        }
        assertThat(Directory.depth(Directory.NONE)).isZero();
        assertThat(Directory.entry(Directory.NONE, (1 << 24) - 1)).isZero();
        assertThat(Directory.word(Directory.NONE, 77)).isEqualTo(Bucket.NO_BUCKET);
    }

    @Test
    void aBucketIsPublishedInAllItsEntriesAndInNoOther() {
        for (int depth = 0; depth <= 3; depth++) {
            for (int entry = 0; entry < 8; entry++) {
                long[] directory = new long[8];
                long word = word(9, depth);
                assertThat(Directory.entriesOf(directory, word)).isEqualTo(8 >> depth);
                Directory.publish(directory, entry, word);
                for (int i = 0; i < 8; i++) {
                    boolean isOfIt = i >> (3 - depth) == entry >> (3 - depth);
                    assertThat(directory[i]).isEqualTo(isOfIt ? word : Bucket.NO_BUCKET);
                }
            }
        }
    }
}
