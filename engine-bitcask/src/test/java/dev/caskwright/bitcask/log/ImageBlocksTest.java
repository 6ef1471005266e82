package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageBlocksTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5, 100})
    void blocksComeInOrder(int count) throws IOException {
        try (ImageBlocks blocks = new ImageBlocks(count, (number, target) -> target[0] = (byte) number)) {
            for (int i = 0; i < count; i++) {
                assertThat(blocks.next()[0]).isEqualTo((byte) i);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 100})
    void aFailureComesAfterTheBlocksBeforeIt(int count) throws IOException {
        ImageBlocks.Reader reader = (number, target) -> {
            if (number == 2) {
                throw new IOException("planned");
            }
            target[0] = (byte) number;
        };
        try (ImageBlocks blocks = new ImageBlocks(count, reader)) {
            assertThat(blocks.next()[0]).isEqualTo((byte) 0);
            assertThat(blocks.next()[0]).isEqualTo((byte) 1);
            assertThatThrownBy(blocks::next).isInstanceOf(IOException.class).hasMessage("planned");
        }
    }

    @Test
    void nothingIsReadAfterClosing() throws IOException {
        AtomicInteger reads = new AtomicInteger();
        ImageBlocks blocks = new ImageBlocks(1_000, (number, target) -> reads.incrementAndGet());
        blocks.next();
        blocks.close();
        int before = reads.get();
        assertThat(before).isLessThan(1_000);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().equals("caskwright-image"));
        assertThat(reads.get()).isEqualTo(before);
    }

    @Test
    void anInterruptIsKeptForLater() throws IOException {
        try (ImageBlocks blocks = new ImageBlocks(100, (number, target) -> target[0] = (byte) number)) {
            Thread.currentThread().interrupt();
            for (int i = 0; i < 100; i++) {
                assertThat(blocks.next()[0]).isEqualTo((byte) i);
            }
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
