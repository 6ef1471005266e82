package dev.caskwright.bitcask.log.salvage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class StoreVoteTest {
    private static final StoreId ONE = new StoreId(1, 2);
    private static final StoreId OTHER = new StoreId(1, 3);
    private static final StoreId THIRD = new StoreId(2, 2);

    private final CrashableIoManager disk = new CrashableIoManager();
    private final StoreVote vote = new StoreVote();

    private void ask(byte[] header) throws IOException {
        disk.install(FileNames.data(1), header);
        try (ReadableFile file = disk.open(FileNames.data(1))) {
            vote.ask(file);
        }
    }

    private static byte[] sound(StoreId store) {
        return DataFile.encodeHeader(store, 1, 0, 7, null);
    }

    private static byte[] damaged(StoreId store) {
        byte[] header = sound(store);
        header[40] ^= 1;
        return header;
    }

    @Test
    void nothingIsKnownWithoutFiles() {
        assertThat(vote.candidates()).isEmpty();
        assertThat(vote.isProved()).isFalse();
    }

    @Test
    void mostVotesComeFirstAndTheFirstAskedWinsADraw() throws IOException {
        ask(sound(ONE));
        ask(sound(OTHER));
        ask(sound(THIRD));
        ask(sound(OTHER));
        assertThat(vote.candidates()).containsExactly(OTHER, ONE, THIRD);
        ask(sound(ONE));
        assertThat(vote.candidates()).containsExactly(ONE, OTHER, THIRD);
        assertThat(vote.isProved()).isTrue();
    }

    @Test
    void oneSoundHeaderIsBelievedBeforeAllThatAreNot() throws IOException {
        ask(damaged(ONE));
        ask(damaged(ONE));
        ask(damaged(OTHER));
        assertThat(vote.candidates()).containsExactly(ONE, OTHER);
        assertThat(vote.isProved()).isFalse();
        ask(sound(THIRD));
        assertThat(vote.candidates()).containsExactly(THIRD);
        assertThat(vote.isProved()).isTrue();
    }

    @Test
    void aHeaderThatIsCutVotesIfItHasTheId() throws IOException {
        ask(Arrays.copyOf(sound(ONE), 31));
        assertThat(vote.candidates()).isEmpty();
        ask(Arrays.copyOf(sound(ONE), 32));
        assertThat(vote.candidates()).containsExactly(ONE);
        ask(Arrays.copyOf(sound(OTHER), 63));
        assertThat(vote.isProved()).isFalse();
        ask(sound(OTHER));
        assertThat(vote.isProved()).isTrue();
    }
}
