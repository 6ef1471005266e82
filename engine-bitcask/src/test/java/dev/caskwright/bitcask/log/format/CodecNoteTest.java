package dev.caskwright.bitcask.log.format;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Notes of codecs as a forger would write them. */
final class CodecNoteTest {
    private static boolean isPossible(int id, int number, String name, int dictionaryLength) {
        return CodecNote.isPossible(new CodecNote(id, number, name, new byte[dictionaryLength]).words(8));
    }

    /** The dictionary after it would have a number that no record can name, and the first value with it could not be read. */
    @Test
    void aNumberThatNoStoreGivesIsRefused() {
        assertThat(isPossible(200, 0, "deflate", 0)).isTrue();
        assertThat(isPossible(200, CodecNote.MOST, "deflate", 5)).isTrue();
        assertThat(isPossible(200, CodecNote.MOST + 1, "deflate", 5)).isFalse();
        assertThat(isPossible(200, 255, "deflate", 5)).isFalse();
    }

    @Test
    void aNumberWithoutADictionaryAndADictionaryWithoutANumberAreRefused() {
        assertThat(isPossible(200, 1, "deflate", 0)).isFalse();
        assertThat(isPossible(200, 0, "deflate", 5)).isFalse();
        assertThat(isPossible(0, 0, "deflate", 0)).isFalse();
        assertThat(isPossible(200, 0, "de flate", 0)).isFalse();
        assertThat(isPossible(200, 0, "d".repeat(33), 0)).isFalse();
    }
}
